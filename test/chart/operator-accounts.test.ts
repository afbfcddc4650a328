import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { chainOf, keyedProvider, startCluster, type Cluster, type ConfigMap } from '../operator/cluster.ts';
import { probe, startOperator, type OperatorProcess } from '../operator/operator-process.ts';
import { until } from '../operator/until.ts';
import { chart, find, isHook, parseObjects, renderText, repository, type Deployment, type Rendered } from './render-chart.ts';
import { runProcess, runTool } from './run-tool.ts';

/** The operator itself, started as the chart starts it, with no more rights than the chart gives it. */
const home = 'belay-system';
const values = ['--set', 'secretAccess=namespaces', '--set', 'secretNamespaces={shop}', '--set', 'localTier.access=namespaces', '--set', 'localTier.namespaces={shop}'];
let cluster: Cluster;
let folder: string;
let rendered: readonly Rendered[];
const processes: OperatorProcess[] = [];

beforeAll(async () => {
  cluster = await startCluster({ rights: false });
  folder = mkdtempSync(join(tmpdir(), 'belay-accounts-'));
  for (const namespace of ['shop', 'closed']) await cluster.apply('Namespace', null, namespace);
  // The cluster brings its own kinds: those of the chart are the same.
  const { code, stderr } = await runTool('helm', ['install', 'belay', chart, '--namespace', home, '--create-namespace', '--set', 'crds.enabled=false', ...values], { kubeconfig: cluster.server.kubeconfig });
  expect([code, stderr]).toEqual([0, '']);
  rendered = parseObjects(await renderText({ args: values }));
  for (const name of ['belay', 'belay-webhook']) processes.push(await start(name));
}, 900_000);

afterAll(async () => {
  for (const process of processes) await process.close();
  rmSync(folder, { recursive: true, force: true });
  await cluster.close();
});

test('both Deployments become ready, and the API server trusts the webhook', async () => {
  await until(async () => (await Promise.all(processes.map(async (process) => (await probe(process, '/ready')).status))).every((status) => status === 200), 30_000);
  const { stdout } = await runTool('kubectl', ['get', 'mutatingwebhookconfiguration', 'belay-injector', '--output=json'], { kubeconfig: cluster.server.kubeconfig });
  expect(JSON.parse(stdout)).toMatchObject({ metadata: { ownerReferences: [{ kind: 'Namespace', name: home }] }, webhooks: [{ clientConfig: { caBundle: expect.stringMatching(/^LS0t/) } }] });
}, 60_000);

test('a chain is served, a namespace gets its bootstrap copy, and a local provider its Deployment', async () => {
  await cluster.apply('Secret', 'shop', 'openai', { stringData: { apiKey: 'sk-1' } });
  await cluster.apply('ModelProvider', 'shop', 'openai', keyedProvider('openai'));
  await cluster.apply('ModelProvider', 'shop', 'on-cluster', localProvider);
  await cluster.apply('FallbackChain', 'shop', 'chat', chainOf('openai'));
  await until(async () => (await cluster.condition('FallbackChain', 'shop', 'chat', 'Ready'))?.status === 'True', 20_000);
  await until(async () => (await cluster.get<ConfigMap>('ConfigMap', 'shop', 'belay-bootstrap')) !== null, 20_000);
  await until(async () => (await cluster.list('Deployment', 'shop')).length === 1, 20_000);
  await until(async () => (await cluster.get('Lease', home, 'belay')) !== null, 20_000);
}, 60_000);

test('where the chart gives no right, its provider says so, and nobody else suffers', async () => {
  await cluster.apply('Secret', 'closed', 'openai', { stringData: { apiKey: 'sk-2' } });
  await cluster.apply('ModelProvider', 'closed', 'openai', keyedProvider('openai'));
  await cluster.apply('ModelProvider', 'closed', 'on-cluster', localProvider);
  await cluster.apply('FallbackChain', 'closed', 'chat', chainOf('openai'));
  await until(async () => (await cluster.condition('ModelProvider', 'closed', 'openai', 'ResolvedRefs'))?.reason === 'SecretAccessDenied', 20_000);
  await until(async () => (await cluster.condition('ModelProvider', 'closed', 'on-cluster', 'Ready'))?.message?.includes('forbidden') === true, 20_000);
  expect(await cluster.condition('FallbackChain', 'shop', 'chat', 'Ready')).toMatchObject({ status: 'True' });
}, 60_000);

