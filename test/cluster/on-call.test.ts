// What somebody who was woken reads of five faults, put in one after the other: kubectl get, describe and Events alone say within 15 s what is wrong and
// what to do, `belay status` says the same, and no request fails meanwhile.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { belayCommand } from '../support/belay-process.ts';
import { ensureBelay, release, releaseNamespace } from './stage/belay-release.ts';
import { bringBack, inRelease, takeDown } from './stage/operator-outage.ts';
import { application, chain, localProvider, modelJob, modelVolume, provider, secret, standIn } from './stage/stage-manifests.ts';
import { raiseStage, until, type Stage } from './stage/stage.ts';

const key = 'sk-of-the-right-account-0001';
const wrongKey = 'sk-of-a-closed-account-0002';
/** Each chain and its first target; the second is gemini, which never fails. */
const firsts = { chat: 'opus', search: 'sonnet', draft: 'haiku', notes: 'on-cluster' } as const;
type Chain = keyof typeof firsts;
const asked = ['chat', 'search', 'draft'] as const;

let stage: Stage;

beforeAll(async () => {
  stage = await raiseStage('on-call');
  const { namespace } = stage;
  await ensureBelay(stage.cluster);
  const clouds = ['opus', 'sonnet', 'haiku', 'gemini'];
  await stage.apply(
    modelVolume(namespace), ...clouds.flatMap((name) => [standIn(name, undefined, key), secret(name, key), provider(namespace, name)]), localProvider('on-cluster'),
    ...Object.entries(firsts).map(([name, first]) => chain(name, [first, 'gemini'], { latencyBudget: name === 'notes' ? '60s' : '2s' })),
    application('app', { model: asked.join(','), loadEveryMs: 300 }),
  );
  await stage.rolledOut(...clouds, 'app');
  await until('the local model answers', 120_000, async () => (await stage.ask('app', { model: 'notes' })).headers['x-belay-target'] === 'on-cluster' || null);
  for (const name of Object.keys(firsts)) await allWell(name as Chain);
  await stage.load('app', 'forget');
}, 300_000);

afterAll(async () => {
  if (stage === undefined) return;
  await bringBack(stage.cluster, 'belay');
  await stage.close();
}, 120_000);

