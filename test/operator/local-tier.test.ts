import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { ModelProvider } from '@belay/operator/core/resources/model-provider.ts';
import { createHttpsClient } from '@belay/operator/shell/kube/https-client.ts';
import type { KubeClient } from '@belay/operator/shell/kube/kube-client.ts';
import type { KubeObject } from '@belay/operator/shell/kube/kube-object.ts';
import { createLocalTier, type LocalTier } from '@belay/operator/shell/local-tier/create-local-tier.ts';
import { startApiServer, type ApiServer } from '../../scripts/kubernetes/with-api-server.ts';
import { realClock as clock } from '../kube/real-clock.ts';
import { until } from './until.ts';

type Local = NonNullable<ModelProvider['spec']['local']>;

interface Deployment extends KubeObject {
  readonly spec: { readonly replicas: number; readonly template: { readonly metadata: object; readonly spec: { readonly containers: readonly { readonly args: readonly string[]; readonly image: string }[] } } };
}

const deployments = { group: 'apps', version: 'v1', plural: 'deployments' };
const services = { group: '', version: 'v1', plural: 'services' };
const pods = { group: '', version: 'v1', plural: 'pods' };
const namespaces = { group: '', version: 'v1', plural: 'namespaces' };
const settings = { image: 'registry.example/llama:1', imagePullPolicy: 'IfNotPresent', imagePullSecrets: [], clusterDomain: 'cluster.local', userIds: 'fixed', listenAddress: '0.0.0.0' } as const;
const never = new AbortController().signal;

let server: ApiServer;
let client: KubeClient & { close(): void };

beforeAll(async () => {
  server = await startApiServer();
  client = createHttpsClient({ server: server.url, ca: readFileSync(server.caFile, 'utf8'), token: () => server.token, clock });
}, 120_000);

const open: LocalTier[] = [];
afterEach(async () => {
  for (const tier of open.splice(0)) await tier.close();
});

afterAll(async () => {
  client.close();
  await server.close();
});

function providerOf(namespace: string, more: Partial<Local> = {}, name = 'qwen'): ModelProvider {
  return {
    apiVersion: 'belay.dev/v1alpha1', kind: 'ModelProvider', metadata: { name, namespace, uid: `uid-${name}` },
    spec: { suspend: false, allowedNamespaces: { from: 'Same' }, local: { engine: 'LlamaCpp', model: { persistentVolumeClaim: { claimName: 'models', path: 'q4.gguf' } }, contextTokens: 2048, parallel: 2, replicas: 1, ...more } },
  };
}

/** A local tier whose writes are counted. */
async function startTier(namespace: string, changed: string[] = []): Promise<{ readonly tier: LocalTier; readonly writes: string[] }> {
  const writes: string[] = [];
  const counting: KubeClient = {
    ...client,
    apply: (place, object, options) => { writes.push(`apply ${place.resource.plural} ${place.name}`); return client.apply(place, object, options); },
    delete: (place, signal) => { writes.push(`delete ${place.resource.plural} ${place.name}`); return client.delete(place, signal); },
  };
  const tier = createLocalTier({ client: counting, clock, random: Math.random, log: () => {}, settings, onChange: (one) => changed.push(one) });
  open.push(tier);
  await client.create({ resource: namespaces }, { metadata: { name: namespace } }).catch(() => undefined);
  await tier.synced;
  return { tier, writes };
}

const deploymentOf = (namespace: string): Promise<Deployment> => client.get<Deployment>({ resource: deployments, namespace, name: 'belay-local-qwen' });
const existing = async (namespace: string): Promise<string[]> => {
  const found = await Promise.all([deployments, services].map(async (resource) => (await client.list<KubeObject>({ resource, namespace }, {})).items ?? []));
  return found.flatMap((items, index) => items.map(({ metadata }) => `${['Deployment', 'Service'][index]} ${metadata.name}`));
};

/** Plays the kubelet: one pod of the provider with this status. */
async function writePod(namespace: string, status: object): Promise<void> {
  const place = { resource: pods, namespace, name: 'qwen-1' };
  const { spec } = await deploymentOf(namespace);
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'qwen-1', ...spec.template.metadata }, spec: spec.template.spec };
  await client.create({ resource: pods, namespace }, pod).catch(() => undefined);
  await client.patch({ ...place, subresource: 'status' }, { status });
}

