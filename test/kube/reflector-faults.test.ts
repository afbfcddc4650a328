import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { createHttpsClient } from '@belay/operator/shell/kube/https-client.ts';
import type { KubeClient } from '@belay/operator/shell/kube/kube-client.ts';
import type { KubeObject } from '@belay/operator/shell/kube/kube-object.ts';
import { createReflector } from '@belay/operator/shell/kube/reflector.ts';
import type { Change } from '@belay/operator/shell/kube/store.ts';
import { startApiServer, type ApiServer } from '../../scripts/kubernetes/with-api-server.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { realClock as clock } from './real-clock.ts';
import { startFaultProxy, type Fault, type FaultProxy } from './fault-proxy.ts';

interface ConfigMap extends KubeObject { readonly data?: Readonly<Record<string, string>> }

const configMaps = { group: '', version: 'v1', plural: 'configmaps' };
let server: ApiServer;
let direct: KubeClient & { close(): void };

beforeAll(async () => {
  server = await startApiServer();
  direct = createHttpsClient({ server: server.url, ca: readFileSync(server.caFile, 'utf8'), token: () => server.token, clock });
}, 120_000);

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

afterAll(async () => {
  direct.close();
  await server.close();
});

async function watchThrough(namespace: string, choose: (asked: { readonly watch: boolean }) => Fault) {
  await direct.create({ resource: { group: '', version: 'v1', plural: 'namespaces' } }, { metadata: { name: namespace } });
  const proxy: FaultProxy = await startFaultProxy(server, choose);
  const client = createHttpsClient({ server: proxy.url, token: () => server.token, clock });
  const mirror = new Map<string, string | undefined>();
  const changes: Change<ConfigMap>[] = [];
  const reflector = createReflector<ConfigMap>({
    client, clock, random: seededRandom(7), place: { resource: configMaps, namespace },
    limits: { backoff: { firstMs: 20, longestMs: 200 }, idleMs: 400, listMs: 400, pageSize: 4 },
    onChange: (change) => {
      changes.push(change);
      if (change.type === 'deleted') mirror.delete(change.object.metadata.name);
      else mirror.set(change.object.metadata.name, change.object.data?.['round']);
    },
  });
  open.push(async () => {
    await reflector.close();
    client.close();
    await proxy.close();
  });
  return { proxy, reflector, mirror, changes };
}

async function truth(namespace: string): Promise<Record<string, string | undefined>> {
  const { items } = await direct.list<ConfigMap>({ resource: configMaps, namespace }, {});
  return Object.fromEntries((items ?? []).map(({ metadata, data }) => [metadata.name, data?.['round']]));
}

async function agrees(namespace: string, mirror: ReadonlyMap<string, string | undefined>, withinMs = 10_000): Promise<void> {
  const wanted = await truth(namespace);
  const until = Date.now() + withinMs;
  while (Date.now() < until && !(mirror.size === Object.keys(wanted).length && Object.entries(wanted).every(([name, round]) => mirror.get(name) === round))) await sleep(20);
  expect(Object.fromEntries([...mirror].sort())).toEqual(Object.fromEntries(Object.entries(wanted).sort()));
}

/** Creates, changes and deletes at random; the truth at its end is known to the API server alone. */
async function churn(namespace: string, rounds: number, random: () => number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const name = `c${Math.floor(random() * 15)}`;
    const place = { resource: configMaps, namespace, name };
    if (random() < 0.25) await direct.delete(place).catch(() => undefined);
    else await direct.apply(place, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { round: String(round) } }, { fieldManager: 'churn', force: true });
    await sleep(5);
  }
}

const oneFault: [string, Fault][] = [
  ['429 with Retry-After', { kind: '429', retryAfterSeconds: 0.3 }],
  ['500', { kind: '500' }],
  ['a reset', { kind: 'reset' }],
  ['410', { kind: '410' }],
  ['silence', { kind: 'silence' }],
  ['silence after two events', { kind: 'falls-silent', afterLines: 2 }],
  ['an event cut off by a reset', { kind: 'truncated', afterLines: 2 }],
  ['an event cut off by an end', { kind: 'half-line', afterLines: 0 }],
  ['an ERROR in the stream', { kind: 'error-event', afterLines: 1 }],
];

test.each(oneFault)('after %s on a watch nothing is missed and nothing spins', async (_sentence, fault) => {
  const namespace = `one-${oneFault.findIndex(([, { kind }]) => kind === fault.kind)}`;
  let faults = 0;
  const { proxy, reflector, mirror } = await watchThrough(namespace, ({ watch }) => (watch && faults++ < 3 ? fault : { kind: 'none' }));
  await reflector.synced;
  await churn(namespace, 30, seededRandom(3));
  await agrees(namespace, mirror);
  expect(faults).toBeGreaterThan(0);
  expect(proxy.asked.length).toBeLessThan(25);
});

test('a Retry-After is waited for', async () => {
  let faults = 0;
  const { proxy, reflector } = await watchThrough('patient', ({ watch }) => (watch && faults++ < 1 ? { kind: '429', retryAfterSeconds: 1 } : { kind: 'none' }));
  await reflector.synced;
  while (proxy.asked.filter(({ watch }) => watch).length < 2) await sleep(20);
  const [first, second] = proxy.asked.filter(({ watch }) => watch);
  expect(second!.atMs - first!.atMs).toBeGreaterThanOrEqual(990);
});

test('under every fault at once, by chance, what is seen is in the end what is there, and each change follows from the one before', async () => {
  const random = seededRandom(11);
  let calm = false;
  let watches = 0;
  const faults = oneFault.map(([, fault]) => fault);
  const { proxy, reflector, mirror, changes } = await watchThrough('chaos', ({ watch }) => {
    // Each fault in turn for watches, so that all of them come, and any for lists.
    const fault = faults[watch ? watches++ % faults.length : Math.floor(random() * faults.length)]!;
    if (calm || (!watch && random() < 0.5)) return { kind: 'none' };
    return watch || !('afterLines' in fault) ? fault : { kind: 'none' };
  });
  const startedMs = performance.now();
  const chance = seededRandom(5);
  // On until every fault has befallen some request.
  for (const met = (): number => new Set(proxy.asked.map(({ fault }) => fault)).size; met() <= faults.length;) await churn('chaos', 50, chance);
  calm = true;
  await agrees('chaos', mirror, 20_000);
  const seconds = (performance.now() - startedMs) / 1_000;
  const present = new Set<string>();
  for (const { type, object: { metadata: { name } } } of changes) {
    expect([name, present.has(name)]).toEqual([name, type !== 'added']);
    if (type === 'deleted') present.delete(name);
    else present.add(name);
  }
  // With waits of 20 to 200 ms; a loop that spins asks thousands of times.
  expect(proxy.asked.length / seconds).toBeLessThan(25);
  expect(reflector.alive()).toBe(true);
}, 60_000);
