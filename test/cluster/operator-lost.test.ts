// Controller and distributor are gone: requests go on, pods start, and keys stay where they belong.
import { describeDecision, type Decision } from '@belay/contract';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ensureBelay } from './stage/belay-release.ts';
import { bringBack, kill, takeDown } from './stage/operator-outage.ts';
import { application, chain, provider, secret, standIn, type Manifest } from './stage/stage-manifests.ts';
import { raiseStage, until, type Stage } from './stage/stage.ts';

interface EditedTable {
  readonly providers: readonly { readonly name: string; readonly address: string; readonly needsKey: boolean }[];
}

let stage: Stage;

beforeAll(async () => {
  stage = await raiseStage('lost');
  await ensureBelay(stage.cluster);
  await stage.apply(
    standIn('cloud'), secret('cloud', 'sk-of-the-cloud-0001'), provider(stage.namespace, 'cloud'),
    standIn('free'), provider(stage.namespace, 'free', { keyless: true }),
    standIn('thief'), calling('to-begin-with'), application('app', { loadEveryMs: 20 }),
  );
  await stage.rolledOut('cloud', 'free', 'thief', 'app');
  await until('the first target answers', 60_000, async () => (await stage.load('app')).firstMs['to-begin-with'] ?? null);
}, 300_000);

afterAll(async () => {
  await bringBack(stage.cluster, 'belay');
  await stage.close();
}, 150_000);

/** The cloud first, by this name, then what needs no key. */
function calling(target: string): Manifest {
  return chain('chat', [{ name: target, providerRef: { name: 'cloud' }, model: 'gpt' }, 'free']);
}

async function bootstrapTable(): Promise<string> {
  return (await stage.get<{ readonly data: { readonly [key: string]: string } }>('configmap', 'belay-bootstrap')).data['table.json'] ?? '';
}

async function serves(target: string, limitMs: number): Promise<void> {
  await until(`${target} answers`, limitMs, async () => (await stage.load('app')).firstMs[target] ?? null);
}

test('its pod is killed: no request fails, and sidecars connect to the next one by themselves', async () => {
  await stage.load('app', 'forget');
  await kill(stage.cluster, 'belay');
  const killedMs = Date.now();
  await bringBack(stage.cluster, 'belay');
  const backMs = Date.now();
  await stage.apply(calling('after-the-kill'));
  await serves('after-the-kill', 60_000);
  const { answered, failures, firstMs, longestMs } = await stage.load('app');
  const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
  console.log(`Operator killed: the next one is ready after ${seconds(backMs - killedMs)}, and what was changed then is served after ${seconds((firstMs['after-the-kill'] ?? 0) - killedMs)}; ${answered} requests meanwhile, ${failures.length} failed, the longest took ${longestMs} ms.`);
  expect(failures).toEqual([]);
}, 90_000);

test('a pod that starts without it begins with the bootstrap copy, leaves out what needs a key, and gets the key when it is back', async () => {
  await until('the bootstrap copy is the newest', 15_000, async () => (await bootstrapTable()).includes('after-the-kill') || null);
  await takeDown(stage.cluster, 'belay');
  await stage.load('app', 'forget');
  await stage.apply(application('newcomer'));
  await stage.rolledOut('newcomer');
  const answer = await stage.ask('newcomer');
  expect(answer).toMatchObject({ status: 200, text: 'This is free.', headers: { 'x-belay-target': 'free', 'x-belay-attempts': expect.stringMatching(/^free=ok:/) } });
  const decision = await stage.page<Decision>('newcomer', `/belay/decisions?id=${answer.headers['x-belay-request-id']}`);
  console.log(describeDecision(decision));
  expect(decision.excluded).toEqual([{ target: 'after-the-kill', reason: 'KeyNotDelivered', detail: 'provider cloud' }]);

  await enterThief();
  const { answered, failures } = await stage.load('app');
  expect([answered > 0, failures]).toEqual([true, []]);

  await bringBack(stage.cluster, 'belay');
  const backMs = Date.now();
  await until('the new pod has its key', 90_000, async () => (await stage.ask('newcomer')).text === 'This is cloud.' || null);
  console.log(`Operator back: the pod that started without it has its key ${(Date.now() - backMs) / 1_000} s later.`);
}, 240_000);

/** Somebody edits the bootstrap copy, so that both providers are at an address of theirs; a pod starts from it. */
async function enterThief(): Promise<void> {
  const table = JSON.parse(await bootstrapTable()) as EditedTable;
  const edited = { ...table, providers: table.providers.map((one) => ({ ...one, address: `http://thief.${stage.namespace}.svc:8080/v1` })) };
  await stage.kubectl('patch', 'configmap', 'belay-bootstrap', '--type=merge', '--patch', JSON.stringify({ data: { 'table.json': JSON.stringify(edited) } }));
  await stage.apply(application('misled', { loadEveryMs: 20 }));
  await stage.rolledOut('misled');
  expect(await stage.ask('misled')).toMatchObject({ status: 200, text: 'This is thief.', headers: { 'x-belay-target': 'free' } });
}

test('a pod that started from an edited bootstrap copy sent no key to the address in it, and the copy is put right', async () => {
  await until('the misled pod asks the cloud', 90_000, async () => (await stage.ask('misled')).text === 'This is cloud.' || null);
  expect(Object.keys(await stage.keys('thief'))).toEqual(['none']);
  await until('the copy is put right', 30_000, async () => !(await bootstrapTable()).includes('thief') || null);
}, 150_000);

test('all of them follow the operator that is back', async () => {
  await stage.apply(calling('after-all'));
  await serves('after-all', 60_000);
  await until('three sidecars run the newest table', 60_000, async () => (await stage.kubectl('get', 'fbchain', 'chat', '--output', 'jsonpath={.status.sidecars.connected} {.status.sidecars.current}')) === '3 3' || null);
  expect((await stage.load('app')).failures).toEqual([]);
}, 150_000);
