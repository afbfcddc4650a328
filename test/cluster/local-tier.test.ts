// A llama.cpp server that Belay runs, on a real node: how it comes, changes, breaks and goes, and what is said of it.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ensureBelay } from './stage/belay-release.ts';
import { killPod, raiseKiller } from './stage/kill-pod.ts';
import { application, chain, localProvider, modelVolume, provider, secret, standIn, type Manifest } from './stage/stage-manifests.ts';
import { raiseStage, until, type Stage } from './stage/stage.ts';

interface Condition { readonly type: string; readonly status: string; readonly reason: string; readonly message: string }
interface WithStatus { readonly status?: { readonly conditions?: readonly Condition[]; readonly targets?: readonly { readonly name: string; readonly health: string }[] } }
interface Endpoint { readonly name: string; readonly state: string }
interface Deployment { readonly metadata: { readonly resourceVersion: string; readonly generation: number }; readonly spec: { readonly replicas: number; readonly template: { readonly spec: { readonly containers: readonly { readonly args: readonly string[]; readonly resources: object }[] } } } }
interface Pods { readonly items: readonly { readonly metadata: { readonly name: string; readonly uid: string }; readonly spec: { readonly containers: readonly { readonly resources: object }[] } }[] }

const server = '/app/llama-server';
const deploymentName = 'deployment/belay-local-local';
const podsOf = (name: string): readonly string[] => ['pods', '--selector', `belay.dev/provider=${name}`, '--field-selector', 'status.phase=Running'];
const open: Stage[] = [];
let stage: Stage;

beforeAll(async () => {
  stage = await raise('tier');
  await ensureBelay(stage.cluster);
  await stage.apply(
    modelVolume(stage.namespace), standIn('cloud'), secret('cloud', 'sk-of-the-cloud-0002'), provider(stage.namespace, 'cloud'),
    chain('chat', ['local', 'cloud']), chain('patient', ['local']), application('app'), application('patient', { model: 'patient', loadEveryMs: 500 }),
  );
  await stage.kubectl('wait', '--for=condition=Complete', 'job/fetch-model', '--timeout=120s');
  await stage.rolledOut('cloud', 'app', 'patient');
}, 300_000);

afterAll(async () => {
  for (const one of open) await one.close();
});

async function raise(...args: Parameters<typeof raiseStage>): Promise<Stage> {
  const raised = await raiseStage(...args);
  open.push(raised);
  return raised;
}

async function readyOf({ get }: Stage, name: string): Promise<Condition> {
  const { status } = await get<WithStatus>('modelprovider', name);
  return status!.conditions!.find(({ type }) => type === 'Ready')!;
}

async function endpointOf({ kubectl }: Stage, name: string): Promise<string | undefined> {
  const endpoints = JSON.parse(await kubectl('get', 'configmap', 'belay-bootstrap', '--output', 'jsonpath={.data.endpoints\\.json}')) as readonly Endpoint[];
  return endpoints.find((one) => one.name === name)?.state;
}

async function healthOf({ get }: Stage, name: string, target: string): Promise<string | undefined> {
  return (await get<WithStatus>('fbchain', name)).status?.targets?.find((one) => one.name === target)?.health;
}

function becomes(of: Stage, name: string, reason: string, limitMs = 120_000): Promise<Condition> {
  return until(`${name} is ${reason}`, limitMs, async () => {
    const ready = await readyOf(of, name);
    return ready.reason === reason ? ready : null;
  });
}

const local = (more: object = {}, spec: object = {}): Manifest => localProvider('local', { parallel: 2, ...more }, spec);

test('what is said of it follows the model: loading, then ready', async () => {
  const seen = { ready: new Set<string>(), endpoint: new Set<string | undefined>(), target: new Set<string | undefined>() };
  // With a fifth of a core it loads for seconds: long enough to be seen by whoever asks now and then.
  await stage.apply(local({ resources: { requests: { cpu: '100m', memory: '256Mi' }, limits: { cpu: '200m', memory: '600Mi' } } }));
  await until('the model is loaded', 120_000, async () => {
    const { status, reason, message } = await readyOf(stage, 'local');
    seen.ready.add(`${status} ${reason}: ${message.replace(/belay-local-\S+/, 'POD')}`);
    seen.endpoint.add(await endpointOf(stage, 'local'));
    seen.target.add(await healthOf(stage, 'chat', 'local'));
    return status === 'True' || null;
  });
  console.log(seen);
  expect([...seen.ready]).toEqual(expect.arrayContaining(['False Loading: Pod POD loads the model.', 'True Ready: Its server is ready.']));
  expect(seen.endpoint).toContain('Loading');
  expect(seen.target).toContain('Loading');
  await until('its endpoint is Ready', 10_000, async () => (await endpointOf(stage, 'local')) === 'Ready' || null);
  expect(await stage.ask('app')).toMatchObject({ status: 200, headers: { 'x-belay-target': 'local' } });
  // Counts of a chain are written every 10 s at most.
  await until('the chain says that it no longer loads', 15_000, async () => (await healthOf(stage, 'chat', 'local')) !== 'Loading' || null);
  await stage.apply(local());
  await stage.kubectl('rollout', 'status', deploymentName, '--timeout=60s');
  await becomes(stage, 'local', 'Ready');
}, 180_000);

