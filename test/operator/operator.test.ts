import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { KubeObject } from '@belay/operator/shell/kube/kube-object.ts';
import { chainOf, keyedProvider, startCluster, type Cluster, type ConfigMap } from './cluster.ts';
import { probe, startOperator, type OperatorProcess } from './operator-process.ts';
import { until } from './until.ts';

interface LeaseObject extends KubeObject { readonly spec: { readonly holderIdentity?: string } }

interface Deployment extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly ownerReferences?: readonly { readonly name: string }[] };
  readonly spec: { readonly template: { readonly metadata: object; readonly spec: object } };
}

/** What the CRDs give a resource that nobody has looked at yet. */
const pending = { conditions: [expect.objectContaining({ type: 'Ready', status: 'Unknown', reason: 'Pending' })] };
const key = 'sk-never-to-be-seen';
let cluster: Cluster;
let operator: OperatorProcess;

beforeAll(async () => {
  cluster = await startCluster();
  operator = await startOperator({ kubeconfig: await cluster.kubeconfigOf('belay') });
  await until(async () => (await probe(operator, '/ready')).status === 200, 20_000);
}, 900_000);

const open: OperatorProcess[] = [];
afterEach(async () => {
  for (const process of open.splice(0)) await process.close();
});

afterAll(async () => {
  await operator.close();
  await cluster.close();
});

const reason = async (kind: 'FallbackChain' | 'ModelProvider', namespace: string, name: string, type: string): Promise<string> => {
  const condition = await cluster.condition(kind, namespace, name, type);
  return `${condition?.status ?? 'none'} ${condition?.reason ?? ''}`;
};
const putKey = (namespace: string, name: string): Promise<void> => cluster.apply('Secret', namespace, name, { stringData: { apiKey: key } });
const bootstrap = (namespace: string): Promise<ConfigMap | null> => cluster.get<ConfigMap>('ConfigMap', namespace, 'belay-bootstrap');

