import { afterEach, describe, expect, test } from '@jest/globals';
import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Secret, type ChainReport } from '@belay/contract';
import { scriptedClient } from '../../../test/kube/scripted-client.ts';
import { realClock } from '../../../test/kube/real-clock.ts';
import { helloOf, openStream, type StreamClient, type StreamClientOptions } from '../../../test/operator/stream-client.ts';
import { until } from '../../../test/operator/until.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { chainEntry, providerEntry, routingTable, targetEntry } from '../../../test/support/made-up-table.ts';
import { testCa as ca, testCertificate, testKey } from '../../../test/support/test-certificates.ts';
import type { NamespaceContent } from '../../core/distribute/select-resources.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { LogLine } from '../log.ts';
import { createDistributor, type Distributor, type DistributorOptions } from './create-distributor.ts';

const content = (deadlineMs = 1_000, key = 'sk-1'): NamespaceContent => ({
  tables: [routingTable([chainEntry('chat', [targetEntry('openai')], { deadlineMs })], [providerEntry('openai', { needsKey: true })])],
  keys: [{ provider: 'openai', origin: 'https://openai.example', secret: new Secret(key), version: key.slice(3) }], endpoints: [], hints: [],
});
/** Tokens name their pods: `e30.POD.s`. */
const tokenOf = (pod: string) => `e30.${pod}.s`;
const reviewing = (answer: (pod: string) => object): KubeClient => ({
  ...scriptedClient([], []).client,
  create: async <T extends KubeObject>(_place: unknown, body: unknown) => {
    const { spec: { token } } = body as { readonly spec: { readonly token: string } };
    return { metadata: { name: '' }, status: answer(token.split('.')[1]!) } as object as T;
  },
});
const accepted = (pod: string) => ({
  authenticated: true, audiences: ['belay.dev'],
  user: { username: `system:serviceaccount:${pod.split('-')[0]}:default`, groups: ['system:serviceaccounts'], extra: { 'authentication.kubernetes.io/pod-name': [pod], 'authentication.kubernetes.io/pod-uid': [`uid-${pod}`] } },
});

const running: { close(): Promise<void> | void }[] = [];
afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.close();
});

interface Rig {
  readonly distributor: Distributor;
  readonly port: number;
  readonly lines: readonly LogLine[];
  readonly told: readonly unknown[];
  open(pod: string, more?: Partial<StreamClientOptions>): StreamClient;
}

async function start(more: Partial<DistributorOptions> = {}): Promise<Rig> {
  const lines: LogLine[] = [];
  const told: unknown[] = [];
  const distributor = createDistributor({
    client: reviewing(accepted), clock: realClock, wallClock: Date.now, random: () => 0.5, log: (line) => lines.push(line),
    authority: { leaf: () => ({ cert: testCertificate, key: testKey }), onChange: () => () => undefined },
    onReport: (identity, chains) => told.push([identity, chains]), onGone: (identity) => told.push(['gone', identity]), onNamespaceWanted: (namespace) => told.push(['wanted', namespace]), ...more,
  });
  running.push(distributor);
  const port = await distributor.listen('127.0.0.1', 0);
  return {
    distributor, port, lines, told,
    open(pod, options = {}) {
      const client = openStream({ port, ca, token: tokenOf(pod), ...options });
      running.push(client);
      return client;
    },
  };
}

/** A sidecar of namespace `shop` that has been given everything. */
async function served(rig: Rig, pod = 'shop-1'): Promise<StreamClient> {
  const client = rig.open(pod);
  client.ackAll();
  client.send(helloOf(pod, `uid-${pod}`));
  await until(() => client.newest('table') !== undefined);
  return client;
}

test('a sidecar gets its namespace\'s resources, and what changes later', async () => {
  const rig = await start();
  rig.distributor.synced();
  rig.distributor.publish('shop', content());
  const client = await served(rig);
  expect(client.frames).toMatchObject([{ type: 'endpoints' }, { type: 'keys' }, { type: 'hints' }, { type: 'table' }]);
  expect(client.newest('keys')).toMatchObject({ data: { ok: true, value: [{ provider: 'openai', origin: 'https://openai.example' }] } });
  rig.distributor.publish('shop', content(2_000, 'sk-2'));
  await until(() => client.frames.length === 6);
  expect(client.newest('table')).toMatchObject({ data: { chains: [{ deadlineMs: 2_000 }] } });
  await until(() => rig.distributor.countSidecars('shop', 'chat').current === 1);
  expect(rig.distributor.counters).toMatchObject({ accepted: 1, streamsOpened: 1, reviews: 1, acks: 6, nacks: 0, pushes: { endpoints: 1, keys: 2, hints: 1, table: 2 } });
});