describe('a fault reads within 15 s as what it is', () => {
  test('the key is deleted', async () => {
    await stage.kubectl('delete', 'secret', 'opus');
    await reads('the key is deleted', 'chat', {
      get: [/chat +gemini \d+% since \d\d:\d\d \(opus: KeyNotDelivered\) +True/, /opus +False +SecretNotFound/],
      chain: [/Problem: +KeyNotDelivered \(its key is not there: check key "apiKey" of Secret "opus"/, /Warning +FallbackActive .*gemini answers .* in place of opus since .*KeyNotDelivered \(its key is not there: check key "apiKey" of Secret "opus"/],
      provider: [/there is no Secret "opus" in namespace \S+: create it with the key apiKey/, /Warning +SecretNotFound/],
      status: [/ModelProvider \S+\/opus +.*there is no Secret "opus"/, /FallbackChain \S+\/chat +opus does not answer.*Secret "opus"/],
    });
    await stage.apply(secret('opus', key));
  }, 60_000);

  test('the provider answers 503', async () => {
    await stage.script('sonnet', [{ status: 503, json: { error: { message: `upstream says ${wrongKey}` } } }]);
    await reads('the provider answers 503', 'search', {
      get: [/search +gemini \d+% since \d\d:\d\d \(sonnet: Overload\) +True/],
      chain: [/Health: +Unhealthy/, /Problem: +Overload \(it says that it is overloaded: see its status page/, /Warning +FallbackActive .*in place of sonnet since .*Overload \(it says that it is overloaded/],
      provider: [/Chains can use this provider; kubectl describe fbchain tells whether it answers/],
      status: [/FallbackChain \S+\/search +sonnet does not answer.*Overload \(it says that it is overloaded/],
    });
    await stage.script('sonnet', [{ say: 'This is sonnet.' }]);
  }, 60_000);

  test('the provider says nothing', async () => {
    await stage.script('haiku', [{ hang: true }]);
    await reads('the provider says nothing', 'draft', {
      get: [/draft +gemini \d+% since \d\d:\d\d \(haiku: Timeout\) +True/],
      chain: [/Problem: +Timeout \(no answer in time: see its status page/, /Warning +FallbackActive .*in place of haiku since .*Timeout \(no answer in time/],
      provider: [/Chains can use this provider/],
      status: [/FallbackChain \S+\/draft +haiku does not answer.*Timeout \(no answer in time/],
    });
    await stage.script('haiku', [{ say: 'This is haiku.' }]);
  }, 60_000);

  test('the key is one that the provider refuses', async () => {
    await allWell('chat');
    await stage.apply(secret('opus', wrongKey));
    const seen = await reads('the provider refuses the key', 'chat', {
      get: [/chat +gemini \d+% since \d\d:\d\d \(opus: Auth\) +True/],
      chain: [/Problem: +Auth \(it refuses the key: check key "apiKey" of Secret "opus"\)/, /Warning +FallbackActive .*in place of opus since .*Auth \(it refuses the key: check key "apiKey" of Secret "opus"\)/],
      provider: [/Chains can use this provider; kubectl describe fbchain tells whether it answers/],
      status: [/FallbackChain \S+\/chat +opus does not answer.*Auth \(it refuses the key: check key "apiKey" of Secret "opus"\)/],
    });
    expect(JSON.stringify(seen)).not.toMatch(new RegExp(`${key}|${wrongKey}`));
    await stage.apply(secret('opus', key));
  }, 90_000);

  test('the model file is gone', async () => {
    await stage.apply(modelJob('lose-model', 'remove'));
    await stage.kubectl('wait', '--for=condition=complete', 'job/lose-model', '--timeout=60s');
    await restartLocal();
    await reads('the model file is gone', 'notes', {
      get: [/notes +gemini \d+% since \d\d:\d\d \(on-cluster: Absent\) +True/, /on-cluster +False +ModelMissing/],
      chain: [/Health: +Absent/, /Problem: +Absent \(its server is not there: llama.cpp could not load \S+ from PersistentVolumeClaim "models": put the GGUF file there/, /Warning +FallbackActive .*gemini answers .* in place of on-cluster/],
      provider: [/llama.cpp could not load \S+ from PersistentVolumeClaim "models": put the GGUF file there, readable for everybody/, /Warning +ModelMissing/],
      status: [/ModelProvider \S+\/on-cluster +llama.cpp could not load/, /FallbackChain \S+\/notes +on-cluster does not answer/],
    });
    await stage.apply(modelJob('fetch-model-again', 'put'));
    await stage.kubectl('wait', '--for=condition=complete', 'job/fetch-model-again', '--timeout=60s');
    await restartLocal();
  }, 180_000);

  test('the operator is down', async () => {
    for (const name of asked) await allWell(name);
    await takeDown(stage.cluster, 'belay');
    await until('belay status says so', 15_000, async () => (await belay('status')).text.includes('OperatorDown') || null);
    const pods = await inRelease(stage.cluster, 'get', 'pods', '--output', 'name');
    expect(pods).not.toMatch(new RegExp(`pod/${release}-(?!webhook)`));
    await stage.script('sonnet', [{ status: 503, json: {} }]);
    const answer = await until('a request falls back', 15_000, async () => {
      const one = await stage.ask('app', { model: 'search' });
      return one.headers['x-belay-target'] === 'gemini' ? one : null;
    });
    const status = await belay('status');
    expect(status).toMatchObject({ code: 1, text: expect.stringMatching(/Deployment belay-system\/belay +None of its pods is ready: what stands here is as it was when it last ran; sidecars serve on with what they have/) });
    console.log(`=== the operator is down\n$ kubectl get pods -n ${releaseNamespace}\n${pods}\n$ belay status\n${status.text}\nA request meanwhile: ${answer.status} ${answer.headers['x-belay-attempts']}`);
    await bringBack(stage.cluster, 'belay');
    await until('status tells of what it has missed', 60_000, async () => (await serving('search')).startsWith('gemini ') || null);
    await stage.script('sonnet', [{ say: 'This is sonnet.' }]);
  }, 180_000);
});

describe('when all are mended', () => {
  test('each chain says so, in status and Events, which are few, and kubectl explains what is read', async () => {
    for (const name of Object.keys(firsts)) await allWell(name as Chain);
    const status = await until('no problem is left', 60_000, async () => {
      const { code, text } = await belay('status');
      return code === 0 ? text : null;
    });
    expect(status).toContain('No problems.');
    const events = await eventsOf();
    console.log(`=== all are mended\n$ kubectl get fbchain,mprov -o wide\n${await stage.kubectl('get', 'fbchain,mprov', '--output', 'wide')}\n${status}\n${events.map(({ type, reason, count, message, involvedObject: { name } }) => `${type} ${reason} ${name} ×${count}: ${message}`).join('\n')}`);
    // A machine that is busy may have fallen back on its own account; a flood is what must not be.
    for (const name of Object.keys(firsts)) {
      const told = events.filter(({ involvedObject }) => involvedObject.kind === 'FallbackChain' && involvedObject.name === name);
      expect(told.at(-1)).toMatchObject({ reason: 'FallbackCleared' });
      expect(told.length).toBeLessThanOrEqual(10);
      for (const { count } of told) expect(count).toBeLessThanOrEqual(3);
    }
    expect(await stage.kubectl('explain', 'fallbackchain.status.targets.problem')).toContain('Why it is not healthy, and what to do');
  }, 120_000);

  test('no request failed', async () => {
    const load = await stage.load('app');
    console.log(load);
    expect(load.failures).toEqual([]);
    expect(load.answered).toBeGreaterThan(100);
  });
});

describe('belay why', () => {
  let id = '';

  test('tells of a request by the id that its application was given', async () => {
    await stage.script('sonnet', [{ status: 503, json: {} }]);
    const answer = await until('a request falls back', 15_000, async () => {
      const one = await stage.ask('app', { model: 'search' });
      return one.headers['x-belay-attempts']?.includes('sonnet') === true && one.headers['x-belay-target'] === 'gemini' ? one : null;
    });
    id = answer.headers['x-belay-request-id'] ?? '';
    const why = await belay('why', id);
    console.log(`$ belay why ${id}\n${why.text}`);
    expect(why).toMatchObject({ code: 0, text: expect.stringMatching(/^search: gemini answered in .*sonnet: Overload 503.*\n.*\n\n +TARGET .*\n1 +sonnet .*Failed +Overload.*\n2 +gemini .*Ok/) });
  }, 60_000);

  test.each([
    ['a pod without a sidecar', async () => `${await podOf('gemini')}.1`, /^belay why: pod gemini-\S+ in namespace \S+ has no sidecar of Belay: it was not injected, and no request went through it\.$/],
    ['an id that its pod does not know', async () => `${await podOf('app')}.999999999`, /^belay why: The sidecar of pod app-\S+ in namespace \S+ keeps no decision app-\S+\.999999999: it keeps the last 256/],
    ['a pod that is gone', async () => {
      await stage.kubectl('delete', 'pod', await podOf('app'), '--wait=true');
      return id;
    }, /^belay why: there is no pod app-\S+ in namespace \S+: decisions live in their pod alone, and go with it\.$/],
  ])('%s', async (_, idOf, expected) => {
    const { code, text } = await belay('why', await idOf());
    console.log(text);
    expect({ code, text: text.trim() }).toEqual({ code: 1, text: expect.stringMatching(expected) });
  }, 60_000);
});

/** What must be read: of `kubectl get fbchain,mprov`, `describe` of the chain and of its first target's provider, and `belay status`. */
interface Words {
  readonly get: readonly RegExp[];
  readonly chain: readonly RegExp[];
  readonly provider: readonly RegExp[];
  readonly status: readonly RegExp[];
}

/** Reads until all is said, for 15 s at most; prints it. The last chain is asked on the way, for it is under no load. */
async function reads(fault: string, name: Chain, wanted: Words): Promise<{ readonly [view in keyof Words]: string }> {
  const startedMs = performance.now();
  const seen = await until(fault, 15_000, async () => {
    if (name === 'notes') expect(await stage.ask('app', { model: name })).toMatchObject({ status: 200 });
    const [get, chainText, providerText, { text: status }] = await Promise.all([
      stage.kubectl('get', 'fbchain,mprov'), stage.kubectl('describe', 'fbchain', name), stage.kubectl('describe', 'mprov', firsts[name]), belay('status'),
    ]);
    const views = { get, chain: chainText, provider: providerText, status };
    for (const view of ['get', 'chain', 'provider', 'status'] as const) for (const words of wanted[view]) expect(views[view]).toMatch(words);
    return views;
  });
  const short = (text: string): string => text.slice(text.indexOf('\nStatus:') + 1).replace(/^ +(Observed Generation|Last Transition Time|Table Version|Summary):.*\n/gm, '');
  console.log([
    `=== ${fault}: read after ${((performance.now() - startedMs) / 1_000).toFixed(1)} s`, '$ kubectl get fbchain,mprov', seen.get, `$ kubectl describe fbchain ${name}`, short(seen.chain),
    `$ kubectl describe mprov ${firsts[name]}`, short(seen.provider), '$ belay status', seen.status,
  ].join('\n'));
  return seen;
}

async function serving(name: Chain): Promise<string> {
  return stage.kubectl('get', 'fbchain', name, '--output', 'jsonpath={.status.serving}');
}

async function allWell(name: Chain): Promise<void> {
  await until(`chain ${name} is served by ${firsts[name]}`, 60_000, async () => {
    if (name === 'notes') await stage.ask('app', { model: name });
    return (await serving(name)) === firsts[name] || null;
  });
}

async function restartLocal(): Promise<void> {
  await stage.kubectl('delete', 'pod', '--selector', 'belay.dev/provider=on-cluster', '--wait=true');
}

async function podOf(deployment: string): Promise<string> {
  return (await stage.kubectl('get', 'pods', '--selector', `app=${deployment}`, '--output', 'jsonpath={.items[0].metadata.name}')).trim();
}

/** The command line from outside of any pod, as somebody with this kubeconfig runs it; output and complaints together. */
async function belay(...args: readonly string[]): Promise<{ readonly code: number | null; readonly text: string }> {
  const [node = '', ...rest] = belayCommand;
  const { code, stdout, stderr } = await stage.cluster.run(node, [...rest, ...args, '--namespace', stage.namespace]);
  return { code, text: stdout + stderr };
}

interface EventObject {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly count: number;
  readonly involvedObject: { readonly kind: string; readonly name: string };
}

/** Events of chains and providers, by when each was told last: one that repeats in the same words is counted. */
async function eventsOf(): Promise<readonly EventObject[]> {
  const { items } = await stage.get<{ readonly items: readonly EventObject[] }>('events', '--field-selector', 'involvedObject.apiVersion=belay.dev/v1alpha1', '--sort-by', '.lastTimestamp');
  return items;
}
