import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { Secret, type KeyEntry, type ProviderEntry, type Resource, type RoutingTable } from '@belay/contract';
import { until } from '../support/belay-process.ts';
import { sendChat } from '../support/chat-client.ts';
import { chainEntry, providerEntry, routingTable, targetEntry } from '../support/made-up-table.ts';
import { bundledSidecar, startSidecarProcess, type SidecarProcess, type SidecarProcessOptions } from '../support/sidecar-process.ts';
import { createStandInDistributor, type DistributorOptions, type StandInDistributor } from '../support/stand-in-distributor.ts';
import { createStandIn, type StandIn } from '../support/stand-in.ts';
import { readAttempt } from '../support/stand-in-script.ts';
import { nextTestCa, nextTestCertificate, nextTestKey, testCa } from '../support/test-certificates.ts';

jest.setTimeout(60_000);

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function standIn(name: string, ...script: readonly unknown[]): Promise<StandIn> {
  const made = await createStandIn({ name, script: script.map((entry, index) => readAttempt(entry, `entry ${index}`)) });
  closers.push(() => made.close());
  return made;
}

async function distributed(options: DistributorOptions = {}): Promise<StandInDistributor> {
  const made = await createStandInDistributor(options);
  closers.push(() => made.kill());
  return made;
}

async function sidecar(options: SidecarProcessOptions): Promise<SidecarProcess> {
  const made = await startSidecarProcess(options);
  closers.push(() => made.close());
  return made;
}

/** Chain `chat` over these stand-ins, in their order, under a version of its own. */
function tableOf(version: string, standIns: { readonly [name: string]: StandIn }, more: { readonly [name: string]: Partial<ProviderEntry> } = {}): RoutingTable {
  const names = Object.keys(standIns);
  const providers = names.map((name) => providerEntry(name, { address: `${standIns[name]?.origin}/v1`, allowInsecureHTTP: true, ...more[name] }));
  return routingTable([chainEntry('chat', names.map((name) => targetEntry(name)))], providers, { version });
}

const table = (data: RoutingTable): Resource => ({ type: 'table', version: data.version, data });
const keys = (version: string, ...data: readonly KeyEntry[]): Resource => ({ type: 'keys', version, data });
const keyFor = (provider: string, origin: string, value = `key-of-${provider}`): KeyEntry => ({ provider, origin, secret: new Secret(value), version: value });
const ask = ({ baseUrl }: SidecarProcess, body: object = {}) => sendChat({ baseUrl, body: { model: 'chat', messages: [{ role: 'user', content: 'Say the words.' }], ...body } });