test('before everything has synced a sidecar is answered and given nothing', async () => {
  const rig = await start();
  rig.distributor.publish('shop', content());
  const client = rig.open('shop-1');
  client.send(helloOf('shop-1', 'uid-shop-1'));
  expect(await client.status).toBe(200);
  await until(() => rig.distributor.connected() === 1);
  expect([client.frames, rig.told]).toEqual([[], []]);
  rig.distributor.synced();
  await until(() => rig.told.length === 1);
  rig.distributor.publish('shop', content());
  await until(() => client.frames.length === 4);
  expect(rig.told).toEqual([['wanted', 'shop']]);
});

test('reports are handed on with the identity of the token', async () => {
  const rig = await start();
  const client = rig.open('shop-1');
  const chains: readonly ChainReport[] = [{ name: 'chat', requests: 1, failed: 0, targets: [] }];
  client.send(helloOf('shop-1', 'uid-shop-1'));
  client.send({ frame: 'report', chains });
  await until(() => rig.told.length > 0);
  expect(rig.told).toEqual([[{ namespace: 'shop', pod: 'shop-1', uid: 'uid-shop-1' }, chains]]);
});

test('what a sidecar refuses is logged in its words, counted, and no key stands in it', async () => {
  const rig = await start();
  rig.distributor.synced();
  rig.distributor.publish('shop', content());
  const client = rig.open('shop-1');
  client.send(helloOf('shop-1', 'uid-shop-1'));
  await until(() => client.newest('table') !== undefined);
  client.send({ frame: 'nack', nonce: client.newest('table')!.nonce, error: 'chains[0]: bad' });
  await until(() => rig.distributor.countSidecars('shop', 'chat').rejected === 1);
  expect(rig.lines).toEqual([{ level: 'warn', event: 'snapshot-refused', namespace: 'shop', pod: 'shop-1', message: 'The sidecar of pod shop/shop-1 refused what it was sent, and serves what it had: chains[0]: bad.' }]);
  expect(JSON.stringify([rig.lines, rig.distributor.counters])).not.toContain('sk-1');
});

describe('a request for no stream is answered', () => {
  test.each<[string, Partial<StreamClientOptions>, number, string]>([
    ['404 at another path', { headers: { ':path': '/' } }, 404, 'There is nothing at this path: a sidecar asks for POST /v1/stream.\n'],
    ['405 by another method', { headers: { ':method': 'GET' } }, 405, '/v1/stream takes POST alone.\n'],
    ['415 as another content type', { headers: { 'content-type': 'application/json' } }, 415, '/v1/stream takes frames as application/x-ndjson alone: set content-type so.\n'],
    ['401 with no bearer token', { headers: { authorization: 'Basic eA==' } }, 401, 'There is no token: send the pod\'s projected token as authorization: Bearer TOKEN.\n'],
    ['401 with garbage', { token: 'garbage' }, 401, 'The token is none of a pod: send the pod\'s projected token of audience belay.dev.\n'],
  ])('%s', async (_, options, status, sentence) => {
    const rig = await start();
    const client = rig.open('shop-1', options);
    expect([await client.status, await client.ended]).toEqual([status, sentence]);
    expect(rig.distributor.counters).toMatchObject({ refused: { [status]: 1 }, reviews: 0, streamsOpened: 0 });
    await until(() => client.session.closed);
  });

  test('503 where the API server cannot be asked, and is accepted once it can', async () => {
    let up = false;
    const rig = await start({ client: { ...scriptedClient([], []).client, create: (...args: Parameters<KubeClient['create']>) => (up ? reviewing(accepted).create(...args) : Promise.reject(new Error('connect ECONNREFUSED'))) } as KubeClient });
    const refused = rig.open('shop-1');
    expect([await refused.status, await refused.ended]).toEqual([503, 'The API server could not be asked about the token: come back later.\n']);
    expect(rig.lines).toMatchObject([{ level: 'error', event: 'token-review-failed' }]);
    up = true;
    expect(await rig.open('shop-1').status).toBe(200);
  });
});

