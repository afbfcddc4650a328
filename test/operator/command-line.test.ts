import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { runProcess, type ToolResult } from '../chart/run-tool.ts';
import { chainOf, keyedProvider, startCluster, type Cluster } from './cluster.ts';
import { probe, startOperator, type OperatorProcess } from './operator-process.ts';
import { until } from './until.ts';

const command = join(import.meta.dirname, '../../cli/bin/belay.mjs');
const deployments = { group: 'apps', version: 'v1', plural: 'deployments' };
const webhooks = { group: 'admissionregistration.k8s.io', version: 'v1', plural: 'mutatingwebhookconfigurations' };
const pods = { group: '', version: 'v1', plural: 'pods' };

let cluster: Cluster;
let operator: OperatorProcess;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'belay-command-'));
  cluster = await startCluster();
  operator = await startOperator({ kubeconfig: cluster.server.kubeconfig });
  await until(async () => (await probe(operator, '/ready')).status === 200, 20_000);
  await cluster.apply('Namespace', null, 'shop');
  for (const name of ['opus', 'gemini']) await cluster.apply('ModelProvider', 'shop', name, keyedProvider(name));
  await cluster.apply('Secret', 'shop', 'gemini', { stringData: { apiKey: 'sk-never-to-be-seen' } });
  await cluster.apply('FallbackChain', 'shop', 'chat', chainOf('opus', 'gemini'));
  await until(async () => (await cluster.condition('ModelProvider', 'shop', 'opus', 'ResolvedRefs'))?.reason === 'SecretNotFound');
  await until(async () => (await cluster.condition('FallbackChain', 'shop', 'chat', 'Ready'))?.status === 'True');
  // A key that comes a moment after the first status is a counter, and waits for the next.
  await until(async () => !JSON.stringify(await cluster.status('FallbackChain', 'shop', 'chat')).includes('Secret \\"gemini\\"'), 20_000);
}, 900_000);

afterAll(async () => {
  await operator.close();
  await cluster.close();
  rmSync(folder, { recursive: true });
});

/** `belay`, as a process of its own, with this kubeconfig. */
function belay(args: readonly string[], kubeconfig = cluster.server.kubeconfig): Promise<ToolResult> {
  return runProcess(process.execPath, [command, ...args], { ...process.env, KUBECONFIG: kubeconfig, NO_COLOR: '1' });
}

function kubeconfig(name: string, user: object, { server = cluster.server.url, namespace = 'shop' } = {}): string {
  const file = join(folder, name);
  writeFileSync(file, JSON.stringify({
    apiVersion: 'v1', kind: 'Config', 'current-context': 'prod', clusters: [{ name: 'c', cluster: { server, 'certificate-authority': cluster.server.caFile } }],
    users: [{ name: 'me', user }], contexts: [{ name: 'prod', context: { cluster: 'c', user: 'me', namespace } }],
  }), { mode: 0o600 });
  return file;
}

/** What the chart registers: without a webhook that is called for anybody. */
async function register(ready: number): Promise<void> {
  const service = { namespace: 'belay-system', name: 'belay-webhook', path: '/inject' };
  const webhook = { name: 'inject.belay.dev', clientConfig: { service, caBundle: Buffer.from(await bundle()).toString('base64') }, admissionReviewVersions: ['v1'], sideEffects: 'None', failurePolicy: 'Ignore', rules: [], timeoutSeconds: 1 };
  await cluster.client.apply({ resource: webhooks, name: 'belay-injector' }, { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'MutatingWebhookConfiguration', metadata: { name: 'belay-injector' }, webhooks: [webhook] }, { fieldManager: 'helm', force: true });
  for (const name of ['belay', 'belay-webhook']) {
    const labels = { app: name };
    await cluster.apply('Deployment', 'belay-system', name, { spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [{ name: 'one', image: 'one' }] } } } });
    const count = name === 'belay' ? 1 : ready;
    await cluster.client.patch({ resource: deployments, namespace: 'belay-system', name, subresource: 'status' }, { status: { replicas: 1, readyReplicas: count, availableReplicas: count, updatedReplicas: 1 } });
  }
}

