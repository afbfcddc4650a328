// Belay is removed, installed again and upgraded, under an application that asks all the time.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { admit } from './stage/admit.ts';
import { ensureBelay, release, releaseNamespace } from './stage/belay-release.ts';
import { inRelease } from './stage/operator-outage.ts';
import { application, chain, provider, secret, standIn, type Manifest } from './stage/stage-manifests.ts';
import { raiseStage, until, type Stage } from './stage/stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await raiseStage('removed');
  await ensureBelay(stage.cluster);
  await stage.apply(
    standIn('cloud'), secret('cloud', 'sk-of-the-cloud-0001'), provider(stage.namespace, 'cloud'), calling('to-begin-with'), application('app', { loadEveryMs: 20 }),
  );
  await stage.rolledOut('cloud', 'app');
  await until('the first target answers', 60_000, async () => (await stage.load('app')).firstMs['to-begin-with'] ?? null);
  await stage.load('app', 'forget');
}, 300_000);

afterAll(async () => {
  await ensureBelay(stage.cluster);
  await stage.close();
}, 150_000);

function calling(target: string): Manifest {
  return chain('chat', [{ name: target, providerRef: { name: 'cloud' }, model: 'gpt' }]);
}

async function serves(target: string, limitMs: number): Promise<void> {
  await until(`${target} answers`, limitMs, async () => (await stage.load('app')).firstMs[target] ?? null);
}

function names(...args: readonly string[]): Promise<string> {
  return stage.cluster.kubectl(['get', ...args, '--ignore-not-found', '--output', 'name']);
}

/** What an installation and its operator made, kind by kind; empty where nothing is there. */
async function found(): Promise<Readonly<Record<string, string>>> {
  const ofRelease = ['--selector', `app.kubernetes.io/instance=${release}`];
  return {
    webhook: await names('mutatingwebhookconfigurations', ...ofRelease),
    copies: await names('configmaps', '--all-namespaces', '--field-selector', 'metadata.name=belay-bootstrap'),
    ca: await names('secret', 'belay-ca', '--namespace', releaseNamespace),
    lease: await names('lease', 'belay', '--namespace', releaseNamespace),
    roles: await names('clusterroles,clusterrolebindings', ...ofRelease),
    servers: await names('deployments,services', '--namespace', releaseNamespace, ...ofRelease),
  };
}

const empty = { webhook: '', copies: '', ca: '', lease: '', roles: '', servers: '' };

test('helm test passes', async () => {
  expect(await stage.cluster.helm(['test', release, '--namespace', releaseNamespace, '--timeout', '90s'])).toMatch(/Phase: +Succeeded/);
}, 120_000);

test('an upgrade that changes a value restarts the operator under applications that notice nothing', async () => {
  await ensureBelay(stage.cluster, ['logLevel=warn', 'controller.podAnnotations.example\\.com/changed=yes']);
  expect(await inRelease(stage.cluster, 'get', 'deployment', 'belay', '--output', 'jsonpath={.spec.template.metadata.annotations.example\\.com/changed}')).toBe('yes');
  await stage.apply(calling('after-the-upgrade'));
  await serves('after-the-upgrade', 60_000);
  expect((await stage.load('app')).failures).toEqual([]);
}, 180_000);

test('helm uninstall leaves no webhook and nothing that the operator made, but the kinds and what people wrote; applications are answered on', async () => {
  const before = await found();
  expect(Object.keys(before).filter((what) => before[what] === '')).toEqual([]);
  await stage.cluster.helm(['uninstall', release, '--namespace', releaseNamespace, '--wait', '--timeout', '120s']);
  expect(await found()).toEqual(empty);
  expect(await stage.kubectl('get', 'fbchain,mprov', '--output', 'name')).toBe('fallbackchain.belay.dev/chat\nmodelprovider.belay.dev/cloud\n');
  expect(await admit(stage, 1)).toEqual({ sidecars: 0, refusals: [] });
  await stage.load('app', 'forget');
  await until('it is asked on', 15_000, async () => (await stage.load('app')).answered >= 20 || null);
  expect((await stage.load('app')).failures).toEqual([]);
}, 180_000);

test('installed again it serves what was there, and sidecars of before go over to its new CA by themselves', async () => {
  await ensureBelay(stage.cluster);
  const installedMs = Date.now();
  await stage.apply(calling('after-all'));
  await until('the namespace has its copy again', 30_000, async () => (await stage.kubectl('get', 'configmap', 'belay-bootstrap', '--output', 'name')) || null);
  // A kubelet looks again at the volumes of a pod that has changed: within a second in place of about a minute.
  await stage.kubectl('annotate', 'pods', '--selector', 'app=app', `example.com/looked-at=${installedMs}`);
  await serves('after-all', 120_000);
  console.log(`Installed again: the sidecar of before serves what was changed after ${((Date.now() - installedMs) / 1_000).toFixed(1)} s.`);
  expect((await stage.load('app')).failures).toEqual([]);
}, 240_000);
