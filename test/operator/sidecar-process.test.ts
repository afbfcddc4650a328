import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createStandIn, type StandIn } from '../support/stand-in.ts';
import { chain, provider, startDistributor, type DistributorRig } from './distributor-rig.ts';
import { makePod, putSecret, requestToken, type MadePod } from './pods-and-tokens.ts';
import { until } from './until.ts';

let rig: DistributorRig;
let upstream: StandIn;
let pod: MadePod;
let folder = '';
let sidecar: ChildProcess;
let output = '';
let origin = '';

beforeAll(async () => {
  rig = await startDistributor([{ namespace: 'shop', names: ['openai'] }]);
  upstream = await createStandIn({ name: 'A', script: [{ say: 'hello' }] });
  pod = await makePod(rig.client, 'shop', 'web');
  await putSecret(rig.client, 'shop', 'openai', { apiKey: 'sk-1' });
  rig.serve('shop', { providers: [provider('openai', { baseURL: `${upstream.origin}/v1`, allowInsecureHTTP: true })], chains: [chain('chat', { name: 'openai' })] });
  await until(() => rig.secrets.state('shop', 'openai').kind === 'found');
  folder = mkdtempSync(join(tmpdir(), 'belay-pod-'));
  writeFileSync(join(folder, 'token'), await requestToken(rig.client, { namespace: 'shop', pod }));
  sidecar = spawn(process.execPath, [
    '--disable-warning=ExperimentalWarning', join(import.meta.dirname, '../../sidecar/main.ts'), '--port', '0', '--admin-port', '0', '--token-file', join(folder, 'token'), '--bootstrap-folder', folder,
  ], {
    env: {
      PATH: process.env['PATH'], BELAY_DISTRIBUTOR: `localhost:${rig.port}`, BELAY_CHAINS: '*', BELAY_POD_NAME: pod.name, BELAY_POD_UID: pod.uid, BELAY_POD_NAMESPACE: pod.namespace,
      BELAY_POD_IP: '127.0.0.1', BELAY_CA_CERTIFICATES: rig.authority.trusted(),
    },
  });
  for (const pipe of [sidecar.stdout, sidecar.stderr]) pipe?.on('data', (part: Buffer) => { output += part.toString(); });
  await until(() => /at (http:\/\/[\d.:]+)\/v1/.test(output));
  origin = /at (http:\/\/[\d.:]+)\/v1/.exec(output)![1]!;
}, 900_000);

afterAll(async () => {
  if (sidecar.exitCode === null) {
    const exited = new Promise((resolve) => sidecar.once('exit', resolve));
    sidecar.kill('SIGTERM');
    await exited;
  }
  rmSync(folder, { recursive: true, force: true });
  await upstream.close();
  await rig.close();
});

/** Asks the chain; resolves to the status, and to the key that the provider saw. */
async function ask(): Promise<{ readonly status: number; readonly key: string | undefined }> {
  const before = upstream.requests.length;
  const answer = await fetch(`${origin}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ model: 'chat', messages: [{ role: 'user', content: 'hi' }] }) });
  await answer.text();
  return { status: answer.status, key: upstream.requests[before]?.headers['authorization'] as string | undefined };
}

test('a sidecar in a pod answers with the chain and the key that its distributor sent', async () => {
  await until(() => rig.distributor.countSidecars('shop', 'chat').current === 1);
  expect(await ask()).toEqual({ status: 200, key: 'Bearer sk-1' });
  expect(rig.distributor.countSidecars('shop', 'chat')).toEqual({ connected: 1, current: 1, rejected: 0, lastError: '' });
});

test('a key that is rotated is what the next request carries, within a second', async () => {
  await putSecret(rig.client, 'shop', 'openai', { apiKey: 'sk-2' });
  const fromMs = performance.now();
  await until(async () => (await ask()).key === 'Bearer sk-2');
  expect(performance.now() - fromMs).toBeLessThan(1_000);
});

test('what it served is reported', async () => {
  await until(() => (rig.reports.get(pod.uid)?.[0]?.requests ?? 0) > 0);
  expect(rig.reports.get(pod.uid)).toMatchObject([{ name: 'chat', failed: 0, targets: [{ name: 'openai', lastFailure: null, breaker: 'closed' }] }]);
});

test('with the distributor killed requests go on, and with a new one it is connected again by itself, and current', async () => {
  await rig.stop();
  for (let n = 0; n < 5; n++) expect(await ask()).toEqual({ status: 200, key: 'Bearer sk-2' });
  await rig.startAgain();
  await until(() => rig.distributor.countSidecars('shop', 'chat').current === 1, 30_000);
  // What it holds already is not sent again.
  expect(rig.distributor.counters.pushes).toEqual({ endpoints: 0, keys: 0, hints: 0, table: 0 });
  expect(await ask()).toEqual({ status: 200, key: 'Bearer sk-2' });
}, 60_000);

test('a chain that is changed answers as it says now, over the new connection', async () => {
  rig.serve('shop', { chains: [chain('later', { name: 'openai' })] });
  await until(() => rig.distributor.countSidecars('shop', 'later').current === 1);
  expect((await ask()).status).toBe(404);
});

test('security promise 6: neither its log nor the distributor\'s holds a key or a token', () => {
  expect(output).toContain('table-applied');
  expect(output + JSON.stringify(rig.lines)).not.toMatch(/sk-\d|eyJ/);
});