test('an apply that changes nothing writes nothing', async () => {
  const versions = async (): Promise<string> => stage.kubectl('get', deploymentName, 'service/belay-local-local', '--output', 'jsonpath={range .items[*]}{.kind} {.metadata.resourceVersion};{end}');
  const before = await versions();
  await stage.apply(local());
  // The operator has looked at the namespace again.
  await stage.apply(provider(stage.namespace, 'later', { keyless: true }));
  await becomes(stage, 'later', 'Ready', 15_000);
  expect(await versions()).toBe(before);
}, 60_000);

describe('a changed spec rolls:', () => {
  test('the server comes anew as it says, while one chain answers from elsewhere and one waits', async () => {
    await until('the patient application was answered', 60_000, async () => (await stage.load('patient', 'forget')).answered > 0 || null);
    const { metadata: { generation } } = await stage.get<Deployment>(deploymentName);
    const resources = { requests: { cpu: '100m', memory: '200Mi' }, limits: { cpu: '1500m', memory: '600Mi' } };
    await stage.apply(local({ contextTokens: 768, replicas: 2, resources }));
    const elsewhere = await until('the other target answers', 30_000, async () => {
      const answer = await stage.ask('app');
      return answer.headers['x-belay-target'] === 'cloud' ? answer : null;
    });
    expect(elsewhere).toMatchObject({ status: 200, text: 'This is cloud.' });
    console.log(elsewhere.headers);
    await until('both servers are ready', 120_000, async () => (await readyOf(stage, 'local')).message === 'All 2 servers are ready.' || null);
    const { metadata, spec: { template: { spec: { containers: [container] } } } } = await stage.get<Deployment>(deploymentName);
    expect([metadata.generation, container!.args.join(' ')]).toEqual([generation + 1, expect.stringMatching(/--ctx-size 1536 --parallel 2 --threads 1 /)]);
    const { items } = await stage.get<Pods>(...podsOf('local'));
    expect(items.map(({ spec }) => spec.containers[0]!.resources)).toEqual([resources, resources]);
    await until('it is asked again', 30_000, async () => (await stage.ask('app')).headers['x-belay-target'] === 'local' || null);
    await until('the patient application was answered', 60_000, async () => (await stage.load('patient')).answered > 0 || null);
    const load = await stage.load('patient', 'forget');
    console.log(load);
    expect(load.failures).toEqual([]);
  }, 240_000);
});

test('SIGKILL in the middle of an answer: what was being streamed ends in an error, what was not comes from elsewhere, and both in words', async () => {
  await stage.apply(local({ contextTokens: 768 }));
  await raiseKiller(stage);
  await until('one server is left', 120_000, async () => ((await stage.get<Pods>(...podsOf('local'))).items.length === 1 && (await readyOf(stage, 'local')).message === 'Its server is ready.') || null);
  await stage.kubectl('scale', 'deployment/patient', '--replicas=0');
  const decoded = async (): Promise<number> => Number(/^llamacpp:n_decode_total (\d+)/m.exec(await stage.kubectl('get', '--raw', `/api/v1/namespaces/${stage.namespace}/services/belay-local-local:8080/proxy/metrics`))?.[1]);
  const before = await decoded();
  const streamed = stage.ask('app', { stream: true, tokens: 600, text: 'Tell a very long story of a robot.' });
  const whole = stage.ask('app', { tokens: 600, text: 'Tell another very long story of a dog.' });
  await until('it is speaking', 60_000, async () => (await decoded()) > before + 20 || null);
  const [pod] = (await stage.get<Pods>(...podsOf('local'))).items;
  await killPod(stage, pod!.metadata.name, server);
  const [broken, other] = await Promise.all([streamed, whole]);
  console.log(broken, other);
  expect(broken).toMatchObject({ error: expect.stringMatching(/local/), text: expect.stringMatching(/./), headers: { 'x-belay-target': 'local' } });
  expect(other).toMatchObject({ status: 200, text: 'This is cloud.', headers: { 'x-belay-target': 'cloud' } });
  await becomes(stage, 'local', 'Ready');
}, 240_000);

