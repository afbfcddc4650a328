import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:http2';
import { createServer as createNetServer, type AddressInfo, type Socket } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { maxServerFrameLength, parsed, refused, reportIntervalMs, silenceLimitMs, type ChainReport, type Parsed, type Resource, type SidecarEnvironment } from '@belay/contract';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { chainEntry, providerEntry, routingTable, targetEntry } from '../../../test/support/made-up-table.ts';
import { until } from '../../../test/support/running-sidecar.ts';
import { createStandInDistributor, type DistributorOptions, type StandInDistributor } from '../../../test/support/stand-in-distributor.ts';
import { nextTestCa, nextTestCertificate, nextTestKey, testCa } from '../../../test/support/test-certificates.ts';
import type { LogLine } from '../sidecar-options.ts';
import { createControl, type Control } from './create-control.ts';

const table = routingTable([chainEntry('chat', [targetEntry('a')])], [providerEntry('a')]);
const tableResource = (version: string): Resource => ({ type: 'table', version, data: { ...table, version } });

const hasIPv6 = Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === '::1'));

let folder = '';
let clock = new ManualClock();
let distributor: StandInDistributor | null = null;
let control: Control | null = null;
const applied: unknown[] = [];
const log: LogLine[] = [];
let verdict: Parsed<{ version: string }> = parsed({ version: 'v' });
const chains: ChainReport[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'belay-control-'));
  clock = new ManualClock();
  verdict = parsed({ version: 'v' });
  applied.length = log.length = chains.length = 0;
  put('token', 'first.token');
});
afterEach(async () => {
  control?.close();
  expect(clock.armed).toBe(0);
  await distributor?.kill();
  rmSync(folder, { recursive: true });
});

function put(file: string, text: string): void {
  writeFileSync(join(folder, file), text);
}

async function start(given: DistributorOptions = {}, environment: Partial<SidecarEnvironment> = {}): Promise<StandInDistributor> {
  const made = await createStandInDistributor(given);
  distributor = made;
  control = createControl({
    environment: { chains: ['*'], podName: 'shop', podUid: 'u', namespace: 'support', certificates: testCa, ...environment, distributor: { host: environment.distributor?.host ?? 'localhost', port: environment.distributor?.port || made.port } },
    files: { token: join(folder, 'token'), bootstrap: folder },
    sidecar: {
      applyTable(given) {
        applied.push(given);
        return verdict;
      },
      applyKeys: (keys) => void applied.push(keys),
      applyEndpoints: (endpoints) => void applied.push(endpoints),
      report: () => chains,
    },
    clock, random: () => 0.5, log: (line) => log.push(line),
  });
  control.start();
  return made;
}

describe('the control stream of a sidecar', () => {
  test('says hello with its token, applies what comes, and answers by nonce', async () => {
    const made = await start({ resources: [{ type: 'endpoints', version: 'e1', data: [] }, tableResource('v1')] });
    await until(() => made.frames('ack').length === 2);
    expect(made.current()?.token).toBe('first.token');
    expect(made.hello()).toMatchObject({ pod: 'shop', uid: 'u', chains: ['*'], have: { table: null } });
    expect(made.frames('ack').map(({ nonce }) => nonce)).toEqual(['1', '2']);
    expect(applied).toEqual([[], { ...table, version: 'v1' }]);
  });

  test('refuses a table in its own words, and goes on', async () => {
    verdict = refused('chains[0].targets', 'must have at least one');
    const made = await start({ resources: [tableResource('v1')] });
    await until(() => made.frames('nack').length === 1);
    expect(made.frames('nack')).toEqual([{ frame: 'nack', nonce: '1', error: 'chains[0].targets: must have at least one' }]);
    verdict = parsed({ version: 'v2' });
    made.publish(tableResource('v2'));
    await until(() => made.frames('ack').length === 1);
  });

  test('reports every interval while it is connected', async () => {
    const made = await start({ resources: [tableResource('v1')] });
    await until(() => made.frames('ack').length === 1);
    chains.push({ name: 'chat', requests: 3, failed: 1, targets: [] });
    await clock.advance(reportIntervalMs);
    await until(() => made.lastReport() !== undefined);
    expect(made.lastReport()).toEqual({ frame: 'report', chains });
  });
});

const lost = () => log.filter(({ event }) => event === 'distributor-lost').map(({ message }) => message);
const nextLeaf = { cert: nextTestCertificate, key: nextTestKey };

