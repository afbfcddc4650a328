import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { ChainReport, RoutingTable } from '@belay/contract';
import { startFaultProxy, type Fault, type FaultProxy } from '../kube/fault-proxy.ts';
import { chainOf, keyedProvider, startCluster, type Cluster } from './cluster.ts';
import { probe, startOperator, type OperatorProcess } from './operator-process.ts';
import { makePod, makeServiceAccount, putSecret, requestToken } from './pods-and-tokens.ts';
import { helloOf, openStream, type StreamClient } from './stream-client.ts';
import { until } from './until.ts';

let cluster: Cluster;
let operator: OperatorProcess;

beforeAll(async () => {
  cluster = await startCluster();
  operator = await startOperator({ kubeconfig: cluster.server.kubeconfig, args: ['--certificate-name=localhost'] });
  await until(async () => (await probe(operator, '/ready')).status === 200, 20_000);
}, 900_000);

const open: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

afterAll(async () => {
  await operator.close();
  await cluster.close();
});

async function makeNamespace(name: string): Promise<void> {
  await cluster.apply('Namespace', null, name);
  await makeServiceAccount(cluster.client, name, 'default');
}

/** A sidecar of a pod of this namespace that takes everything it is given. */
async function connect(namespace: string, { of = operator, acks = true, pod: name = 'web' }: { readonly of?: OperatorProcess; readonly acks?: boolean; readonly pod?: string } = {}): Promise<StreamClient> {
  const pod = await makePod(cluster.client, namespace, name);
  const ca = await cluster.get<{ readonly metadata: { readonly name: string }; readonly data: Readonly<Record<string, string>> }>('Secret', 'belay-system', 'belay-ca');
  const client = openStream({ port: of.ports.distributor ?? 0, ca: Buffer.from(ca?.data['tls.crt'] ?? '', 'base64').toString(), token: await requestToken(cluster.client, { namespace, pod }) });
  open.push(() => client.close());
  if (acks) client.ackAll();
  client.send(helloOf(pod.name, pod.uid));
  return client;
}

const chainsOf = (client: StreamClient): readonly string[] | undefined => (client.newest('table')?.data as RoutingTable | undefined)?.chains.map(({ name, unroutable }) => (unroutable === null ? name : `${name} (unroutable)`));
const keysOf = (client: StreamClient): string | undefined => {
  const data = client.newest('keys')?.data;
  return data?.ok === true ? data.value.map(({ provider, secret }) => `${provider}=${secret.reveal()}`).join() : undefined;
};

describe('a sidecar is given', () => {
  test('what its namespace has, a changed key and a deleted Secret within a second', async () => {
    await makeNamespace('shop');
    await putSecret(cluster.client, 'shop', 'openai', { apiKey: 'sk-1' });
    await cluster.apply('ModelProvider', 'shop', 'openai', keyedProvider('openai'));
    await cluster.apply('FallbackChain', 'shop', 'chat', chainOf('openai'));
    const client = await connect('shop');
    await until(() => chainsOf(client)?.join() === 'chat' && keysOf(client) === 'openai=sk-1');
    await until(async () => (await cluster.status('FallbackChain', 'shop', 'chat'))?.['sidecars'] !== undefined);
    await putSecret(cluster.client, 'shop', 'openai', { apiKey: 'sk-2' });
    await until(() => keysOf(client) === 'openai=sk-2', 1_000);
    await cluster.delete('Secret', 'shop', 'openai');
    await until(() => keysOf(client) === '', 1_000);
    expect(chainsOf(client)).toEqual(['chat']);
  });

  test('a shared provider\'s key, and loses it within a second of the owner\'s word', async () => {
    for (const name of ['owner', 'user']) await makeNamespace(name);
    await putSecret(cluster.client, 'owner', 'pool', { apiKey: 'sk-pool' });
    await cluster.apply('ModelProvider', 'owner', 'pool', keyedProvider('pool', { allowedNamespaces: { from: 'All' } }));
    await cluster.apply('FallbackChain', 'user', 'chat', chainOf({ name: 'pool', namespace: 'owner' }));
    const client = await connect('user');
    await until(() => keysOf(client) === 'owner/pool=sk-pool');
    await cluster.apply('ModelProvider', 'owner', 'pool', keyedProvider('pool', { allowedNamespaces: { from: 'Same' } }));
    await until(() => keysOf(client) === '', 1_000);
    await cluster.apply('ModelProvider', 'owner', 'pool', keyedProvider('pool', { allowedNamespaces: { from: 'All' } }));
    await until(() => keysOf(client) === 'owner/pool=sk-pool', 1_000);
    await cluster.delete('ModelProvider', 'owner', 'pool');
    await until(() => keysOf(client) === '', 1_000);
    await until(() => chainsOf(client)?.join() === 'chat (unroutable)', 2_000);
  });

  test('an empty table where its namespace has no chain, and the chain when it comes', async () => {
    await makeNamespace('bare');
    const client = await connect('bare');
    await until(() => chainsOf(client)?.length === 0);
    await cluster.apply('ModelProvider', 'bare', 'open', { spec: { dialect: 'OpenAI', baseURL: 'https://open.example/v1' } });
    await cluster.apply('FallbackChain', 'bare', 'chat', chainOf('open'));
    await until(() => chainsOf(client)?.join() === 'chat', 2_000);
  });
});