describe('a sidecar in a pod', () => {
  test('connects, serves what is delivered, tells what it runs and what it counted', async () => {
    const [a, b] = [await standIn('A', { status: 503 }), await standIn('B', { say: 'Bravo' })];
    const distributor = await distributed({ resources: [table(tableOf('sha256:1', { a, b }))] });
    const pod = await sidecar({ distributorPort: distributor.port });
    await until('the table is acknowledged', () => distributor.frames('ack').length === 1);
    expect(distributor.hello()).toMatchObject({ pod: 'shop-1', uid: 'uid-of-shop-1', chains: ['*'] });
    expect([await pod.probe('/startup'), await pod.probe('/ready'), await pod.probe('/live')]).toEqual([200, 200, 200]);
    expect(await ask(pod)).toMatchObject({ status: 200, text: 'Bravo' });
    await until('the report tells of it', () => distributor.lastReport()?.chains[0]?.requests === 1);
    expect(distributor.lastReport()?.chains).toEqual([{
      name: 'chat', requests: 1, failed: 0, targets: [
        { name: 'a', served: 0, attempts: expect.any(Number), failures: expect.any(Number), lastFailure: 'Overload', breaker: 'closed', firstContentP50Ms: null },
        { name: 'b', served: 1, attempts: 1, failures: 0, lastFailure: null, breaker: 'closed', firstContentP50Ms: expect.any(Number) },
      ],
    }]);
  });

  test('refuses a table that it cannot serve, in words, and serves the last good one', async () => {
    const a = await standIn('A', { say: 'Alpha' });
    const good = tableOf('sha256:1', { a });
    const distributor = await distributed({ resources: [table(good)] });
    const pod = await sidecar({ distributorPort: distributor.port });
    await until('the table is acknowledged', () => distributor.frames('ack').length === 1);
    distributor.publish(table({ ...good, version: 'sha256:2', chains: [...good.chains, ...good.chains] }));
    await until('it is refused', () => distributor.frames('nack').length === 1);
    expect(distributor.frames('nack')[0]?.error).toContain('chains[1].name: must be unique');
    expect(await ask(pod)).toMatchObject({ status: 200, text: 'Alpha' });
    expect(await pod.page('/belay/table')).toContain('sha256:1');
  });

  test('beside an operator of later releases reads past what it does not know, refuses what it cannot read, and serves on what that operator cannot say to it', async () => {
    const a = await standIn('A', { say: 'Alpha' });
    const served = tableOf('sha256:1', { a });
    const later = JSON.parse(JSON.stringify(served), (_, value: unknown) => (typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value, fromALaterRelease: { at: 'all' } } : value)) as RoutingTable;
    const distributor = await distributed({ resources: [table(later)] });
    const pod = await sidecar({ distributorPort: distributor.port });
    await until('the table is acknowledged', () => distributor.frames('ack').length === 1);
    distributor.write('{"frame":"quota","of":"a later release"}\n{"frame":"snapshot","type":"prices","version":"1","nonce":"p","data":[]}\n');
    expect(await ask(pod)).toMatchObject({ status: 200, text: 'Alpha' });

    distributor.publish(table({ ...served, version: 'sha256:2', schemaVersion: 2 as 1 }));
    await until('it is refused', () => distributor.frames('nack').length === 1);
    expect(distributor.frames('nack')[0]?.error).toBe('schemaVersion: must be 1, the schema version that this release reads, not 2');
    expect(await ask(pod)).toMatchObject({ status: 200, text: 'Alpha' });

    const why = 'chain chat uses what a sidecar of this release cannot do: restart the pod to give it a newer one';
    distributor.publish(table({ ...served, version: 'sha256:3', chains: served.chains.map((chain) => ({ ...chain, targets: [], unroutable: why })) }));
    await until('it is acknowledged', () => distributor.frames('ack').length === 2);
    expect(await ask(pod)).toMatchObject({ status: 200, text: 'Alpha' });
    expect(JSON.parse(await pod.page('/belay/table'))).toMatchObject({ version: 'sha256:3' });
    console.log(distributor.frames('nack')[0]?.error, pod.lines().filter(({ level }) => level !== 'info').map(({ message }) => message));
    expect(distributor.streams).toHaveLength(1);
  });

  test('goes on while the distributor is away, and finds it again by itself', async () => {
    const a = await standIn('A', { say: 'Alpha' });
    const distributor = await distributed({ resources: [table(tableOf('sha256:1', { a }))] });
    const pod = await sidecar({ distributorPort: distributor.port });
    await until('the table is acknowledged', () => distributor.frames('ack').length === 1);
    await distributor.kill();
    await until('it says so', () => pod.lines().some(({ event }) => event === 'distributor-lost'));
    for (let nth = 0; nth < 20; nth += 1) expect(await ask(pod)).toMatchObject({ status: 200, text: 'Alpha' });
    expect([await pod.probe('/ready'), await pod.probe('/live')]).toEqual([200, 200]);
    await distributor.listen();
    await until('it is back', () => distributor.frames('hello').length === 2);
    expect(distributor.hello()?.have.table).toBe('sha256:1');
  });

  test('a token that was replaced, and a CA that was, are read again', async () => {
    const a = await standIn('A', { say: 'Alpha' });
    const distributor = await distributed({ resources: [table(tableOf('sha256:1', { a }))], answer: (token) => (token === 'the.second.token' ? 200 : 401) });
    const pod = await sidecar({ distributorPort: distributor.port });
    await until('the first token is refused', () => distributor.streams.length > 0);
    pod.putToken('the.second.token');
    await until('the second is taken', () => distributor.frames('ack').length === 1);
    distributor.useCertificate({ cert: nextTestCertificate, key: nextTestKey });
    distributor.current()?.session.destroy();
    await until('the new leaf is refused', () => pod.output().includes('of no CA that is known here'));
    pod.putBootstrap({ certificates: `${testCa}${nextTestCa}` });
    await until('the new CA is trusted', () => distributor.frames('hello').length === 2);
    expect(await ask(pod)).toMatchObject({ status: 200 });
  });

  test('a chain that its annotation asks for and that is not there is said', async () => {
    const distributor = await distributed({ resources: [table(routingTable([], [], { version: 'sha256:1' }))] });
    const pod = await sidecar({ distributorPort: distributor.port, chains: 'suport-chat' });
    await until('the table is acknowledged', () => distributor.frames('ack').length === 1);
    expect(await ask(pod, { model: 'gpt-4o' })).toMatchObject({
      status: 404, error: { message: '"gpt-4o" is in no chain: annotation belay.dev/inject of this pod asks for suport-chat, which does not exist in namespace support.' },
    });
  });

  test('SIGTERM lets a running stream end, and leaves the distributor', async () => {
    const a = await standIn('A', { sse: [{ role: true }, { repeat: 30, items: [{ text: 'word ' }, { wait: 25 }] }, { finish: 'stop' }, { done: true }] });
    const distributor = await distributed({ resources: [table(tableOf('sha256:1', { a }))] });
    const pod = await sidecar({ distributorPort: distributor.port });
    await until('the table is acknowledged', () => distributor.frames('ack').length === 1);
    const running = ask(pod, { stream: true });
    await until('it is with the provider', () => a.requests.length === 1);
    pod.kill('SIGTERM');
    expect(await running).toMatchObject({ text: 'word '.repeat(30), end: 'normal', done: 1 });
    expect(await pod.exited).toEqual({ code: 0, signal: null });
    expect(distributor.current()).toBeUndefined();
  });

  test('a wrong environment ends it with one sentence', async () => {
    await expect(startSidecarProcess({ distributorPort: 1, chains: 'a,*', env: { BELAY_POD_IP: '' } })).rejects.toThrow(
      'This sidecar cannot run in this environment: BELAY_CHAINS: must be * alone, or names of chains separated by commas, at least one; BELAY_POD_IP: must be set in the environment: the injection webhook sets it.');
  });
});

