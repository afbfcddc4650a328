// Nobody injects: annotated pods wait, others do not notice; and a restart of the webhook refuses nobody.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { admit, admitAlong } from './stage/admit.ts';
import { ensureBelay } from './stage/belay-release.ts';
import { bringBack, inRelease, takeDown } from './stage/operator-outage.ts';
import { application, chain, provider, standIn } from './stage/stage-manifests.ts';
import { raiseStage, until, type Stage } from './stage/stage.ts';

/** The API server's own sentence. */
const namesTheWebhook = /failed calling webhook "inject\.belay\.dev": .*belay-webhook\.belay-system\.svc/;
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

test('a rolling restart of the webhook refuses nobody', async () => {
  let over = false;
  const admitting = admitAlong(stage, 100, () => over);
  try {
    await inRelease(stage.cluster, 'rollout', 'restart', 'deployment/belay-webhook');
    await inRelease(stage.cluster, 'rollout', 'status', 'deployment/belay-webhook', '--timeout=120s');
    await until('the last old pod has ended', 60_000, async () => (await inRelease(stage.cluster, 'get', 'pods', '--selector', 'app.kubernetes.io/component=webhook', '--output', 'name')).trim().split('\n').length === 2 || null);
  } finally {
    over = true;
  }
  const { sidecars, refusals } = await admitting;
  console.log(`Rolling restart of belay-webhook: ${sidecars} pods admitted with a sidecar, ${refusals.length} refused.`);
  expect(refusals).toEqual([]);
}, 180_000);

test('without it annotated pods are refused in words that name it, others start, and when it is back so do they', async () => {
  await takeDown(stage.cluster, 'belay-webhook');
  const denial = await until('a pod is refused', 60_000, async () => (await admit(stage, 1)).refusals[0] ?? null);
  console.log(`kubectl: ${denial}`);
  expect(denial).toMatch(namesTheWebhook);
  await stage.apply(application('annotated'), application('plain', { annotations: {} }));
  const words = await until('the ReplicaSet says why it has no pod', 30_000, async () => {
    const said = await stage.kubectl('get', 'events', '--field-selector', 'reason=FailedCreate', '--output', 'jsonpath={.items[*].message}');
    return said === '' ? null : said;
  });
  console.log(`Event FailedCreate: ${words}`);
  expect(words).toMatch(namesTheWebhook);
  await stage.rolledOut('plain');
  await bringBack(stage.cluster, 'belay-webhook');
  const backMs = Date.now();
  await stage.rolledOut('annotated');
  console.log(`belay-webhook back: the refused pod runs ${((Date.now() - backMs) / 1_000).toFixed(1)} s later.`);
  expect(await stage.ask('annotated')).toMatchObject({ status: 200, headers: { 'x-belay-target': 'free' } });
}, 180_000);