const condition = (type: string, status: string): object => ({ type, status, lastProbeTime: null, lastTransitionTime: '2026-11-25T03:00:00Z' });
const running = { phase: 'Running', conditions: [condition('PodScheduled', 'True'), condition('Ready', 'True')], containerStatuses: [{ name: 'llama', image: settings.image, imageID: '', ready: true, started: true, restartCount: 0, state: { running: { startedAt: '2026-11-25T03:00:00Z' } } }] };
const modelGone = { phase: 'Running', conditions: [condition('PodScheduled', 'True'), condition('Ready', 'False')], containerStatuses: [{ name: 'llama', image: settings.image, imageID: '', ready: false, started: false, restartCount: 1, state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: { terminated: { exitCode: 1, reason: 'Error', startedAt: '2026-11-25T03:00:00Z', finishedAt: '2026-11-25T03:00:01Z' } } }] };

test('a provider gets its Deployment and Service once, and nothing is written while nothing changes', async () => {
  const { tier, writes } = await startTier('steady');
  await tier.reconcile('steady', [providerOf('steady')], never);
  expect(await existing('steady')).toEqual(['Deployment belay-local-qwen', 'Service belay-local-qwen']);
  await until(() => tier.readiness('steady', 'qwen').reason === 'Loading');
  writes.length = 0;
  await tier.reconcile('steady', [providerOf('steady')], never);
  expect(writes).toEqual([]);

  const { metadata: { resourceVersion } } = await deploymentOf('steady');
  const { tier: restarted } = await startTier('steady');
  await restarted.reconcile('steady', [providerOf('steady')], never);
  expect((await deploymentOf('steady')).metadata.resourceVersion).toBe(resourceVersion);
});

test('a changed spec rolls', async () => {
  const { tier } = await startTier('rolls');
  await tier.reconcile('rolls', [providerOf('rolls')], never);
  const before = await deploymentOf('rolls');
  await tier.reconcile('rolls', [providerOf('rolls', { contextTokens: 4096, replicas: 2 })], never);
  const after = await deploymentOf('rolls');
  expect([after.metadata.generation, after.spec.replicas, after.spec.template.spec.containers[0]!.args.join(' ')]).toEqual([before.metadata.generation! + 1, 2, expect.stringContaining('--ctx-size 8192')]);
});

test('what somebody changed by hand is asked for and put right', async () => {
  const changed: string[] = [];
  const { tier } = await startTier('healed', changed);
  await tier.reconcile('healed', [providerOf('healed')], never);
  await until(() => tier.readiness('healed', 'qwen').reason === 'Loading');
  changed.length = 0;
  await client.patch({ resource: deployments, namespace: 'healed', name: 'belay-local-qwen' }, { spec: { template: { spec: { containers: [{ name: 'llama', image: 'other:1' }] } } } });
  await until(() => changed.includes('healed'));
  await tier.reconcile('healed', [providerOf('healed')], never);
  expect((await deploymentOf('healed')).spec.template.spec.containers[0]!.image).toBe(settings.image);

  changed.length = 0;
  await client.delete({ resource: services, namespace: 'healed', name: 'belay-local-qwen' });
  await until(() => changed.includes('healed'));
  await tier.reconcile('healed', [providerOf('healed')], never);
  expect(await existing('healed')).toEqual(['Deployment belay-local-qwen', 'Service belay-local-qwen']);
});

test.each<[string, readonly ModelProvider[]]>([
  ['spec.local goes away', [{ ...providerOf('gone'), spec: { suspend: false, allowedNamespaces: { from: 'Same' }, preset: 'OpenAI' } }]],
  ['the provider goes away', []],
])('when %s both are deleted, and nobody else\'s', async (_sentence, left) => {
  const { tier } = await startTier('gone');
  const labels = { 'app.kubernetes.io/managed-by': 'belay', 'belay.dev/provider': 'qwen' };
  await client.create({ resource: services, namespace: 'gone' }, { apiVersion: 'v1', kind: 'Service', metadata: { name: 'mine', labels }, spec: { ports: [{ port: 80 }] } }).catch(() => undefined);
  await tier.reconcile('gone', [providerOf('gone')], never);
  await until(() => tier.readiness('gone', 'qwen').reason === 'Loading');
  await tier.reconcile('gone', left, never);
  await until(async () => (await existing('gone')).length === 1);
  expect([await existing('gone'), tier.endpoints('gone')]).toEqual([['Service mine'], []]);
});

test('one that was left behind while no operator ran is asked for, and deleted', async () => {
  const first = await startTier('behind');
  await first.tier.reconcile('behind', [providerOf('behind')], never);
  await open.pop()?.close();
  const changed: string[] = [];
  const { tier } = await startTier('behind', changed);
  expect(changed).toContain('behind');
  await tier.reconcile('behind', [], never);
  expect(await existing('behind')).toEqual([]);
});