describe('what keeps it from coming is said within 15 s:', () => {
  test.each<readonly [string, string, object, string, string]>([
    ['a file that is not on the volume', 'no-file', { claimName: 'models', path: 'other/q4.gguf' }, 'ModelMissing', 'llama.cpp could not load other/q4.gguf from PersistentVolumeClaim "models": put the GGUF file there, readable for everybody'],
    ['a claim that is not there', 'no-claim', { claimName: 'nowhere', path: 'q4.gguf' }, 'ClaimNotFound', 'There is no PersistentVolumeClaim "nowhere" in its namespace: create it, with the model on it.'],
  ])('%s', async (_sentence, name, persistentVolumeClaim, reason, message) => {
    const startedMs = performance.now();
    await stage.apply(localProvider(name, { model: { persistentVolumeClaim } }));
    const ready = await becomes(stage, name, reason, 60_000);
    const ms = performance.now() - startedMs;
    console.log(`${name}: ${(ms / 1_000).toFixed(1)} s after kubectl apply: ${ready.message}`);
    expect(ready).toMatchObject({ status: 'False', message: expect.stringContaining(message) });
    expect(ms).toBeLessThan(15_000);
    await stage.kubectl('delete', 'modelprovider', name);
  }, 90_000);
});

test('a namespace of the restricted Pod Security standard gets a server and a sidecar', async () => {
  const strict = await raise('strict', { 'pod-security.kubernetes.io/enforce': 'restricted' });
  await strict.apply(modelVolume(strict.namespace, { filledBy: stage.namespace }), local(), chain('chat', ['local']), application('app'));
  await strict.rolledOut('app');
  await becomes(strict, 'local', 'Ready');
  expect(await strict.ask('app')).toMatchObject({ status: 200, headers: { 'x-belay-target': 'local' } });
  await strict.close();
}, 180_000);

describe('a provider of another namespace', () => {
  test('is used where its owner allows it, and no more within a second of the owner\'s word', async () => {
    const user = await raise('user');
    const shares = (from: 'Same' | 'Selector'): { readonly [field: string]: unknown } => ({ allowedNamespaces: from === 'Same' ? { from } : { from, selector: { matchLabels: { 'kubernetes.io/metadata.name': user.namespace } } } });
    const owned = (from: 'Same' | 'Selector') => stage.apply(local({ contextTokens: 768 }, shares(from)), provider(stage.namespace, 'cloud', shares(from)));
    const foreign = (name: string): object => ({ providerRef: { name, namespace: stage.namespace }, model: `model-of-${name}` });
    await owned('Selector');
    await user.apply(
      standIn('own'), provider(user.namespace, 'own', { keyless: true }), chain('keyed', [foreign('cloud'), 'own']), chain('lent', [foreign('local'), 'own']),
      application('keyed', { model: 'keyed', loadEveryMs: 20 }), application('lent', { model: 'lent', loadEveryMs: 20 }),
    );
    await user.rolledOut('own', 'keyed', 'lent');
    for (const [app, target] of [['keyed', 'cloud'], ['lent', 'local']] as const) {
      await user.load(app, 'forget');
      await until(`${app} is answered by ${target}`, 60_000, async () => (await user.load(app)).lastSentMs[target] !== undefined || null);
    }
    await owned('Same');
    const fromMs = Date.now();
    for (const [app, target] of [['keyed', 'cloud'], ['lent', 'local']] as const) {
      const load = await until(`${app} is answered by its own`, 30_000, async () => {
        const seen = await user.load(app);
        return (seen.firstMs['own'] ?? 0) > fromMs - 1_000 ? seen : null;
      });
      const lateMs = (load.lastSentMs[target] ?? 0) - fromMs;
      console.log(`${app}: the last request that ${target} answered was sent ${Math.abs(lateMs)} ms ${lateMs < 0 ? 'before' : 'after'} kubectl's exit`);
      expect(lateMs).toBeLessThan(1_000);
      await user.load(app, 'forget');
      const after = await until('it is asked on', 30_000, async () => {
        const seen = await user.load(app);
        return seen.answered >= 10 ? seen : null;
      });
      expect([Object.keys(after.lastSentMs), after.failures]).toEqual([['own'], []]);
    }
    console.log(await user.kubectl('get', 'fbchain', 'lent', '--output', 'jsonpath={.status.conditions[?(@.type=="ResolvedRefs")].message}'));
    await user.close();
  }, 180_000);
});

test('with the provider its Deployment, its Service and its pods go', async () => {
  const left = async (): Promise<string> => stage.kubectl('get', 'deployments,services,pods', '--selector', 'belay.dev/provider=local', '--output', 'name');
  expect((await left()).trim().split('\n')).toHaveLength(3);
  await stage.kubectl('delete', 'modelprovider', 'local');
  await until('nothing of it is left', 60_000, async () => (await left()) === '' || null);
  expect(await stage.ask('app')).toMatchObject({ status: 200, headers: { 'x-belay-target': 'cloud' } });
}, 90_000);