describe('security promise 10: a connection is closed', () => {
  const reasons = (rig: Rig) => rig.lines.map(({ message }) => message);

  test.each<[string, (client: StreamClient) => void, string]>([
    ['whose line is no frame', (client) => void client.stream.write('hello\n'), 'it sent a bad frame: a frame must be one line of JSON, and these 5 characters are not'],
    ['whose line never ends', (client) => { client.send(helloOf('shop-1', 'uid-shop-1')); client.stream.write('x'.repeat(300_000)); }, 'it sent a bad frame: a frame must be at most 262144 characters long, and this one is longer'],
    ['whose line is wrong in a thousand places', (client) => void client.stream.write(`${JSON.stringify({ frame: 'report', chains: Array(1_000).fill(1) })}\n`), 'it sent a bad frame: chains[0]: must be an object, not another number; chains[1]: must be an object, not another number; chains[2]: must be an object, not another number; and 997 more'],
    ['that asks for a hundred thousand versions', (client) => client.send(helloOf('shop-1', 'uid-shop-1', { schemaVersions: Array(130_000).fill(2) })), 'it sent a bad frame: schemaVersions: must list at most 32 versions, not 130000'],
    ['of another pod than its token', (client) => client.send(helloOf('shop-2', 'uid-shop-2')), 'its hello names another pod than its token, which is of shop-1'],
    ['that sends more than can be read', (client) => { client.send(helloOf('shop-1', 'uid-shop-1')); for (let n = 0; n < 6; n++) client.stream.write(`${JSON.stringify({ frame: 'later', text: 'x'.repeat(200_000) })}\n`); }, 'it sends more than 1048576 characters a second'],
    ['that sends frame after frame', (client) => { client.send(helloOf('shop-1', 'uid-shop-1')); for (let n = 0; n < 300; n++) client.send({ frame: 'ack', nonce: '9' }); }, 'it sends more than 200 frames a second'],
  ])('%s', async (_, say, reason) => {
    const rig = await start();
    const client = rig.open('shop-1');
    await client.status;
    say(client);
    await client.ended;
    expect(reasons(rig)).toEqual([`The connection of pod shop/shop-1 was closed: ${reason}.`]);
    expect(rig.distributor.connected()).toBe(0);
  });

  test('at whose frame Belay itself fails, and no other', async () => {
    const rig = await start({ onReport: () => { throw new Error('a bug'); } });
    const [bad, good] = [rig.open('shop-1'), rig.open('shop-2')];
    bad.send(helloOf('shop-1', 'uid-shop-1'));
    bad.send({ frame: 'report', chains: [] });
    await bad.ended;
    expect(await good.status).toBe(200);
    expect(rig.lines).toMatchObject([{ level: 'error', event: 'stream-crashed', cause: expect.stringMatching(/^Error: a bug\n/) }, { event: 'sidecar-dismissed' }]);
    expect(rig.distributor.connected()).toBe(1);
  });

  test('the oldest of a pod that opens too many', async () => {
    const rig = await start({ limits: { connectionsPerPod: 2 } });
    const [first, second, third] = [rig.open('shop-1'), rig.open('shop-1'), rig.open('shop-1')];
    await Promise.all([first.status, second.status, third.status]);
    await first.ended;
    expect([rig.distributor.connected(), reasons(rig)]).toEqual([2, ['The connection of pod shop/shop-1 was closed: its pod has opened too many others.']]);
  });
});

test.each([['a stream', true], ['no stream and no token', false]])('security promise 10: whoever floods HTTP/2 itself is cut off, with %s', async (_, asks) => {
  const rig = await start({ limits: { bytesPerSecond: 10_000 } });
  const client = rig.open('shop-1');
  const session = asks ? client.session : connectHttp2(`https://127.0.0.1:${rig.port}`, { ca, servername: 'localhost' });
  session.on('error', () => undefined);
  expect(await client.status).toBe(200);
  const ended = new Promise((resolve) => session.once('close', resolve));
  const flood = (): void => { if (!session.destroyed) session.ping(() => setImmediate(flood)); };
  for (let n = 0; n < 5; n++) session.ping(flood);
  await ended;
  const told = () => rig.lines.map(({ event, message }) => `${event}: ${message}`);
  expect(told().filter((line) => line.startsWith('floods'))).toEqual(['floods-closed: 1 connections were closed that sent more than 10000 bytes in a second, from 127.0.0.1.']);
  await until(() => rig.distributor.connected() === (asks ? 0 : 1));
});

