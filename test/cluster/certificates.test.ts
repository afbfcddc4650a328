// The CA is exchanged while applications ask and pods start: nobody notices.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { admitAlong } from './stage/admit.ts';
import { ensureBelay } from './stage/belay-release.ts';
import { bringBack, inRelease, kill } from './stage/operator-outage.ts';
import { application, chain, provider, secret, standIn, type Manifest } from './stage/stage-manifests.ts';
import { raiseStage, until, type Stage } from './stage/stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await raiseStage('rotated');
  await ensureBelay(stage.cluster);
  await stage.apply(
    standIn('cloud'), secret('cloud', 'sk-of-the-cloud-0001'), provider(stage.namespace, 'cloud'), calling('to-begin-with'), application('app', { loadEveryMs: 20 }),
  );
  await stage.rolledOut('cloud', 'app');
  await until('the first target answers', 60_000, async () => (await stage.load('app')).firstMs['to-begin-with'] ?? null);
}, 300_000);

afterAll(async () => {
  await bringBack(stage.cluster, 'belay');
  await stage.close();
}, 150_000);

function calling(target: string): Manifest {
  return chain('chat', [{ name: target, providerRef: { name: 'cloud' }, model: 'gpt' }]);
}

/** Of the Secret `belay-ca`, as base64; empty: there is none. */
function certificate(key: 'tls' | 'next'): Promise<string> {
  return inRelease(stage.cluster, 'get', 'secret', 'belay-ca', '--output', `jsonpath={.data.${key}\\.crt}`);
}

/** How many CAs the sidecar beside the application finds in its volume. */
async function trustedBySidecar(): Promise<number> {
  const script = 'console.log(fs.readFileSync("/var/run/belay/bootstrap/ca.crt", "utf8").split("BEGIN CERTIFICATE").length - 1)';
  return Number(await stage.kubectl('exec', 'deployment/app', '--container', 'belay', '--', '/nodejs/bin/node', '--eval', script));
}

test('a new CA under traffic: no request fails, no pod is refused, and sidecars are connected under it', async () => {
  const before = await certificate('tls');
  const trustedBefore = await trustedBySidecar();
  let over = false;
  const admitting = admitAlong(stage, 20, () => over);
  try {
    await stage.load('app', 'forget');
    await inRelease(stage.cluster, 'annotate', 'secret', 'belay-ca', 'belay.dev/rotate=15s');
    const askedMs = Date.now();
    const next = await until('there is a new CA', 30_000, async () => (await certificate('next')) || null);
    // A kubelet looks again at the volumes of a pod that has changed: within a second in place of about a minute.
    await until('the copy of the namespace has it', 15_000, async () => (await stage.kubectl('get', 'configmap', 'belay-bootstrap', '--output', 'jsonpath={.data.ca\\.crt}')).includes(Buffer.from(next, 'base64').toString().trim()) || null);
    await stage.kubectl('annotate', 'pods', '--selector', 'app=app', `example.com/looked-at=${askedMs}`);
    await until('the sidecar has it', 90_000, async () => (await trustedBySidecar()) > trustedBefore || null);
    await until('it signs', 60_000, async () => (await certificate('tls')) === next || null);
    console.log(`A new CA signs ${((Date.now() - askedMs) / 1_000).toFixed(1)} s after it was asked for.`);
    expect(next).not.toBe(before);
    // The next operator knows no other CA to sign with.
    await kill(stage.cluster, 'belay');
    await bringBack(stage.cluster, 'belay');
    await stage.apply(calling('under-the-new-ca'), application('newcomer'));
    await until('the sidecar of before runs what came after', 60_000, async () => (await stage.load('app')).firstMs['under-the-new-ca'] ?? null);
    await stage.rolledOut('newcomer');
    await until('the new pod has the key', 30_000, async () => (await stage.ask('newcomer')).headers['x-belay-target'] === 'under-the-new-ca' || null);
  } finally {
    over = true;
  }
  const [{ answered, failures }, { sidecars, refusals }] = [await stage.load('app'), await admitting];
  console.log(`CA exchanged: ${answered} requests, ${failures.length} failed; ${sidecars} pods admitted, ${refusals.length} refused.`);
  expect([failures, refusals]).toEqual([[], []]);
}, 240_000);
