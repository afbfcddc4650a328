// What people get wrong, and what changes under a chain that serves: the operator and the sidecar's program as processes
// of their own, before a real API server.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { RoutingTable } from '@belay/contract';
import type { KubeObject } from '@belay/operator/shell/kube/kube-object.ts';
import { readAttempt } from '../support/stand-in-script.ts';
import { createStandIn, type StandIn } from '../support/stand-in.ts';
import { startSidecarProcess, type SidecarProcess } from '../support/sidecar-process.ts';
import { chainOf, startCluster, type Cluster, type EventObject, type Kind } from './cluster.ts';
import { probe, startOperator, type OperatorProcess } from './operator-process.ts';
import { makePod, makeServiceAccount, putSecret, requestToken } from './pods-and-tokens.ts';
import { helloOf, openStream } from './stream-client.ts';
import { until } from './until.ts';

const namespace = 'shop';
let cluster: Cluster;
let operator: OperatorProcess;
let sidecar: SidecarProcess;
const upstreams: Record<string, StandIn> = {};

beforeAll(async () => {
  cluster = await startCluster();
  operator = await startOperator({ kubeconfig: await cluster.kubeconfigOf('belay'), args: ['--certificate-name=localhost'] });
  await until(async () => (await probe(operator, '/ready')).status === 200, 20_000);
  await cluster.apply('Namespace', null, namespace);
  await makeServiceAccount(cluster.client, namespace, 'default');
  for (const name of ['one', 'two']) {
    upstreams[name] = await createStandIn({ name, script: [readAttempt({ say: `This is ${name}.` }, name)] });
    await putSecret(cluster.client, namespace, name, { apiKey: `sk-${name}` });
    await cluster.apply('ModelProvider', namespace, name, served(name));
  }
  await cluster.apply('FallbackChain', namespace, 'chat', chainOf('one', 'two'));
  await cluster.apply('FallbackChain', namespace, 'other', chainOf('two'));
  const pod = await makePod(cluster.client, namespace, 'web');
  sidecar = await startSidecarProcess({
    distributorPort: operator.ports.distributor ?? 0,
    env: { BELAY_POD_NAME: pod.name, BELAY_POD_UID: pod.uid, BELAY_POD_NAMESPACE: namespace, BELAY_CA_CERTIFICATES: await authority() },
  });
  sidecar.putToken(await requestToken(cluster.client, { namespace, pod }));
  await until(async () => (await ask('chat')).served === 'one', 20_000);
}, 900_000);

afterAll(async () => {
  await sidecar.close();
  await operator.close();
  for (const upstream of Object.values(upstreams)) await upstream.close();
  await cluster.close();
});

const served = (name: string): object => ({ spec: { dialect: 'OpenAI', baseURL: `${upstreams[name]?.origin}/v1`, allowInsecureHTTP: true, credentials: { secretKeyRef: { name, key: 'apiKey' } } } });

async function authority(): Promise<string> {
  const secret = await cluster.get<{ readonly metadata: { readonly name: string }; readonly data: Readonly<Record<string, string>> }>('Secret', 'belay-system', 'belay-ca');
  return Buffer.from(secret?.data['tls.crt'] ?? '', 'base64').toString();
}