describe('what is read before each connect', () => {
  test('a refused token is read again at once', async () => {
    const made = await start({
      answer(token, number) {
        if (number === 1) put('token', ' second.token\n');
        return token === 'second.token' ? 200 : 401;
      },
    });
    await until(() => made.hello() !== undefined);
    expect(made.streams.map(({ token }) => token)).toEqual(['first.token', 'second.token']);
    expect(clock.nowMs()).toBe(0);
  });

  test('a token that is refused twice waits for its turn', async () => {
    const made = await start({ answer: () => 401 });
    await until(() => made.streams.length === 2 && lost().length === 2);
    put('token', 'third.token');
    await clock.advance(250);
    await until(() => made.streams.length === 3);
    expect(made.streams.at(-1)?.token).toBe('third.token');
  });

  test('a CA that comes with the bootstrap copy is trusted beside the webhook\'s, also at the next connect', async () => {
    put('ca.crt', nextTestCa);
    const made = await start();
    await until(() => made.hello() !== undefined);
    made.useCertificate(nextLeaf);
    made.current()?.session.destroy();
    await until(() => lost().length === 1);
    await clock.advance(250);
    await until(() => made.frames('hello').length === 2);
  });

  test('a CA of the same name that is rotated in meanwhile is found at once, without a pause', async () => {
    put('ca.crt', testCa);
    const made = await start({ tls: nextLeaf });
    put('ca.crt', `${testCa}${nextTestCa}`);
    await until(() => made.hello() !== undefined);
    expect(clock.nowMs()).toBe(0);
  });

  test.each([
    ['no token', { token: null }, { certificates: testCa }, /the token .*token cannot be read: it is not there/],
    ['a folder in the token\'s place', { token: 'FOLDER' }, { certificates: testCa }, /the token .*token cannot be read: it is a folder/],
    ['a token that no header can carry', { token: 'a b' }, { certificates: testCa }, /token holds no token/],
    ['no CA at all', {}, { certificates: '' }, /no CA is known to trust it by: neither in the environment nor in .*ca\.crt/],
    ['a CA that is no PEM', { 'ca.crt': 'not a certificate' }, { certificates: '' }, /its certificate is of no CA that is known here/],
  ] as const)('%s is said, and looked for again', async (_sentence, files: { readonly [file: string]: string | null }, environment, message) => {
    for (const [file, text] of Object.entries(files)) {
      rmSync(join(folder, file), { force: true });
      if (text === 'FOLDER') mkdirSync(join(folder, file));
      else if (text !== null) put(file, text);
    }
    const made = await start({}, environment);
    // An unknown CA is looked for twice before it pauses.
    await until(() => lost().length === ('ca.crt' in files ? 2 : 1));
    expect(lost()[0]).toMatch(message);
    for (const file of Object.keys(files)) rmSync(join(folder, file), { force: true, recursive: true });
    put('token', 'good');
    put('ca.crt', testCa);
    await clock.advance(1_000);
    await until(() => made.hello() !== undefined);
  });
});