test('the endpoint follows the model: loading, ready, gone within a moment', async () => {
  const changed: string[] = [];
  const { tier } = await startTier('follows', changed);
  await tier.reconcile('follows', [providerOf('follows')], never);
  const url = 'http://belay-local-qwen.follows.svc.cluster.local:8080/v1';
  expect(tier.endpoints('follows')).toEqual([{ name: 'qwen', state: 'Loading', url }]);

  await writePod('follows', running);
  await until(() => tier.endpoints('follows')[0]!.state === 'Ready');
  changed.length = 0;
  await writePod('follows', modelGone);
  await until(() => changed.includes('follows'), 15_000);
  expect(tier.endpoints('follows')).toEqual([{ name: 'qwen', state: 'Absent', url: null, detail: expect.stringContaining('could not load q4.gguf from PersistentVolumeClaim "models"') }]);
  expect(tier.readiness('follows', 'qwen')).toMatchObject({ state: 'Absent', reason: 'ModelMissing' });
});

test('a pod of a namespace with the restricted Pod Security standard is admitted', async () => {
  await client.create({ resource: namespaces }, { metadata: { name: 'restricted', labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } } });
  const { tier } = await startTier('restricted');
  await tier.reconcile('restricted', [providerOf('restricted')], never);
  const { spec: { template } } = await deploymentOf('restricted');
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'qwen-1', ...template.metadata }, spec: template.spec };
  expect(await client.create<KubeObject>({ resource: pods, namespace: 'restricted' }, pod)).toMatchObject({ metadata: { name: 'qwen-1' } });
  const privileged = { ...pod, metadata: { name: 'other' }, spec: { containers: [{ name: 'one', image: 'one', securityContext: { privileged: true } }] } };
  await expect(client.create<KubeObject>({ resource: pods, namespace: 'restricted' }, privileged)).rejects.toThrow('violates PodSecurity');
});

test('a Deployment that somebody else made is left alone, and the provider says so', async () => {
  const { tier, writes } = await startTier('foreign');
  const labels = { app: 'mine' };
  const mine = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'belay-local-qwen' }, spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [{ name: 'one', image: 'one' }] } } } };
  await client.create({ resource: deployments, namespace: 'foreign' }, mine);
  await expect(tier.reconcile('foreign', [providerOf('foreign'), providerOf('foreign', {}, 'other')], never)).rejects.toThrow('There is a Deployment belay-local-qwen in namespace foreign that Belay did not make');
  expect(tier.readiness('foreign', 'qwen')).toEqual({ state: 'Absent', reason: 'NameTaken', message: 'There is a Deployment belay-local-qwen in namespace foreign that Belay did not make: delete or rename it.' });
  expect(writes).toEqual(['apply deployments belay-local-other', 'apply services belay-local-other']);
});

test('a spec that the API server refuses is told, while what ran runs on', async () => {
  const { tier } = await startTier('refused');
  await tier.reconcile('refused', [providerOf('refused')], never);
  await writePod('refused', running);
  await until(() => tier.readiness('refused', 'qwen').state === 'Ready');
  const bad = providerOf('refused', { resources: { requests: { memory: '2Gi' }, limits: { memory: '1Gi' } } });
  await expect(tier.reconcile('refused', [bad], never)).rejects.toThrow('422');
  const { state, message } = tier.readiness('refused', 'qwen');
  expect([state, message]).toEqual(['Ready', expect.stringMatching(/^Its server is ready\. It runs on as it was: The API server refused its Deployment or Service: .*must be less than or equal to memory limit/)]);
  await tier.reconcile('refused', [providerOf('refused')], never);
  expect(tier.readiness('refused', 'qwen').message).toBe('Its server is ready.');
});

test('a provider whose name is as long as names may be gets its server', async () => {
  const { tier } = await startTier('lengths');
  const name = `${'long-name.'.repeat(25)}end`;
  await tier.reconcile('lengths', [providerOf('lengths', {}, name)], never);
  const [deployment, service] = await existing('lengths');
  expect(service).toBe(deployment!.replace('Deployment', 'Service'));
  expect(tier.endpoints('lengths')[0]).toMatchObject({ name, state: 'Loading', url: expect.stringMatching(/^http:\/\/[a-z0-9-]{1,63}\.lengths\.svc/) });
});

test('a namespace that is being deleted needs nothing, and fails nothing', async () => {
  const { tier } = await startTier('terminating');
  await client.delete({ resource: namespaces, name: 'terminating' });
  await tier.reconcile('terminating', [providerOf('terminating')], never);
  expect(await existing('terminating')).toEqual([]);
});