describe('keys', () => {
  test('until they come a keyed target is left out, and a keyless one answers', async () => {
    const [a, b] = [await standIn('A', { say: 'Alpha' }), await standIn('B', { say: 'Bravo' })];
    const distributor = await distributed({ resources: [table(tableOf('sha256:1', { a, b }, { a: { needsKey: true } }))] });
    const pod = await sidecar({ distributorPort: distributor.port });
    await until('the table is acknowledged', () => distributor.frames('ack').length === 1);
    expect(await ask(pod)).toMatchObject({ status: 200, text: 'Bravo', headers: { 'x-belay-reason': 'a left out: KeyNotDelivered' } });
    distributor.publish(keys('k1', keyFor('a', a.origin)));
    await until('the keys are acknowledged', () => distributor.frames('ack').length === 2);
    expect(await ask(pod)).toMatchObject({ status: 200, text: 'Alpha' });
    distributor.publish(keys('k2', keyFor('a', a.origin, 'another-key')));
    await until('the next keys are acknowledged', () => distributor.frames('ack').length === 3);
    await ask(pod);
    expect(a.requests.map(({ headers }) => headers['authorization'])).toEqual(['Bearer key-of-a', 'Bearer another-key']);
    for (const text of [pod.output(), await pod.page('/belay/table'), await pod.page('/belay/health'), await pod.page('/belay/decisions')]) expect(text).not.toMatch(/key-of-a|another-key|the\.first\.token/);
  });

  test('keys that are taken back are not sent any more', async () => {
    const a = await standIn('A', { say: 'Alpha' });
    const distributor = await distributed({ resources: [keys('k1', keyFor('a', a.origin)), table(tableOf('sha256:1', { a }, { a: { needsKey: true } }))] });
    const pod = await sidecar({ distributorPort: distributor.port });
    await until('all is acknowledged', () => distributor.frames('ack').length === 2);
    expect(await ask(pod)).toMatchObject({ status: 200 });
    distributor.publish(keys('k2'));
    await until('that is acknowledged', () => distributor.frames('ack').length === 3);
    expect(await ask(pod)).toMatchObject({ status: 503, error: { message: expect.stringContaining('a KeyNotDelivered (provider a)') } });
    expect(a.requests).toHaveLength(1);
  });
});