describe('a sidecar that does not read', () => {
  const wide = (deadlineMs: number): NamespaceContent => ({ ...content(deadlineMs), tables: [routingTable([chainEntry('chat', [targetEntry('openai')], { deadlineMs })], [providerEntry('openai', { needsKey: true, headers: [{ name: 'x', value: 'y'.repeat(3_000_000) }] })], { version: String(deadlineMs) })] });
  const startStuck = async (more: Partial<DistributorOptions> = {}) => {
    const rig = await start(more);
    rig.distributor.synced();
    rig.distributor.publish('shop', wide(1));
    const client = rig.open('shop-1');
    client.ackAll();
    client.stream.pause();
    client.send(helloOf('shop-1', 'uid-shop-1'));
    await until(() => rig.distributor.counters.pushes.table === 1);
    return { rig, client };
  };

  test('is given nothing more, and the latest alone once it reads', async () => {
    const { rig, client } = await startStuck();
    for (let deadlineMs = 2; deadlineMs < 40; deadlineMs++) rig.distributor.publish('shop', { ...wide(deadlineMs), keys: content(1, `sk-${deadlineMs}`).keys });
    expect(rig.distributor.counters.pushes).toMatchObject({ keys: 1, table: 1 });
    client.stream.resume();
    await until(() => (client.newest('table')?.data as { chains: { deadlineMs: number }[] } | undefined)?.chains[0]?.deadlineMs === 39);
    expect(rig.distributor.counters.pushes.table).toBe(2);
  });

  test('is let go after 10 s', async () => {
    const clock = new ManualClock();
    const { rig, client } = await startStuck({ clock });
    await clock.advance(9_000);
    expect(rig.distributor.connected()).toBe(1);
    await clock.advance(2_000);
    expect(rig.distributor.connected()).toBe(0);
    expect(rig.lines.map(({ message }) => message)).toEqual(['The connection of pod shop/shop-1 was closed: more than 1048576 bytes have waited in its socket for 10 s.']);
    client.stream.resume();
    await client.ended;
  });
});

describe('draining', () => {
  test('asks all to go, takes nobody new, and ends when the last has gone', async () => {
    const rig = await start();
    rig.distributor.synced();
    rig.distributor.publish('shop', content());
    const client = await served(rig);
    const drained = rig.distributor.drain(60_000);
    await until(() => client.frames.at(-1)?.frame === 'goaway');
    const late = rig.open('shop-2');
    expect(await late.status).toBe(0);
    client.close();
    await drained;
    expect(rig.told).toEqual([]);
  });

  test('ends at the end of its grace', async () => {
    const rig = await start();
    const client = rig.open('shop-1');
    await client.status;
    await rig.distributor.drain(50);
    await client.ended;
  });
});

describe('whoever speaks no TLS 1.3 or no HTTP/2', () => {
  test('is not let in with TLS 1.2', async () => {
    const rig = await start();
    const socket = connectTls({ port: rig.port, host: '127.0.0.1', ca, servername: 'localhost', maxVersion: 'TLSv1.2', ALPNProtocols: ['h2'] });
    const error = await new Promise<Error & { code?: string }>((resolve) => socket.once('error', resolve));
    expect(error.code).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
    await until(() => rig.distributor.counters.handshakesFailed === 1);
  });

  test('costs no more than a failed handshake', async () => {
    const rig = await start();
    const socket = connectTcp({ port: rig.port, host: '127.0.0.1' });
    socket.on('error', () => undefined).resume().write('GET / HTTP/1.1\r\n\r\n');
    await new Promise((resolve) => socket.once('close', resolve));
    expect(rig.distributor.counters).toMatchObject({ accepted: 1, handshakesFailed: 1 });
  });
});

test('connections are let through at the rate that is set', async () => {
  const rig = await start({ limits: { acceptsPerSecond: 20 } });
  const startedMs = performance.now();
  const statuses = await Promise.all(Array.from({ length: 12 }, (_, n) => rig.open(`shop-${n}`).status));
  expect(statuses).toEqual(Array(12).fill(200));
  // Two at once, and ten at 50 ms each.
  expect(performance.now() - startedMs).toBeGreaterThan(490);
});

test('of more connections than may be there the last are cut off', async () => {
  const rig = await start({ limits: { connections: 2 } });
  await Promise.all(['shop-1', 'shop-2'].map((pod) => rig.open(pod).status));
  expect([await rig.open('shop-3').status, rig.distributor.counters.turnedAway]).toEqual([0, 1]);
});

