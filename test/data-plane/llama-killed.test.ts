import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, jest, test } from '@jest/globals';
import { ensureLlama } from '../../scripts/llama/ensure-llama.ts';
import { startBelay, until, type BelayProcess } from '../support/belay-process.ts';
import { sendWithSdk, type SdkOutcome } from '../support/chat-client.ts';
import { chainManifest, providerManifests } from '../support/manifests.ts';

jest.setTimeout(120_000);

const modelDir = mkdtempSync(join(tmpdir(), 'belay-models-'));
let belay: BelayProcess | null = null;
let over = false;
afterEach(async () => {
  over = true;
  await belay?.close();
  rmSync(modelDir, { recursive: true, force: true });
});

const serverPid = (running: BelayProcess): number => Number(running.lines().findLast(({ event }) => event === 'local-server-started')?.['pid']);
const readies = (running: BelayProcess): number => running.lines().filter(({ event }) => event === 'local-server-ready').length;

test('kill -9 of llama-server under load: whoever had no content yet is answered, whoever had some is told, nobody gets half an answer that looks whole', async () => {
  const llama = await ensureLlama();
  if ('missing' in llama) throw new Error(llama.missing);
  symlinkSync(join(llama.modelDir, llama.modelFile), join(modelDir, 'small.gguf'));
  const running = await startBelay({
    manifests: [
      ...providerManifests({ name: 'small', spec: { local: { engine: 'LlamaCpp', model: { persistentVolumeClaim: { claimName: 'models', path: 'small.gguf' } }, contextTokens: 512, parallel: 2 } } }),
      chainManifest('chat', { targets: [{ providerRef: { name: 'small' }, model: 'small' }] }),
    ],
    args: ['--model-dir', modelDir], env: { BELAY_LLAMA_SERVER: llama.server },
  });
  belay = running;
  await until('the model is ready', () => readies(running) === 1);

  const answered: SdkOutcome[][] = [[], [], [], []];
  const workers = answered.map(async (answers, index) => {
    while (!over) answers.push(await sendWithSdk({ baseUrl: running.baseUrl, body: { model: 'chat', stream: index % 2 === 0, max_tokens: 24, messages: [{ role: 'user', content: `Count to ${index + 3}.` }] } }));
  });
  // Nobody meets two kills: a request has its answer, or two more attempts, and no fourth.
  const oneMoreEach = (): (() => boolean) => {
    const before = answered.map(({ length }) => length);
    return () => answered.every(({ length }, index) => length > (before[index] ?? 0));
  };
  for (const round of [1, 2, 3]) {
    await until('each has one more answer', oneMoreEach());
    process.kill(serverPid(running), 'SIGKILL');
    await until('the server is ready again', () => readies(running) === round + 1);
  }
  await until('each has one more answer after the last kill', oneMoreEach());
  over = true;
  await Promise.all(workers);

  const answers = answered.flat();
  for (const answer of answers) {
    if (answer.thrown === null) expect(answer).toMatchObject({ status: 200, finish: expect.stringMatching(/stop|length/), text: expect.stringMatching(/\S/) });
    else expect(answer).toMatchObject({ status: 200, end: 'errorEvent', finish: null, done: 0 });
  }
  const broken = answers.filter(({ thrown }) => thrown !== null);
  expect(broken.length).toBeLessThanOrEqual(3 * 2);
  expect(answers.length - broken.length).toBeGreaterThan(10);
});