describe('what is applied', () => {
  test('gets its conditions, and its namespace the bootstrap copy without a key', async () => {
    await cluster.apply('Namespace', null, 'shop');
    await putKey('shop', 'openai');
    await cluster.apply('ModelProvider', 'shop', 'openai', keyedProvider('openai'));
    await cluster.apply('FallbackChain', 'shop', 'chat', chainOf('openai'));
    await until(async () => (await reason('FallbackChain', 'shop', 'chat', 'Ready')) === 'True Ready');
    const status = await cluster.status('FallbackChain', 'shop', 'chat');
    expect(status).toMatchObject({ observedGeneration: 1, summary: 'openai', sidecars: { connected: 0, current: 0, rejected: 0, lastError: '' } });
    expect(status?.conditions?.map(({ type, status: value, observedGeneration }) => `${type} ${value} ${observedGeneration}`)).toEqual(['Accepted True 1', 'ResolvedRefs True 1', 'Programmed True 1', 'Ready True 1']);
    await until(async () => (await reason('ModelProvider', 'shop', 'openai', 'Ready')) === 'True Ready');
    await until(async () => (await bootstrap('shop'))?.data?.['table.json']?.includes(String(status?.['tableVersion'])) === true);
    expect(await bootstrap('shop')).toMatchObject({ metadata: { labels: { 'app.kubernetes.io/managed-by': 'belay' } }, data: { 'endpoints.json': '[]', 'ca.crt': expect.stringContaining('BEGIN CERTIFICATE') } });
  });

  test('and is right leaves no Event behind', async () => {
    expect(await cluster.events('shop')).toEqual([]);
  });

  test('without its Secret is said of that provider alone, and taken back when it is there', async () => {
    await cluster.apply('Namespace', null, 'spare');
    for (const name of ['one', 'other']) {
      await putKey('spare', name);
      await cluster.apply('ModelProvider', 'spare', name, keyedProvider(name));
    }
    await cluster.apply('FallbackChain', 'spare', 'chat', chainOf('one', 'other'));
    await until(async () => (await reason('FallbackChain', 'spare', 'chat', 'Ready')) === 'True Ready');
    await cluster.delete('Secret', 'spare', 'one');
    await until(async () => (await reason('ModelProvider', 'spare', 'one', 'ResolvedRefs')) === 'False SecretNotFound', 2_000);
    expect(await reason('ModelProvider', 'spare', 'other', 'ResolvedRefs')).toBe('True ResolvedRefs');
    expect(await reason('FallbackChain', 'spare', 'chat', 'Ready')).toBe('True Ready');
    await until(async () => (await cluster.events('spare')).includes('Warning SecretNotFound ModelProvider/one'));
    await putKey('spare', 'one');
    await until(async () => (await reason('ModelProvider', 'spare', 'one', 'ResolvedRefs')) === 'True ResolvedRefs', 2_000);
    await until(async () => (await cluster.events('spare')).includes('Normal ResolvedRefs ModelProvider/one'));
  });

  test('and shared reaches the other namespace, and leaves it within a second when it is shared no more', async () => {
    for (const name of ['owner', 'user']) await cluster.apply('Namespace', null, name);
    await putKey('owner', 'pool');
    await cluster.apply('ModelProvider', 'owner', 'pool', keyedProvider('pool', { allowedNamespaces: { from: 'Selector', selector: { matchLabels: { team: 'red' } } } }));
    await cluster.apply('FallbackChain', 'user', 'chat', chainOf({ name: 'pool', namespace: 'owner' }));
    await until(async () => (await reason('FallbackChain', 'user', 'chat', 'ResolvedRefs')) === 'False RefNotPermitted');
    await cluster.apply('Namespace', null, 'user', { metadata: { labels: { team: 'red' } } });
    await until(async () => (await reason('FallbackChain', 'user', 'chat', 'Ready')) === 'True Ready', 1_000);
    await cluster.apply('ModelProvider', 'owner', 'pool', keyedProvider('pool', { allowedNamespaces: { from: 'Same' } }));
    await until(async () => (await reason('FallbackChain', 'user', 'chat', 'ResolvedRefs')) === 'False RefNotPermitted', 1_000);
  });
});

describe('the bootstrap copy', () => {
  test('comes back when it was deleted or edited, and goes with the last chain', async () => {
    await cluster.apply('Namespace', null, 'copy');
    await cluster.apply('ModelProvider', 'copy', 'open', { spec: { dialect: 'OpenAI', baseURL: 'https://open.example/v1' } });
    await cluster.apply('FallbackChain', 'copy', 'chat', chainOf('open'));
    await until(async () => (await bootstrap('copy')) !== null);
    await cluster.delete('ConfigMap', 'copy', 'belay-bootstrap');
    await until(async () => (await bootstrap('copy')) !== null);
    await cluster.apply('ConfigMap', 'copy', 'belay-bootstrap', { data: { 'table.json': 'another' } });
    await until(async () => (await bootstrap('copy'))?.data?.['table.json'] !== 'another');
    await cluster.delete('FallbackChain', 'copy', 'chat');
    await until(async () => (await bootstrap('copy')) === null);
  });
});