async function ask(model: string): Promise<{ readonly status: number; readonly served: string | null; readonly chain: string | null }> {
  const answer = await fetch(`${sidecar.baseUrl}/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }] }) });
  await answer.text();
  return { status: answer.status, served: answer.headers.get('x-belay-target'), chain: answer.headers.get('x-belay-chain') };
}

/** Asks on and on until this target answers; every request must be answered. Resolves to milliseconds. */
async function askUntil(target: string): Promise<number> {
  const startedMs = performance.now();
  for (;;) {
    const answer = await ask('chat');
    expect(answer).toMatchObject({ status: 200, chain: 'chat' });
    const ms = performance.now() - startedMs;
    if (answer.served === target) return ms;
    if (ms > 10_000) throw new Error(`${answer.served} still answers after 10 s`);
  }
}

/** `False SecretKeyMissing: …` of one condition. */
async function said(kind: 'FallbackChain' | 'ModelProvider', name: string, type: string, of = namespace): Promise<string> {
  const condition = await cluster.condition(kind, of, name, type);
  return `${condition?.status} ${condition?.reason}: ${condition?.message}`;
}

async function tells(kind: 'FallbackChain' | 'ModelProvider', name: string, type: string, reason: string): Promise<string> {
  await until(async () => (await said(kind, name, type)).split(':')[0]?.endsWith(` ${reason}`) === true, 15_000);
  const sentence = await said(kind, name, type);
  console.log(`${kind} ${name}: ${type} ${sentence}`);
  return sentence;
}

const eventsOf = async (kind: Kind, name: string): Promise<readonly string[]> => (await cluster.list<EventObject>('Event', namespace)).filter(({ involvedObject }) => involvedObject.kind === kind && involvedObject.name === name).map(({ reason, message }) => `${reason}: ${message}`);

/** What is said of the chain that nothing is wrong with. */
const untouched = async (): Promise<unknown> => (await cluster.status('FallbackChain', namespace, 'other'))?.conditions;

describe('while a chain serves', () => {
  test('a Secret that loses the key that is named is said of its provider, and the rest answers; with the key it is back', async () => {
    const before = await untouched();
    await cluster.delete('Secret', namespace, 'one');
    await putSecret(cluster.client, namespace, 'one', { token: 'sk-one' });
    console.log(`the next target answers ${(await askUntil('two')).toFixed(0)} ms after the key was gone`);
    expect(await tells('ModelProvider', 'one', 'ResolvedRefs', 'SecretKeyMissing')).toBe('False SecretKeyMissing: spec.credentials.secretKeyRef.key: Secret "one" has no key "apiKey": it has token.');
    // It follows the status.
    await until(async () => (await eventsOf('ModelProvider', 'one')).at(-1)?.includes('SecretKeyMissing') === true);
    expect([await said('FallbackChain', 'chat', 'Ready'), await untouched()]).toEqual([expect.stringMatching(/^True Ready/), before]);
    await putSecret(cluster.client, namespace, 'one', { token: 'sk-one', apiKey: 'sk-one' });
    const ms = await askUntil('one');
    console.log(`the first target answers again ${ms.toFixed(0)} ms after it was there`);
    expect(ms).toBeLessThan(1_000);
  });

  test('a Secret that is deleted takes its target out within a second, and no request fails', async () => {
    const before = await untouched();
    await cluster.delete('Secret', namespace, 'one');
    const ms = await askUntil('two');
    console.log(`the next target answers ${ms.toFixed(0)} ms after the Secret was deleted`);
    expect(ms).toBeLessThan(1_000);
    await tells('ModelProvider', 'one', 'ResolvedRefs', 'SecretNotFound');
    expect([await said('FallbackChain', 'chat', 'Ready'), await untouched()]).toEqual([expect.stringMatching(/^True Ready/), before]);
    await putSecret(cluster.client, namespace, 'one', { apiKey: 'sk-one' });
    await askUntil('one');
  });

  test('a provider that is deleted takes its target out within a second, and no request fails', async () => {
    const before = await untouched();
    await cluster.delete('ModelProvider', namespace, 'one');
    const ms = await askUntil('two');
    console.log(`the next target answers ${ms.toFixed(0)} ms after the provider was deleted`);
    expect(ms).toBeLessThan(1_000);
    await tells('FallbackChain', 'chat', 'ResolvedRefs', 'ProviderNotFound');
    expect((await eventsOf('FallbackChain', 'chat')).some((event) => event.startsWith('ProviderNotFound: '))).toBe(true);
    const asked = upstreams['one']?.requests.length;
    for (let n = 0; n < 10; n++) expect(await ask('chat')).toMatchObject({ status: 200, served: 'two' });
    expect([upstreams['one']?.requests.length, await said('FallbackChain', 'chat', 'Ready'), await untouched()]).toEqual([asked, expect.stringMatching(/^True Ready/), before]);
    await cluster.apply('ModelProvider', namespace, 'one', served('one'));
    await askUntil('one');
  });
});

test('of two chains that claim one name the older keeps it, and the other says so', async () => {
  const before = await untouched();
  const claiming = (...modelNames: readonly string[]): object => ({ spec: { ...(chainOf('two') as { readonly spec: object }).spec, modelNames } });
  await cluster.apply('FallbackChain', namespace, 'first', claiming('gpt-4o'));
  await until(async () => (await ask('gpt-4o')).chain === 'first');
  await cluster.apply('FallbackChain', namespace, 'late', claiming('gpt-4o'));
  await cluster.apply('FallbackChain', namespace, 'partly', claiming('gpt-4o', 'mine'));
  expect(await tells('FallbackChain', 'late', 'Accepted', 'NameTaken')).toMatch(/^False NameTaken: .*gpt-4o.*first/);
  expect(await tells('FallbackChain', 'partly', 'PartiallyInvalid', 'NameTaken')).toMatch(/^True NameTaken: .*gpt-4o.*first/);
  await until(async () => (await ask('mine')).chain === 'partly');
  expect([await ask('gpt-4o'), await untouched()]).toEqual([{ status: 200, chain: 'first', served: 'two' }, before]);
  for (const name of ['first', 'late', 'partly']) await cluster.delete('FallbackChain', namespace, name);
});

test('a sidecar that reads no table of this release is counted and named, and the others are served', async () => {
  const pod = await makePod(cluster.client, namespace, 'of-another-release');
  const client = openStream({ port: operator.ports.distributor ?? 0, ca: await authority(), token: await requestToken(cluster.client, { namespace, pod }) });
  try {
    client.ackAll();
    client.send(helloOf(pod.name, pod.uid, { schemaVersions: [2, 3] }));
    await until(() => client.newest('table') !== undefined);
    const { schemaVersion, chains } = client.newest('table')?.data as RoutingTable;
    expect([schemaVersion, chains.filter(({ unroutable }) => unroutable === null)]).toEqual([3, []]);
    client.send({ frame: 'report', chains: [] });
    const counted = { connected: 2, current: 1, lastError: 'pod of-another-release: this sidecar reads tables of schemaVersion 2, 3 alone: restart the pod to give it a newer one', rejected: 1 };
    await until(async () => JSON.stringify((await cluster.status('FallbackChain', namespace, 'chat'))?.['sidecars']) === JSON.stringify(counted), 20_000);
    console.log('status.sidecars:', counted);
    await tells('FallbackChain', 'chat', 'Programmed', 'Rejected');
    expect(await ask('chat')).toMatchObject({ status: 200, served: 'one' });
  } finally {
    client.close();
  }
  await until(async () => (await said('FallbackChain', 'chat', 'Programmed')).startsWith('True'), 20_000);
}, 90_000);

test('names as long as names may be are served, and what is wrong with them is told', async () => {
  const long = (start: string): string => `${start}${'-long.name'.repeat(30)}`.slice(0, 252).replace(/[-.]+$/, 'x').padEnd(253, 'x');
  const [provider, chain] = [long('provider'), long('chain')];
  await putSecret(cluster.client, namespace, provider, { apiKey: 'sk-long' });
  const { spec } = served('two') as { readonly spec: object };
  await cluster.apply('ModelProvider', namespace, provider, { spec: { ...spec, credentials: { secretKeyRef: { name: provider, key: 'apiKey' } } } });
  await cluster.apply('FallbackChain', namespace, chain, chainOf(provider, 'nobody'));
  await tells('FallbackChain', chain, 'ResolvedRefs', 'ProviderNotFound');
  await until(async () => (await ask(chain)).status === 200);
  expect([provider.length, chain.length, await ask(chain)]).toEqual([253, 253, { status: 200, served: provider, chain }]);
  await until(async () => (await eventsOf('FallbackChain', chain)).some((event) => event.startsWith('ProviderNotFound: ')));
  expect(operator.lines().filter(({ level, event }) => level !== 'info' && event === 'event-lost')).toEqual([]);
});

test('a CRD that is deleted takes its chains along, and what is applied after it is there again is served; the operator lives on meanwhile', async () => {
  const place = { resource: { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' } };
  const name = 'fallbackchains.belay.dev';
  const { spec } = await cluster.client.get<KubeObject & { readonly spec: object }>({ ...place, name });
  await cluster.delete('CustomResourceDefinition', null, name);
  await until(async () => (await ask('chat')).status === 404, 20_000);
  await until(() => operator.lines().some(({ event, message }) => event === 'watch-failed' && message.includes('fallbackchains.belay.dev: the API server answered 404')), 20_000);
  expect([(await probe(operator, '/live')).status, (await probe(operator, '/ready')).status]).toEqual([200, 200]);
  await cluster.client.create(place, { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name }, spec });
  await until(async () => cluster.apply('FallbackChain', namespace, 'chat', chainOf('one', 'two')).then(() => true, () => false), 20_000);
  await until(async () => (await ask('chat')).served === 'one', 40_000);
  await until(async () => (await said('FallbackChain', 'chat', 'Ready')).startsWith('True'), 20_000);
}, 120_000);
