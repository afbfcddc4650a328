// Nobody injects: annotated pods wait, others do not notice; and a restart of the webhook refuses nobody.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ensureBelay } from './stage/belay-release.ts';
import { bringBack, inRelease, takeDown } from './stage/operator-outage.ts';
import { application, chain, provider, standIn } from './stage/stage-manifests.ts';
import { raiseStage, until, type Stage } from './stage/stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await raiseStage('unhooked');
  await ensureBelay(stage.cluster);
  await stage.apply(standIn('free'), provider(stage.namespace, 'free', { keyless: true }), chain('chat', ['free']));
  await stage.rolledOut('free');
}, 300_000);

afterAll(async () => {
  await bringBack(stage.cluster, 'belay-webhook');
  await stage.close();
}, 150_000);

/** Goes through admission and is made by nobody; the API server's words where it is refused. */
async function ask(pods: number): Promise<{ readonly sidecars: number; readonly refusals: readonly string[] }> {
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { generateName: 'annotated-', annotations: { 'belay.dev/inject': 'true' } }, spec: { containers: [{ name: 'app', image: 'app' }] } };
  const { stdout, stderr } = await stage.cluster.run('kubectl', ['--namespace', stage.namespace, 'create', '--dry-run=server', '--filename', '-', '--output', 'jsonpath={range .items[*]}{.spec.initContainers[0].name}{"\\n"}{end}{.spec.initContainers[0].name}'], {
    input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: Array.from({ length: pods }, () => pod) }),
  });
  return { sidecars: stdout.split('\n').filter((name) => name.trim() === 'belay').length, refusals: stderr.split('\n').filter((line) => line !== '') };
}

test('a rolling restart of the webhook refuses nobody', async () => {
  let over = false;
  const seen = { sidecars: 0, refusals: [] as string[] };
  const asking = (async () => {
    while (!over || seen.sidecars < 100) {
      const { sidecars, refusals } = await ask(5);
      seen.sidecars += sidecars;
      seen.refusals.push(...refusals);
    }
  })();
  await inRelease(stage.cluster, 'rollout', 'restart', 'deployment/belay-webhook');
  await inRelease(stage.cluster, 'rollout', 'status', 'deployment/belay-webhook', '--timeout=120s');
  over = true;
  await asking;
  console.log(`Rolling restart of belay-webhook: ${seen.sidecars} pods admitted with a sidecar, ${seen.refusals.length} refused.`);
  expect(seen.refusals).toEqual([]);
}, 180_000);

test('without it annotated pods are refused in words that name it, others start, and when it is back so do they', async () => {
  await takeDown(stage.cluster, 'belay-webhook');
  await stage.apply(application('annotated'), application('plain', { annotations: {} }));
  const words = await until('the ReplicaSet says why it has no pod', 30_000, async () => {
    const said = await stage.kubectl('get', 'events', '--field-selector', 'reason=FailedCreate', '--output', 'jsonpath={.items[*].message}');
    return said === '' ? null : said;
  });
  console.log(`Event FailedCreate: ${words}`);
  expect(words).toMatch(/failed calling webhook "inject\.belay\.dev".*belay-webhook\.belay-system\.svc/);
  await stage.rolledOut('plain');
  await bringBack(stage.cluster, 'belay-webhook');
  const backMs = Date.now();
  await stage.rolledOut('annotated');
  console.log(`belay-webhook back: the refused pod runs ${((Date.now() - backMs) / 1_000).toFixed(1)} s later.`);
  expect(await stage.ask('annotated')).toMatchObject({ status: 200, headers: { 'x-belay-target': 'free' } });
}, 180_000);