describe('in time', () => {
  test('a pod is gone 15 s after its last connection, and not where it has another', async () => {
    const clock = new ManualClock();
    const rig = await start({ clock });
    const [first, other] = [rig.open('shop-1'), rig.open('shop-2')];
    await Promise.all([first.status, other.status]);
    await until(() => rig.distributor.connected() === 2);
    first.close();
    other.close();
    await until(() => rig.distributor.connected() === 0);
    await clock.advance(14_000);
    await rig.open('shop-2').status;
    await clock.advance(60_000);
    expect(rig.told).toEqual([['gone', { namespace: 'shop', pod: 'shop-1', uid: 'uid-shop-1' }]]);
  });

  test('a token that is valid no more after ten minutes is asked to go, and cut off; one that nobody can judge stays', async () => {
    const clock = new ManualClock();
    let reviewer: KubeClient = reviewing(accepted);
    const rig = await start({ clock, client: { ...scriptedClient([], []).client, create: (...args: Parameters<KubeClient['create']>) => reviewer.create(...args) } as KubeClient });
    const [client, other] = [rig.open('shop-1'), rig.open('shop-2')];
    await Promise.all([client.status, other.status]);
    await until(() => rig.distributor.connected() === 2);
    client.send(helloOf('shop-1', 'uid-shop-1'));
    other.send(helloOf('shop-2', 'uid-shop-2'));
    const keepAlive = async (ms: number): Promise<void> => {
      for (let passed = 0; passed < ms; passed += 20_000) {
        const before = rig.told.length;
        for (const one of [client, other]) one.send({ frame: 'report', chains: [] });
        await until(() => rig.told.length === before + 2);
        await clock.advance(20_000);
      }
    };
    await keepAlive(580_000);
    expect(rig.distributor.counters.reviews).toBe(2);
    reviewer = reviewing(() => { throw new Error('down'); });
    await keepAlive(40_000);
    await until(() => rig.distributor.counters.reviewsFailed === 2);
    reviewer = reviewing((pod) => (pod === 'shop-1' ? { authenticated: false } : accepted(pod)));
    await keepAlive(60_000);
    await until(() => client.frames.some(({ frame }) => frame === 'goaway'));
    await clock.advance(16_000);
    await client.ended;
    expect([rig.distributor.connected(), other.frames.some(({ frame }) => frame === 'goaway')]).toEqual([1, false]);
    expect(JSON.stringify(rig.lines)).not.toContain(tokenOf('shop-1'));
  });

  test('closing leaves no timer', async () => {
    const clock = new ManualClock();
    const rig = await start({ clock });
    const client = rig.open('shop-1');
    await client.status;
    await rig.distributor.close();
    await client.ended;
    await until(() => clock.armed === 0);
  });

  test('a connection that asks for nothing is closed after 10 s', async () => {
    const clock = new ManualClock();
    const rig = await start({ clock });
    const session = connectHttp2(`https://127.0.0.1:${rig.port}`, { ca, servername: 'localhost' });
    await new Promise((resolve) => session.once('connect', resolve));
    await until(() => clock.armed > 1);
    const closed = new Promise((resolve) => session.once('close', resolve));
    await clock.advance(10_000);
    await closed;
  });
});

test('a second request of one session is refused, also of a client that asks for both at once', async () => {
  const rig = await start();
  const first = rig.open('shop-1');
  const second = first.session.request({ ':method': 'POST', ':path': '/v1/stream', 'content-type': 'application/x-ndjson', authorization: `Bearer ${tokenOf('shop-2')}` }, { endStream: false });
  const error = await new Promise<Error>((resolve) => second.once('error', resolve));
  expect(error.message).toContain('NGHTTP2_REFUSED_STREAM');
  expect([await first.status, rig.distributor.connected()]).toEqual([200, 1]);
});

test('a token of 20 KB is not asked about, before and after the client knows the limit', async () => {
  const rig = await start();
  const early = rig.open('x'.repeat(20_000));
  expect([await early.status, await early.ended]).toEqual([431, 'The headers must have at most 16384 bytes together.\n']);
  const session = connectHttp2(`https://127.0.0.1:${rig.port}`, { ca, servername: 'localhost' });
  running.push({ close: () => session.destroy() });
  session.on('error', () => undefined);
  await new Promise((resolve) => session.once('remoteSettings', resolve));
  const stream = session.request({ ':method': 'POST', ':path': '/v1/stream', 'content-type': 'application/x-ndjson', authorization: `Bearer ${tokenOf('x'.repeat(20_000))}` });
  const error = await new Promise<Error>((resolve) => stream.once('error', resolve));
  expect(error.message).toContain('NGHTTP2_ENHANCE_YOUR_CALM');
  expect(rig.distributor.counters).toMatchObject({ reviews: 0, streamsOpened: 0 });
});
