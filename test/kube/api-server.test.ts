import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createEventRecorder } from '@belay/operator/shell/kube/event-recorder.ts';
import { createHttpsClient } from '@belay/operator/shell/kube/https-client.ts';
import type { KubeClient } from '@belay/operator/shell/kube/kube-client.ts';
import type { KubeObject } from '@belay/operator/shell/kube/kube-object.ts';
import { createLease } from '@belay/operator/shell/kube/lease.ts';
import { startApiServer, type ApiServer } from '../../scripts/kubernetes/with-api-server.ts';
import { realClock as clock } from './real-clock.ts';

interface ConfigMap extends KubeObject { readonly data?: Readonly<Record<string, string>> }
interface LeaseObject extends KubeObject { readonly spec: { readonly holderIdentity?: string; readonly leaseDurationSeconds: number } }

const place = { resource: { group: '', version: 'v1', plural: 'configmaps' }, namespace: 'default', name: 'settings' };
const body = (data: Record<string, string>): object => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data });

let server: ApiServer;
let client: KubeClient & { close(): void };

beforeAll(async () => {
  server = await startApiServer();
  client = createHttpsClient({ server: server.url, ca: readFileSync(server.caFile, 'utf8'), token: () => server.token, clock });
}, 120_000);

afterAll(async () => {
  client.close();
  await server.close();
});

test('apply creates, takes from others by force alone, and gives up what it names no more', async () => {
  await client.apply(place, body({ a: '1' }), { fieldManager: 'one', force: true });
  await expect(client.apply(place, body({ a: '2' }), { fieldManager: 'two', force: false })).rejects.toMatchObject({ status: 409, reason: 'Conflict' });
  const taken = await client.apply<ConfigMap>(place, body({ a: '2', b: '1' }), { fieldManager: 'two', force: true });
  expect(taken.data).toEqual({ a: '2', b: '1' });
  const left = await client.apply<ConfigMap>(place, body({ a: '2' }), { fieldManager: 'two', force: true });
  expect(left.data).toEqual({ a: '2' });
});

test('what the API server refuses says what and why', async () => {
  const missing = { ...place, name: 'nowhere' };
  await expect(client.get(missing)).rejects.toMatchObject({ status: 404, reason: 'NotFound', message: expect.stringContaining('GET configmaps nowhere in namespace default: the API server answered 404') });
  const stale = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings', resourceVersion: '1' } };
  await expect(client.replace(place, stale)).rejects.toMatchObject({ status: 409, reason: 'Conflict' });
});

test('a Lease is taken from the API server and handed back', async () => {
  const problems: string[] = [];
  const join = (identity: string) => new Promise<ReturnType<typeof createLease>>((resolve) => {
    const lease = createLease({ client, clock, wallClock: Date.now, random: () => 0, namespace: 'default', name: 'leader', identity, onHeld: () => setTimeout(() => resolve(lease)), onProblem: (message) => problems.push(message) });
  });
  const first = await join('first');
  expect(first.holds()).toBe(true);
  const next = join('second');
  await sleep(100);
  await first.close();
  const second = await next;
  expect([first.holds(), second.holds(), problems]).toEqual([false, true, []]);
  await second.close();
  const lease = await client.get<LeaseObject>({ resource: { group: 'coordination.k8s.io', version: 'v1', plural: 'leases' }, namespace: 'default', name: 'leader' });
  expect([lease.spec.holderIdentity ?? '', lease.spec.leaseDurationSeconds]).toEqual(['', 1]);
}, 30_000);

test('Events arrive, and repeats are a count', async () => {
  const problems: string[] = [];
  const recorder = createEventRecorder({ client, clock, wallClock: Date.now, random: Math.random, component: 'tester', onProblem: (message) => problems.push(message) });
  const about = await client.get<ConfigMap>(place);
  for (let n = 0; n < 3; n++) recorder.record(about, { type: 'Normal', reason: 'Tested', message: 'it is there' });
  await recorder.close();
  const { items } = await client.list<KubeObject>({ resource: { group: '', version: 'v1', plural: 'events' }, namespace: 'default' }, { fieldSelector: 'involvedObject.name=settings' });
  expect([items, problems]).toMatchObject([[{ reason: 'Tested', message: 'it is there', count: 3, source: { component: 'tester' } }], []]);
});
