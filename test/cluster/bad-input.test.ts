// What people get wrong, as a real API server, its controllers and a real kubelet show it to them.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ensureBelay, releaseNamespace } from './stage/belay-release.ts';
import { application, chain, localProvider, modelVolume, provider, secret, standIn, type Manifest } from './stage/stage-manifests.ts';
import { raiseStage, until, type Stage } from './stage/stage.ts';

const open: Stage[] = [];
let stage: Stage;

beforeAll(async () => {
  stage = await raise('bad');
  await ensureBelay(stage.cluster);
  await stage.apply(standIn('cloud'), provider(stage.namespace, 'cloud', { keyless: true }), chain('chat', ['cloud']), application('app'));
  await stage.rolledOut('cloud', 'app');
}, 300_000);

afterAll(async () => {
  for (const one of open) await one.close();
});

async function raise(prefix: string): Promise<Stage> {
  const raised = await raiseStage(prefix);
  open.push(raised);
  return raised;
}

/** The pod that a Deployment of that name would make. */
function podOf({ metadata: { name }, spec }: Manifest, podName = name): Manifest {
  const { template } = spec as { readonly template: { readonly metadata: object; readonly spec: object } };
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: podName, ...template.metadata }, spec: template.spec };
}

describe('a pod is denied in a sentence, to whoever applies it and in the Event of whoever makes it, for', () => {
  test.each<readonly [string, string, Parameters<typeof application>[1], string]>([
    ['an annotation that cannot name a chain', 'misspelt', { annotations: { 'belay.dev/inject': 'Support Chat' } }, 'belay.dev/inject: must be "true", "false", or the names of chains with commas between them; "Support Chat" is no name of a chain'],
    ['a chain of another namespace', 'elsewhere', { annotations: { 'belay.dev/inject': 'other/chat' } }, 'belay.dev/inject: chains of another namespace cannot be named yet'],
    ['a quantity that is none', 'lots', { annotations: { 'belay.dev/inject': 'true', 'belay.dev/sidecar-memory': 'lots' } }, 'belay.dev/sidecar-memory'],
    ['the network of its node', 'hostly', { spec: { hostNetwork: true } }, "spec.hostNetwork: a pod on its node's network shares 127.0.0.1:7411 with every other one there"],
  ])('%s', async (_sentence, name, options, words) => {
    const wrong = application(name, options);
    const denied = await stage.apply(podOf(wrong)).then(() => 'it was taken', (error: Error) => error.message);
    console.log(denied);
    expect(denied).toContain('admission webhook "inject.belay.dev" denied the request');
    expect(denied).toContain(words);
    await stage.apply(wrong);
    const event = await until('an Event of its ReplicaSet', 30_000, async () => {
      const events = await stage.kubectl('events', '--types=Warning', '--no-headers');
      return events.split('\n').find((line) => line.includes(`ReplicaSet/${name}`) && line.includes('FailedCreate')) ?? null;
    });
    console.log(event);
    expect(event).toContain(words);
    await stage.kubectl('delete', 'deployment', name, '--wait=false');
    expect(await stage.ask('app')).toMatchObject({ status: 200, text: 'This is cloud.' });
  }, 60_000);
});

test('a namespace that cannot end is left alone: nothing is written there and nothing is said again', async () => {
  const going = await raise('going');
  await going.apply(
    standIn('cloud'), provider(going.namespace, 'cloud', { keyless: true }), localProvider('local'),
    { ...chain('chat', ['cloud', 'local']), metadata: { name: 'chat', finalizers: ['example.org/hold'] } }, application('app'),
  );
  await going.rolledOut('cloud', 'app');
  await until('it is answered', 30_000, async () => (await going.ask('app')).status === 200 || null);
  const operator = (await going.cluster.kubectl(['--namespace', releaseNamespace, 'get', 'pods', '--selector', 'app.kubernetes.io/component=controller', '--output', 'name'])).trim();
  const said = async (): Promise<readonly string[]> => (await going.cluster.kubectl(['--namespace', releaseNamespace, 'logs', operator])).split('\n').filter((line) => line.includes(going.namespace));
  const versionOf = async (): Promise<string> => going.kubectl('get', 'fbchain', 'chat', '--output', 'jsonpath={.metadata.resourceVersion}');
  const before = await said();
  await going.kubectl('delete', 'namespace', going.namespace, '--wait=false');
  await until('all but the chain is gone', 90_000, async () => (await going.kubectl('get', 'pods,modelproviders,deployments,configmaps', '--output', 'name')).trim() === '' || null);
  const [during, version] = [await said(), await versionOf()];
  await expect(going.kubectl('wait', '--for=delete', `namespace/${going.namespace}`, '--timeout=6s')).rejects.toThrow('timed out');
  const after = (await said()).slice(before.length);
  console.log(`${after.length} lines of the operator's log since the namespace was to go:\n${after.join('\n')}`);
  expect([after.length, await versionOf()]).toEqual([during.length - before.length, version]);
  expect(after.filter((line) => !line.includes('"level":"info"'))).toEqual([]);
  expect(await stage.ask('app')).toMatchObject({ status: 200 });
  await going.kubectl('patch', 'fbchain', 'chat', '--type=merge', '--patch', '{"metadata":{"finalizers":null}}');
  await going.kubectl('wait', '--for=delete', `namespace/${going.namespace}`, '--timeout=60s');
}, 240_000);

test('names as long as they may be serve: namespace, chain, provider, Secret, a server of Belay and a pod', async () => {
  const long = (start: string, length: number): string => start.padEnd(length, '-long.name').replace(/[-.]$/, 'x');
  const lengthy = await raise('long-name-of-a-namespace'.padEnd(56, '-x'));
  const names = { chain: long('chain', 253), keyed: long('keyed', 253), local: long('local', 253), pod: long('pod', 150) };
  await lengthy.apply(
    modelVolume(lengthy.namespace), standIn('cloud'), secret(names.keyed, 'sk-of-a-long-name'), provider(lengthy.namespace, names.keyed, { host: 'cloud' }), localProvider(names.local),
    chain(names.chain, [names.keyed, names.local]), podOf(application('long', { annotations: { 'belay.dev/inject': names.chain }, model: names.chain }), names.pod),
  );
  await lengthy.rolledOut('cloud');
  await lengthy.kubectl('wait', '--for=condition=Ready', `pod/${names.pod}`, '--timeout=60s');
  expect([lengthy.namespace.length, names.chain.length, names.keyed.length, names.local.length, names.pod.length]).toEqual([63, 253, 253, 253, 150]);
  await until('the first target answers', 30_000, async () => (await lengthy.ask('long')).headers['x-belay-target'] === names.keyed || null);
  await until('the model is loaded', 120_000, async () => (await lengthy.kubectl('get', 'modelprovider', names.local, '--output', 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')) === 'True' || null);
  await lengthy.order('cloud', 'refuse');
  const answer = await lengthy.ask('long');
  console.log(answer, await lengthy.kubectl('get', 'deployments,services,fbchain,mprov'));
  expect(answer).toMatchObject({ status: 200, headers: { 'x-belay-target': names.local, 'x-belay-chain': names.chain, 'x-belay-request-id': expect.stringContaining(names.pod) } });
  await until('status.serving tells', 30_000, async () => {
    await lengthy.ask('long');
    return (await lengthy.kubectl('get', 'fbchain', names.chain, '--output', 'jsonpath={.status.serving}')).startsWith(names.local) || null;
  });
  await until('the Event is there', 15_000, async () => (await lengthy.kubectl('get', 'events', '--output', 'jsonpath={.items[*].reason}')).includes('FallbackActive') || null);
}, 240_000);