describe('injection is told of:', () => {
  const podSpec = { containers: [{ name: 'app', image: 'app' }] };
  const annotated = (value: string) => ({ metadata: { annotations: { 'belay.dev/inject': value } } });

  test('a pod without its sidecar, a chain that does not exist, an annotation on the Deployment itself; once each', async () => {
    await cluster.apply('Namespace', null, 'apps');
    await cluster.apply('Pod', 'apps', 'bare', { ...annotated('chat'), spec: podSpec });
    await cluster.apply('Pod', 'apps', 'plain', { spec: podSpec });
    await cluster.apply('Pod', 'apps', 'off', { ...annotated('false'), spec: podSpec });
    await cluster.apply('Deployment', 'apps', 'wrong', { ...annotated('true'), spec: { selector: { matchLabels: { app: 'a' } }, template: { metadata: { labels: { app: 'a' } }, spec: podSpec } } });
    const told = ['Warning AnnotationMisplaced Deployment/wrong', 'Warning ChainNotFound Pod/bare', 'Warning InjectionMissing Pod/bare'];
    await until(async () => (await cluster.events('apps')).length >= told.length);
    expect(await cluster.events('apps')).toEqual(told);
    expect((await probe(operator, '/metrics')).text).toContain('belay_operator_injection_missing_pods 1\n');
    const refused = { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'pods "full-1" is forbidden: failed quota: team: must specify limits.cpu for: belay' };
    await cluster.apply('Deployment', 'apps', 'full', { spec: { selector: { matchLabels: { app: 'b' } }, template: { metadata: { labels: { app: 'b' }, ...annotated('true').metadata }, spec: podSpec } } });
    await cluster.client.patch({ resource: { group: 'apps', version: 'v1', plural: 'deployments' }, namespace: 'apps', name: 'full', subresource: 'status' }, { status: { conditions: [refused] } });
    await until(async () => (await cluster.events('apps')).includes('Warning InjectionRefused Deployment/full'));
    // Another look at the namespace tells nothing again.
    await cluster.apply('FallbackChain', 'apps', 'chat', chainOf('nowhere'));
    await until(async () => (await cluster.events('apps')).includes('Warning ProviderNotFound FallbackChain/chat'));
    await cluster.apply('Pod', 'apps', 'later', { ...annotated('gone'), spec: podSpec });
    await until(async () => (await cluster.events('apps')).includes('Warning ChainNotFound Pod/later'));
    expect((await cluster.events('apps')).filter((event) => event.endsWith('Pod/bare') || event.includes('Deployment/wrong'))).toEqual(told);
  });
});

describe('a local provider', () => {
  test('gets its server, is Ready when that is, and takes it along', async () => {
    await cluster.apply('Namespace', null, 'local');
    await cluster.apply('ModelProvider', 'local', 'qwen', { spec: { local: { engine: 'LlamaCpp', model: { persistentVolumeClaim: { claimName: 'models', path: 'qwen.gguf' } } } } });
    await cluster.apply('FallbackChain', 'local', 'chat', chainOf('qwen'));
    await until(async () => (await reason('ModelProvider', 'local', 'qwen', 'Ready')) === 'False Loading');
    await until(async () => (await cluster.list('Service', 'local')).length === 1);
    const [deployment] = await cluster.list<Deployment>('Deployment', 'local');
    expect(deployment?.metadata.ownerReferences?.[0]?.name).toBe('qwen');
    await until(async () => (await bootstrap('local'))?.data?.['endpoints.json']?.includes('"Loading"') === true);
    const { metadata, spec } = deployment?.spec.template ?? { metadata: {}, spec: {} };
    await cluster.apply('Pod', 'local', 'server', { metadata, spec });
    const runs = { ready: true, started: true, restartCount: 0, name: 'llama', image: 'i', imageID: 'i', state: { running: {} } };
    await cluster.client.patch({ resource: { group: '', version: 'v1', plural: 'pods' }, namespace: 'local', name: 'server', subresource: 'status' }, { status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }], containerStatuses: [runs] } });
    await until(async () => (await reason('ModelProvider', 'local', 'qwen', 'Ready')).startsWith('True'));
    await until(async () => (await bootstrap('local'))?.data?.['endpoints.json']?.includes('"Ready"') === true);
    await cluster.delete('ModelProvider', 'local', 'qwen');
    await until(async () => (await cluster.list('Deployment', 'local')).length + (await cluster.list('Service', 'local')).length === 0);
  });
});