test('nothing else was denied to them', () => {
  const denied = processes.flatMap(({ lines }) => lines()).filter((line) => JSON.stringify(line).includes('forbidden') && !JSON.stringify(line).includes('closed'));
  expect(denied).toEqual([]);
});

test('the cleanup touches nothing while Belay is installed, and then removes what they made, with the rights of its own account', async () => {
  for (const process of processes.splice(0)) await process.close();
  const hooks = rendered.filter((object) => isHook(object) && object.metadata.annotations?.['helm.sh/hook'] === 'post-delete' && object.kind !== 'Job');
  expect(await runTool('kubectl', ['apply', '--filename', '-'], { kubeconfig: cluster.server.kubeconfig, stdin: hooks.map((object) => JSON.stringify(object)).join('\n---\n') })).toMatchObject({ code: 0 });
  const { args } = podOf('Job', 'belay-cleanup');
  const program = ['--disable-warning=ExperimentalWarning', join(repository, 'operator', 'main.ts'), ...args.slice(1), `--kubeconfig=${await kubeconfigOf('belay-cleanup')}`];
  const run = () => runProcess(process.execPath, program, { ...process.env, BELAY_NAMESPACE: home });
  expect(await run()).toEqual({ code: 1, stdout: '', stderr: expect.stringContaining('nothing was removed, for deployments.apps belay in namespace belay-system is still there') });
  // As a tool leaves it that deletes no object with an owner: the webhook is still there.
  expect(await runTool('kubectl', ['delete', 'deployment', 'belay', 'belay-webhook', '--namespace', home], { kubeconfig: cluster.server.kubeconfig })).toMatchObject({ code: 0 });
  expect(await run()).toEqual({ code: 0, stderr: '', stdout: expect.stringContaining('Removed configmaps belay-bootstrap in namespace shop.') });
  const left = await Promise.all([cluster.list('ConfigMap', 'shop'), cluster.list('Deployment', 'shop'), cluster.list('ConfigMap', 'closed')]);
  expect(left.flat().filter(({ metadata }) => metadata.labels?.['app.kubernetes.io/managed-by'] === 'belay')).toEqual([]);
  expect([await cluster.get('Secret', home, 'belay-ca'), await cluster.get('Lease', home, 'belay')]).toEqual([null, null]);
  expect(await runTool('kubectl', ['get', 'mutatingwebhookconfigurations', '--output', 'name'], { kubeconfig: cluster.server.kubeconfig })).toMatchObject({ stdout: '' });
  expect(await cluster.get('Secret', 'shop', 'openai')).not.toBeNull();
}, 60_000);

const localProvider = { spec: { local: { engine: 'LlamaCpp', model: { persistentVolumeClaim: { claimName: 'models', path: 'a.gguf' } }, contextTokens: 2048 } } };

/** With the arguments of the chart's pod, but for ports that this machine may not have. */
async function start(name: string): Promise<OperatorProcess> {
  const { args } = podOf('Deployment', name);
  const role = args.find((arg) => arg.startsWith('--role='))?.slice('--role='.length) ?? '';
  return startOperator({ kubeconfig: await kubeconfigOf(name), role, args: args.slice(1).filter((arg) => !arg.startsWith('--role=') && !arg.startsWith('--webhook-port=')), env: { BELAY_POD_NAME: name } });
}

function podOf(kind: string, name: string): { readonly args: readonly string[] } {
  const [container] = find<Deployment>(rendered, kind, name).spec.template.spec.containers;
  return { args: container?.args ?? [] };
}

/** The administrator's, with the token of one of the chart's accounts. */
async function kubeconfigOf(account: string): Promise<string> {
  const { code, stdout } = await runTool('kubectl', ['create', 'token', account, '--namespace', home], { kubeconfig: cluster.server.kubeconfig });
  expect(code).toBe(0);
  const file = join(folder, account);
  writeFileSync(file, readFileSync(cluster.server.kubeconfig, 'utf8').replace(cluster.server.token, stdout.trim()));
  return file;
}