async function bundle(): Promise<string> {
  const secret = await cluster.client.get<{ readonly metadata: { readonly name: string }; readonly data: Readonly<Record<string, string>> }>({ resource: { group: '', version: 'v1', plural: 'secrets' }, namespace: 'belay-system', name: 'belay-ca' });
  return Object.values(secret.data).map((text) => Buffer.from(text, 'base64').toString()).find((text) => text.includes('BEGIN CERTIFICATE')) ?? '';
}

test('where Belay is half installed, status says so, and what is wrong with the chain', async () => {
  const { code, stdout, stderr } = await belay(['status', '-n', 'shop']);
  expect([code, stderr]).toEqual([1, '']);
  expect(stdout.split('\n')).toEqual([
    expect.stringMatching(/^CHAIN {6}SERVING +READY {2}SIDECARS$/),
    expect.stringMatching(/^shop\/chat {2}\S.* yes {4}0\/0$/),
    expect.stringMatching(/^ {11}opus \w+ > gemini \w+$/),
    '',
    '3 problems',
    '  Operator                 No webhook inject.belay.dev is registered in this cluster, so that no pod gets a sidecar: install Belay with helm, or upgrade its release, which brings it back. (NotInstalled)',
    expect.stringMatching(/^ {2}FallbackChain shop\/chat {2}opus does not answer: KeyNotDelivered \(its key is not there: check key "apiKey" of Secret "opus", .*\(TargetUnhealthy\)$/),
    '  ModelProvider shop/opus  spec.credentials.secretKeyRef.name: there is no Secret "opus" in namespace shop: create it with the key apiKey. (SecretNotFound)',
    '',
    'Operator: not installed.',
    '',
  ]);
});

test('where all is well it says so and exits 0, for people and for machines, in every namespace', async () => {
  await register(1);
  await cluster.apply('Secret', 'shop', 'opus', { stringData: { apiKey: 'sk-never-to-be-seen' } });
  await until(async () => (await cluster.condition('ModelProvider', 'shop', 'opus', 'ResolvedRefs'))?.status === 'True');
  // Of the chain's targets it tells 10 s later at the latest.
  await until(async () => (await belay(['status', '-n', 'shop'])).code === 0, 15_000);
  const { code, stdout } = await belay(['status'], kubeconfig('fine', { token: cluster.server.token }));
  expect([code, stdout]).toEqual([0, expect.stringMatching(/\n\nNo problems\.\n\nOperator belay in belay-system: controller 1 of 1 ready, webhook 1 of 1 ready, lease held by \S+, renewed \d+ s ago\.\n$/)]);
  const everywhere = await belay(['status', '-A', '-o', 'json']);
  expect([everywhere.code, JSON.parse(everywhere.stdout)]).toMatchObject([0, { ok: true, namespace: null, chains: [{ namespace: 'shop', name: 'chat', observedGeneration: 1 }], problems: [] }]);
  const yaml = await belay(['status', '-n', 'empty', '-o', 'yaml']);
  expect([yaml.code, parse(yaml.stdout)]).toMatchObject([0, { ok: true, context: 'belay', chains: [] }]);
  expect(stdout + everywhere.stdout).not.toContain('sk-never');
});

test('a webhook without a ready pod is told', async () => {
  await register(0);
  const { code, stdout } = await belay(['status', '-n', 'shop']);
  expect([code, stdout]).toEqual([1, expect.stringContaining('  Deployment belay-system/belay-webhook  None of its pods is ready: the API server denies every new pod that is annotated for injection; running ones serve on. (WebhookDown)')]);
});

const failures: [string, () => readonly string[], () => string, number, string | RegExp][] = [
  ['an unknown context', () => ['status', '--context', 'staging'], () => cluster.server.kubeconfig, 1, /^belay status: kubeconfig \S+ has no context "staging": it has belay\.\n$/],
  ['no kubeconfig', () => ['status'], () => join(folder, 'nowhere'), 1, /^belay status: There is no kubeconfig: \S+nowhere is not there\. Set KUBECONFIG to the one of your cluster\.\n$/],
  ['credentials that have ended', () => ['status'], () => kubeconfig('ended', { token: 'old' }), 1, /^belay status: The API server https:\S+ does not accept the credentials of context "prod": they may have ended; log in again\.\n$/],
  ['a cluster that is not there', () => ['status'], () => kubeconfig('away', { token: 'any' }, { server: 'https://127.0.0.1:1' }), 1, 'belay status: The API server https://127.0.0.1:1 of context "prod" cannot be reached: nothing listens there (ECONNREFUSED).\n'],
  ['a user who may not', () => ['status'], () => kubeconfig('nobody', { token: cluster.server.token, as: 'nobody' }), 1, 'belay status: You may not read FallbackChains and ModelProviders in namespace shop: ask for the role view.\n'],
  ['a user who may not, everywhere', () => ['status', '-A'], () => kubeconfig('nobody', { token: cluster.server.token, as: 'nobody' }), 1, 'belay status: You may not read FallbackChains and ModelProviders of all namespaces: name one with -n.\n'],
  ['a form that is none', () => ['status', '-o', 'wide'], () => cluster.server.kubeconfig, 2, 'belay status: -o takes text, json, yaml, not wide\n'],
  ['a namespace and all of them', () => ['status', '-A', '-n', 'shop'], () => cluster.server.kubeconfig, 2, 'belay status: take -n NAMESPACE or -A, not both\n'],
  ['an option that is none', () => ['status', '--namspace', 'shop'], () => cluster.server.kubeconfig, 2, /^belay: unknown option '--namspace' \(did you mean --namespace\?\)\n$/],
  ['a request of a pod that is gone', () => ['why', 'web-1.17', '-n', 'shop'], () => cluster.server.kubeconfig, 1, 'belay why: there is no pod web-1 in namespace shop: decisions live in their pod alone, and go with it.\n'],
  ['a request of a pod that nobody knows of', () => ['why', 'web-1.17'], () => cluster.server.kubeconfig, 1, 'belay why: there is no pod web-1 in this cluster: decisions live in their pod alone, and go with it.\n'],
  ['no request id', () => ['why'], () => cluster.server.kubeconfig, 2, /^belay: missing required argument 'id'\n$/],
];

test.each(failures)('%s is said in one sentence', async (_sentence, args, config, code, complaint) => {
  const result = await belay(args(), config());
  expect([result.code, result.stdout]).toEqual([code, '']);
  expect(result.stderr).toMatch(complaint);
});

test('a pod that runs without a kubelet is found, and that its port cannot be reached is said', async () => {
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web-2', namespace: 'shop' }, spec: { nodeName: 'nowhere', initContainers: [{ name: 'belay', image: 'belay', restartPolicy: 'Always' }], containers: [{ name: 'app', image: 'app' }] } };
  await cluster.client.create({ resource: pods, namespace: 'shop' }, pod);
  await cluster.client.patch({ resource: pods, namespace: 'shop', name: 'web-2', subresource: 'status' }, { status: { phase: 'Running', initContainerStatuses: [{ name: 'belay', image: 'belay', imageID: '', ready: true, restartCount: 0, state: { running: { startedAt: '2026-11-25T03:00:00Z' } } }] } });
  const { code, stderr } = await belay(['why', 'web-2.1']);
  expect([code, stderr]).toEqual([1, expect.stringMatching(/^belay why: port-forward to 7411 of pod web-2 in namespace shop: the API server answered \d+\.\n$/)]);
  const may = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'reads-pods' }, rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] }] };
  await cluster.client.create({ resource: { group: 'rbac.authorization.k8s.io', version: 'v1', plural: 'clusterroles' } }, may);
  await cluster.client.create({ resource: { group: 'rbac.authorization.k8s.io', version: 'v1', plural: 'clusterrolebindings' } }, { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', metadata: { name: 'reads-pods' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reads-pods' }, subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'reader' }] });
  const refused = await belay(['why', 'web-2.1'], kubeconfig('reader', { token: cluster.server.token, as: 'reader' }, { namespace: 'default' }));
  expect([refused.code, refused.stderr]).toEqual([1, 'belay why: You may not forward ports of pods in namespace shop: ask for get and create on pods/portforward there.\n']);
});

test('before a cluster without Belay it says that its kinds are not there', async () => {
  const crds = { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' };
  await cluster.client.delete({ resource: crds, name: 'fallbackchains.belay.dev' });
  await until(async () => (await cluster.get('CustomResourceDefinition', null, 'fallbackchains.belay.dev')) === null);
  const { code, stderr } = await belay(['status', '-n', 'shop']);
  expect([code, stderr]).toEqual([1, 'belay status: The cluster of context "belay" does not know the kinds FallbackChain and ModelProvider: install Belay with helm.\n']);
});
