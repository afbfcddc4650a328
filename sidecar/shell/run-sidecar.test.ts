import { createServer, type AddressInfo } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { call, chat, until } from '../../test/support/running-sidecar.ts';
import { describeEnvironment, parseProcessEnvironment } from './process-environment.ts';
import { runSidecar } from './run-sidecar.ts';

const good = {
  BELAY_DISTRIBUTOR: '127.0.0.1:1', BELAY_CHAINS: 'chat,suport', BELAY_POD_NAME: 'shop', BELAY_POD_UID: 'u', BELAY_POD_NAMESPACE: 'support', BELAY_POD_IP: '127.0.0.1', BELAY_LOG_LEVEL: 'warn',
};

describe('the environment of the process', () => {
  test.each([
    ['info', 'info'], ['warn', 'warn'], ['error', 'error'], ['', 'info'], [undefined, 'info'],
  ])('log level %j is %s', (written, level) => {
    expect(parseProcessEnvironment({ ...good, BELAY_LOG_LEVEL: written })).toMatchObject({ ok: true, value: { logLevel: level, podIp: '127.0.0.1', control: { namespace: 'support' } } });
  });

  test.each(['10.0.0.7', 'fd00::7'])('a pod may have address %s', (address) => {
    expect(parseProcessEnvironment({ ...good, BELAY_POD_IP: address })).toMatchObject({ ok: true, value: { podIp: address } });
  });

  test('all that is wrong is one sentence', () => {
    const read = parseProcessEnvironment({ ...good, BELAY_DISTRIBUTOR: 'https://x', BELAY_POD_UID: '', BELAY_POD_IP: 'shop', BELAY_LOG_LEVEL: 'debug' });
    expect(read.ok ? '' : describeEnvironment(read.problems)).toBe('This sidecar cannot run in this environment: '
      + 'BELAY_DISTRIBUTOR: must be host:port, such as belay.belay-system.svc:7443, not "https://x"; BELAY_POD_UID: must be set in the environment: the injection webhook sets it; '
      + 'BELAY_POD_IP: must be an IP address, not "shop"; BELAY_LOG_LEVEL: must be one of error, warn, info, not "debug".');
  });
});

describe('a process', () => {
  let folder = '';
  beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'belay-process-')); });
  afterEach(() => rmSync(folder, { recursive: true }));

  function run(environment: { readonly [name: string]: string }, port = 0) {
    const clock = new ManualClock();
    const lines: string[] = [];
    const said: string[] = [];
    let signal = (_name: string): void => undefined;
    const code = runSidecar({ environment, clock, wallClock: () => 0, random: () => 0.5, write: (text) => lines.push(text), complain: (text) => said.push(text), onSignal: (callback) => (signal = callback) },
      { port, adminPort: 0, files: { token: join(folder, 'token'), bootstrap: folder } });
    return { clock, lines, said, code, signal: (name: string) => signal(name) };
  }

  test('without its environment ends with 1 and says why', async () => {
    const { code, said, lines } = run({});
    expect(await code).toBe(1);
    expect(said).toEqual([expect.stringMatching(/^This sidecar cannot run .*BELAY_DISTRIBUTOR.*BELAY_POD_IP.*\.$/)]);
    expect(lines).toEqual([]);
  });

  test('whose port is taken ends with 1 and says which', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as AddressInfo;
    const { code, said, clock } = run(good, port);
    expect(await code).toBe(1);
    expect(said).toEqual([`This sidecar cannot listen: port ${port} on 127.0.0.1 is in use: stop what listens there, or choose another port.`]);
    expect(clock.armed).toBe(0);
    taken.close();
  });

  test('serves, degraded, while its distributor is away, and says why; a signal ends it with 0', async () => {
    const { code, lines, signal, clock } = run({ ...good, BELAY_LOG_LEVEL: 'info' });
    await until(() => lines.some((line) => line.includes('distributor-lost')));
    const { port, adminPort } = lines.map((line) => JSON.parse(line) as { event: string; port: number; adminPort: number }).find(({ event }) => event === 'serving-started')!;
    expect(await call(adminPort, { method: 'GET', path: '/ready' })).toMatchObject({ status: 503 });
    await clock.advance(5_000);
    expect(await call(adminPort, { method: 'GET', path: '/startup' })).toMatchObject({ status: 200 });
    expect(await call(adminPort, { method: 'GET', path: '/ready' })).toMatchObject({ status: 200 });
    const answer = await call(port, { body: chat() });
    expect(answer.status).toBe(503);
    expect(answer.body).toMatch(/No routing table has arrived yet: the distributor 127\.0\.0\.1:1 cannot be reached: the token .*token cannot be read: it is not there; and namespace support has no bootstrap copy that can be served\./);
    signal('SIGTERM');
    expect(await code).toBe(0);
    expect(clock.armed).toBe(0);
  });
});
