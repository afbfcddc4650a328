// A person installs Belay, applies manifests, annotates a pod; the application in it keeps answering.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ensureBelay } from './stage/belay-release.ts';
import { application, chain, localProvider, modelVolume, provider, secret, standIn } from './stage/stage-manifests.ts';
import { raiseStage, until, type Stage } from './stage/stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await raiseStage('first');
  await ensureBelay(stage.cluster);
  await stage.apply(
    modelVolume(stage.namespace), standIn('cloud'), secret('cloud', 'sk-of-the-cloud-0001'), provider(stage.namespace, 'cloud'), localProvider('on-cluster'),
    chain('chat', ['cloud', 'on-cluster'], { latencyBudget: '30s' }), application('app'),
  );
  await stage.rolledOut('cloud', 'app');
}, 300_000);

afterAll(() => stage?.close());

test('the first target answers while it is well', async () => {
  const answer = await stage.ask('app');
  expect(answer).toMatchObject({ status: 200, text: 'This is cloud.', headers: { 'x-belay-target': 'cloud' } });
});

test('when it refuses connections, llama.cpp in the cluster answers', async () => {
  await until('the model is loaded', 120_000, async () => (await stage.kubectl('get', 'modelprovider', 'on-cluster', '--output', 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')) === 'True' || null);
  await stage.order('cloud', 'refuse');
  const answer = await stage.ask('app', { text: 'Say hello.' });
  expect(answer).toMatchObject({ status: 200, headers: { 'x-belay-target': 'on-cluster', 'x-belay-model': expect.stringContaining('smollm2') } });
  expect(answer.text).not.toBe('');
  console.log(answer);
}, 200_000);

test('what an on-call reads says so', async () => {
  await until('status.serving tells', 15_000, async () => {
    await stage.ask('app');
    const serving = await stage.kubectl('get', 'fbchain', 'chat', '--output', 'jsonpath={.status.serving}');
    return serving.startsWith('on-cluster') ? serving : null;
  });
  console.log([
    await stage.kubectl('get', 'fbchain,mprov'), await stage.kubectl('describe', 'fbchain', 'chat'), await stage.kubectl('events', '--for', 'fallbackchain/chat'),
  ].join('\n'));
}, 60_000);