describe('the bootstrap copy', () => {
  test('starts a pod while the distributor is away: keyed targets are left out, keyless ones answer', async () => {
    const [a, b] = [await standIn('A', { say: 'Alpha' }), await standIn('B', { say: 'Bravo' })];
    const distributor = await distributed({ resources: [keys('k1', keyFor('a', a.origin))] });
    await distributor.kill();
    const pod = await sidecar({ distributorPort: distributor.port, bootstrap: { table: tableOf('sha256:1', { a, b }, { a: { needsKey: true } }), endpoints: [], certificates: testCa }, env: { BELAY_CA_CERTIFICATES: '' } });
    await until('it is started', async () => (await pod.probe('/startup')) === 200, 3_000);
    expect(await ask(pod)).toMatchObject({ status: 200, text: 'Bravo', headers: { 'x-belay-reason': 'a left out: KeyNotDelivered' } });
    await distributor.listen();
    await until('keys come', () => distributor.frames('ack').length === 1);
    expect(await ask(pod)).toMatchObject({ status: 200, text: 'Alpha' });
  });

  test('that somebody edited to send requests elsewhere gets no key, and gives way to what is delivered', async () => {
    const [a, thief] = [await standIn('A', { say: 'Alpha' }), await standIn('Thief', { say: 'Thief' })];
    const edited = tableOf('sha256:1', { a: thief }, { a: { needsKey: true } });
    const distributor = await distributed({ resources: [keys('k1', keyFor('a', a.origin))] });
    const pod = await sidecar({ distributorPort: distributor.port, bootstrap: { table: edited, endpoints: [], certificates: '' } });
    await until('keys come, and the edited table runs', async () => distributor.frames('ack').length === 1 && (await pod.page('/belay/table')).includes(thief.origin));
    expect(await ask(pod)).toMatchObject({ status: 503, error: { message: expect.stringContaining('KeyNotDelivered') } });
    expect(thief.requests).toHaveLength(0);
    distributor.publish(table(tableOf('sha256:1', { a }, { a: { needsKey: true } })));
    await until('the right table is acknowledged', () => distributor.frames('ack').length === 2);
    expect(await ask(pod)).toMatchObject({ status: 200, text: 'Alpha' });
    expect(a.requests.map(({ headers }) => headers['authorization'])).toEqual(['Bearer key-of-a']);
    expect(thief.requests).toHaveLength(0);
  });

  test('without one, and without a distributor, a pod starts degraded after 5 s, is ready, and says what is missing', async () => {
    const distributor = await distributed();
    await distributor.kill();
    const pod = await sidecar({ distributorPort: distributor.port });
    expect(await pod.probe('/startup')).toBe(503);
    await until('it is started', async () => (await pod.probe('/startup')) === 200, 8_000);
    expect(await pod.probe('/ready')).toBe(200);
    expect(await ask(pod)).toMatchObject({ status: 503, error: { message: expect.stringMatching(/^No routing table has arrived yet: the distributor localhost:\d+ cannot be reached: connection refused; and namespace support has no bootstrap copy/) } });
  });
});

test('the bundled program serves, and is small when idle', async () => {
  const a = await standIn('A', { say: 'Alpha' });
  const distributor = await distributed({ resources: [table(tableOf('sha256:1', { a }))] });
  const pod = await sidecar({ distributorPort: distributor.port, command: bundledSidecar, env: { NODE_OPTIONS: '--max-old-space-size=128' } });
  await until('the table is acknowledged', () => distributor.frames('ack').length === 1);
  const before = pod.memory();
  expect(await ask(pod)).toMatchObject({ status: 200, text: 'Alpha' });
  const after = pod.memory();
  console.log(`sidecar, idle with a table: ${before.rss.toFixed(1)} MiB resident, ${before.anonymous.toFixed(1)} of it anonymous; after one request ${after.rss.toFixed(1)} and ${after.anonymous.toFixed(1)}`);
  // What a pod requests for it is 96 MiB.
  expect(before.rss).toBeLessThan(90);
});