describe('a distributor that is not as it should be', () => {
  test.each([
    ['answers 503', 503, 'it answered 503'],
    ['redirects', 302, 'it answered 302'],
  ])('one that %s is asked again after a pause', async (_sentence, status, detail) => {
    let answered = status;
    const made = await start({ answer: () => answered });
    await until(() => lost().length === 1);
    expect(lost()).toEqual([`The connection to the distributor ended: ${detail}. What was delivered is served on.`]);
    answered = 200;
    await clock.advance(250);
    await until(() => made.hello() !== undefined);
  });

  test('one that went away is found again when it is back', async () => {
    const made = await start({ resources: [tableResource('v1')] });
    await until(() => made.frames('ack').length === 1);
    await made.kill();
    await until(() => lost().length === 1);
    await clock.advance(250);
    await until(() => lost().length === 2);
    expect(lost()[1]).toContain('connection refused');
    expect(control?.whyNoTable()).toContain(`the distributor localhost:${made.port} cannot be reached: connection refused; and namespace support has no bootstrap copy`);
    await made.listen();
    await clock.advance(1_000);
    await until(() => made.frames('hello').length === 2);
    expect(made.hello()?.have.table).toBe('v1');
  });

  test('one that answers and then says nothing is given up after the silence that is agreed', async () => {
    const made = await start();
    await until(() => made.hello() !== undefined);
    await clock.advance(silenceLimitMs - 1);
    expect(lost()).toEqual([]);
    await clock.advance(1);
    expect(lost()[0]).toContain('nothing was heard for 60 s');
    await until(() => made.streams[0]?.isOver() === true);
    await clock.advance(250);
    await until(() => made.frames('hello').length === 2);
  });

  test('one whose pings come is kept', async () => {
    const made = await start({ resources: [tableResource('v1')] });
    await until(() => made.frames('ack').length === 1);
    for (let round = 0; round < 5; round += 1) {
      await clock.advance(silenceLimitMs / 2);
      made.send({ frame: 'ping' });
      made.publish(tableResource(`v${round + 2}`));
      await until(() => made.frames('ack').length === round + 2);
    }
    expect(made.streams).toHaveLength(1);
  });

  test('one that ends only its half of the stream is left', async () => {
    const made = await start();
    await until(() => made.hello() !== undefined);
    made.current()?.stream.end();
    await until(() => lost().length === 1);
    expect(lost()[0]).toContain('it ended the stream');
    await clock.advance(250);
    await until(() => made.frames('hello').length === 2);
  });

  test('one that resets the stream, or the connection, is called again', async () => {
    const made = await start();
    await until(() => made.hello() !== undefined);
    made.current()?.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    await until(() => lost().length === 1);
    await clock.advance(250);
    await until(() => made.frames('hello').length === 2);
    (made.current()?.session.socket as Socket).destroy();
    await until(() => lost().length === 2);
    await clock.advance(500);
    await until(() => made.frames('hello').length === 3);
  });

  test('GOAWAY of HTTP/2 itself lets the stream run to its end, and then another is opened', async () => {
    const made = await start();
    await until(() => made.hello() !== undefined);
    made.current()?.session.goaway(constants.NGHTTP2_NO_ERROR);
    made.publish(tableResource('v1'));
    await until(() => made.frames('ack').length === 1);
    expect(lost()).toEqual([]);
    made.streams[0]?.stream.end();
    await until(() => lost().length === 1);
    await clock.advance(250);
    await until(() => made.frames('hello').length === 2);
  });

  test('a goaway frame moves it to another connection within the time that is asked for', async () => {
    const made = await start();
    await until(() => made.hello() !== undefined);
    made.send({ frame: 'goaway', reconnectWithinMs: 10_000 });
    made.publish(tableResource('v1'));
    await until(() => made.frames('ack').length === 1);
    await clock.advance(5_000);
    await until(() => made.frames('hello').length === 2 && made.streams[0]?.isOver() === true);
    expect(lost()).toEqual([]);
  });

  test('a line that is longer than may be costs itself alone', async () => {
    const made = await start();
    await until(() => made.hello() !== undefined);
    made.write(`{"frame":"${'x'.repeat(maxServerFrameLength)}"}\n`);
    made.publish(tableResource('v1'));
    await until(() => made.frames('ack').length === 1, 20_000);
    expect(log.find(({ event }) => event === 'frame-refused')?.message).toContain('at most 8388608 characters');
    expect(made.streams).toHaveLength(1);
  });

  test('one that speaks no TLS, or no HTTP/2, is no distributor', async () => {
    const plain = createNetServer((socket) => void socket.on('error', () => undefined).end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
    await start({}, { distributor: { host: '127.0.0.1', port: (plain.address() as AddressInfo).port } });
    await until(() => lost().length === 1);
    expect(lost()[0]).toMatch(/ended: (TLS failed|connection reset)/);
    plain.close();
  });

  test('one that is not answering at all is given up', async () => {
    let called = false;
    const mute = createNetServer((socket) => {
      socket.on('error', () => undefined);
      called = true;
    });
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    await start({}, { distributor: { host: '127.0.0.1', port: (mute.address() as AddressInfo).port } });
    await until(() => called);
    await clock.advance(10_000);
    expect(lost()[0]).toContain('nothing was heard for 10 s');
    mute.close();
  });

  test('a name that DNS does not know is said', async () => {
    await start({}, { distributor: { host: 'belay.invalid', port: 7443 } });
    await until(() => lost().length === 1);
    expect(lost()[0]).toMatch(/name not found in DNS|DNS gave no answer/);
  });

  test.each(['127.0.0.1', ...(hasIPv6 ? ['::1'] : [])])('its certificate must be for its address: %s', async (host) => {
    const made = await start({ tls: nextLeaf, host }, { certificates: `${testCa}${nextTestCa}`, distributor: { host, port: 0 } });
    await until(() => made.hello() !== undefined);
  });

  test('a certificate for another name is refused', async () => {
    await start({}, { certificates: testCa, distributor: { host: '127.0.0.1', port: 0 } });
    await until(() => lost().length === 1);
    expect(lost()[0]).toContain('certificate is for another host name');
  });
});

describe('the bootstrap copy', () => {
  const nowhere: Partial<SidecarEnvironment> = { distributor: { host: '127.0.0.1', port: 1 } };
  const write = (version: string, more: object = {}) => put('table.json', JSON.stringify({ ...table, version, ...more }));

  test('is applied at the start where the distributor is away, under the hash of what it holds', async () => {
    write('sha256:forged');
    put('endpoints.json', '[{"name":"box","state":"Loading","url":null}]');
    await start({}, nowhere);
    await until(() => applied.length === 2);
    expect(applied[0]).toEqual([{ name: 'box', state: 'Loading', url: null }]);
    expect(applied[1]).toMatchObject({ chains: table.chains, version: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) });
    await until(() => log.some(({ event }) => event === 'bootstrap-served'));
  });

  test('is found when the kubelet writes it later, and not read on once a table is held', async () => {
    await start({}, nowhere);
    await clock.advance(reportIntervalMs);
    write('v1');
    await clock.advance(reportIntervalMs);
    await until(() => applied.length === 2);
    write('v2', { chains: [] });
    await clock.advance(3 * reportIntervalMs);
    await clock.advance(3 * reportIntervalMs);
    expect(applied).toHaveLength(2);
  });

  test('that is broken is said once, until it changes', async () => {
    put('table.json', '{');
    await start({}, nowhere);
    await until(() => log.some(({ event }) => event === 'bootstrap-refused'));
    for (let round = 0; round < 4; round += 1) await clock.advance(reportIntervalMs);
    expect(log.filter(({ event }) => event === 'bootstrap-refused')).toHaveLength(1);
    write('v1');
    await clock.advance(reportIntervalMs);
    await until(() => applied.length === 2);
  });
});