describe('only the leader writes:', () => {
  test('who has lost the lease writes nothing, and catches up when it has it again', async () => {
    await cluster.apply('Namespace', null, 'lease');
    await cluster.apply('FallbackChain', 'lease', 'chat', chainOf('nowhere'));
    await until(async () => (await cluster.status('FallbackChain', 'lease', 'chat'))?.observedGeneration === 1);
    const hold = (holderIdentity: string): Promise<void> => cluster.apply('Lease', 'belay-system', 'belay', { spec: { holderIdentity, renewTime: new Date().toISOString().replace('Z', '000Z') } });
    await hold('another');
    await until(() => operator.lines().some(({ event, message }) => event === 'lease-failed' && message.includes('lost')));
    expect((await probe(operator, '/metrics')).text).toContain('belay_operator_leader 0\n');
    const writes = async (): Promise<string | undefined> => /^belay_operator_status_writes_total .*$/m.exec((await probe(operator, '/metrics')).text)?.[0];
    const before = await writes();
    // Each round takes as long as a write would take.
    for (let round = 1; round <= 5; round++) {
      const published = operator.lines().filter(({ event, namespace }) => event === 'table-published' && namespace === 'lease').length;
      await cluster.apply('ModelProvider', 'lease', 'nothing', { spec: { dialect: 'OpenAI', baseURL: `https://nothing-${round}.example/v1` } });
      await cluster.apply('FallbackChain', 'lease', 'chat', chainOf('nothing', ...Array.from({ length: round }, (_, index) => `nowhere-${index}`)));
      await until(() => operator.lines().filter(({ event, namespace }) => event === 'table-published' && namespace === 'lease').length > published);
    }
    expect([(await cluster.status('FallbackChain', 'lease', 'chat'))?.observedGeneration, await cluster.status('ModelProvider', 'lease', 'nothing'), await writes()]).toEqual([1, pending, before]);
    expect((await probe(operator, '/ready')).status).toBe(200);
    await hold('');
    await until(async () => (await cluster.status('FallbackChain', 'lease', 'chat'))?.observedGeneration === 6, 15_000);
  }, 60_000);

  test('a namespace that is being deleted is left alone', async () => {
    await cluster.apply('Namespace', null, 'going');
    await cluster.apply('FallbackChain', 'going', 'chat', chainOf('nowhere'));
    await until(async () => (await bootstrap('going')) !== null);
    // No controller is there to finish it: it stays so.
    await cluster.delete('Namespace', null, 'going');
    await cluster.delete('ConfigMap', 'going', 'belay-bootstrap');
    const published = operator.lines().filter(({ namespace }) => namespace === 'going').length;
    await cluster.apply('FallbackChain', 'going', 'chat', chainOf('nothing'));
    await until(() => operator.lines().filter(({ namespace }) => namespace === 'going').length > published);
    await cluster.apply('Namespace', null, 'after');
    await cluster.apply('FallbackChain', 'after', 'chat', chainOf('nowhere'));
    await until(async () => (await bootstrap('after')) !== null);
    expect([await bootstrap('going'), operator.lines().filter(({ namespace, level }) => namespace === 'going' && level !== 'info')]).toEqual([null, []]);
  });
});

test('no key stands in a log line, a status, an Event, a ConfigMap or a metric', async () => {
  const seen = await Promise.all([...(['FallbackChain', 'ModelProvider', 'Event', 'ConfigMap'] as const).map((kind) => cluster.list(kind)), probe(operator, '/metrics')]);
  expect(`${JSON.stringify(seen)}${operator.output()}`).not.toContain(key);
  expect(operator.output()).not.toContain('forbidden');
  expect(operator.lines().filter(({ level }) => level === 'error').map(({ message }) => message).filter((message) => !message.includes('MutatingWebhookConfiguration'))).toEqual([]);
});

test('SIGTERM: unready at once, the lease handed back, exit 0', async () => {
  const second = await startOperator({ kubeconfig: cluster.server.kubeconfig, role: 'controller', args: ['--name=second'] });
  open.push(second);
  const holder = async (): Promise<string | undefined> => (await cluster.get<LeaseObject>('Lease', 'belay-system', 'second'))?.spec.holderIdentity;
  await until(async () => ((await holder()) ?? '') !== '');
  second.kill('SIGTERM');
  expect(await second.exited).toBe(0);
  expect(await holder()).toBe('');
});