describe('what sidecars say', () => {
  const report = (requests: number, first: number, second: number): ChainReport => ({
    name: 'chat', requests, failed: 0,
    targets: [
      { name: 'one', served: first, attempts: requests, failures: requests - first, lastFailure: first === requests ? null : 'Overload', breaker: first === requests ? 'closed' : 'open', firstContentP50Ms: 400 },
      { name: 'two', served: second, attempts: second, failures: 0, lastFailure: null, breaker: 'closed', firstContentP50Ms: 600 },
    ],
  });

  test('is in the status: who is connected, who serves, and a refusal in the sidecar\'s words', async () => {
    await makeNamespace('bank');
    for (const name of ['one', 'two']) await cluster.apply('ModelProvider', 'bank', name, { spec: { dialect: 'OpenAI', baseURL: `https://${name}.example/v1` } });
    await cluster.apply('FallbackChain', 'bank', 'chat', chainOf('one', 'two'));
    const client = await connect('bank', { acks: false });
    await until(() => client.newest('table') !== undefined);
    client.ackAll();
    const status = async () => cluster.status('FallbackChain', 'bank', 'chat');
    client.send({ frame: 'report', chains: [report(0, 0, 0)] });
    await until(async () => JSON.stringify((await status())?.['sidecars']) === JSON.stringify({ connected: 1, current: 1, lastError: '', rejected: 0 }), 15_000);
    client.send({ frame: 'report', chains: [report(20, 0, 20)] });
    await until(async () => (await cluster.events('bank')).includes('Warning FallbackActive FallbackChain/chat'), 15_000);
    await until(async () => String((await status())?.['serving']).startsWith('two'), 15_000);
    const refusing = await connect('bank', { acks: false, pod: 'old' });
    await until(() => refusing.newest('table') !== undefined);
    refusing.send({ frame: 'nack', nonce: refusing.newest('table')?.nonce ?? '', error: 'it cannot be read' });
    refusing.send({ frame: 'report', chains: [] });
    await until(async () => (await cluster.condition('FallbackChain', 'bank', 'chat', 'Programmed'))?.message.includes('it cannot be read') === true, 10_000);
    await until(async () => (await cluster.events('bank')).includes('Warning Rejected FallbackChain/chat'));
  }, 90_000);
});

/** An operator that reaches the API server through a proxy. */
async function behindProxy(choose: (asked: { readonly watch: boolean; readonly path: string }) => Fault, role: string, args: readonly string[] = []): Promise<{ readonly proxy: FaultProxy; readonly operator: OperatorProcess }> {
  const proxy = await startFaultProxy(cluster.server, choose);
  open.push(() => proxy.close());
  const another = await startOperator({ kubeconfig: cluster.kubeconfigFor(proxy.url), role, args: ['--certificate-name=localhost', ...args] });
  open.push(() => another.close());
  return { proxy, operator: another };
}

describe('an operator that does not know every provider', () => {
  test('gives nobody a table, writes nothing, and says that it is not ready', async () => {
    await makeNamespace('early');
    await cluster.apply('FallbackChain', 'early', 'chat', chainOf('nowhere'));
    let hides = true;
    const { proxy, operator: blind } = await behindProxy(({ path }) => (hides && path.includes('/modelproviders') ? { kind: '500' } : { kind: 'none' }), 'controller,distributor', ['--name=blind']);
    const client = await connect('early', { of: blind });
    expect(await client.status).toBe(200);
    await until(() => blind.lines().some(({ event }) => event === 'lease-held') && proxy.asked.filter(({ path }) => path.includes('/fallbackchains')).length >= 2);
    const asked = (): number => proxy.asked.filter(({ path, fault }) => fault === '500' && path.includes('/modelproviders')).length;
    await until(() => asked() >= 3, 20_000);
    expect([chainsOf(client), blind.lines().filter(({ event }) => event === 'table-published'), (await probe(blind, '/ready')).text]).toEqual([undefined, [], 'not every chain, provider and namespace is known yet\n']);
    expect((await probe(blind, '/metrics')).text).toContain('belay_operator_status_writes_total 0\n');
    expect((await probe(blind, '/live')).status).toBe(200);
    hides = false;
    await until(() => chainsOf(client) !== undefined, 60_000);
    expect((await probe(blind, '/ready')).status).toBe(200);
  }, 120_000);
});

test('the webhook alone reads its CA and its configuration, and nothing else of the cluster', async () => {
  const { proxy, operator: webhook } = await behindProxy(() => ({ kind: 'none' }), 'webhook');
  await until(() => proxy.asked.some(({ path }) => path.includes('mutatingwebhookconfigurations')));
  expect(webhook.ports).toEqual({ probe: expect.any(Number), webhook: expect.any(Number) });
  const read = new Set(proxy.asked.map(({ path }) => `${path.split('?')[0]} ${new URLSearchParams(path.split('?')[1]).get('fieldSelector') ?? ''}`));
  expect([...read].sort()).toEqual(['/api/v1/namespaces/belay-system/secrets metadata.name=belay-ca', '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations metadata.name=belay-injector']);
});
