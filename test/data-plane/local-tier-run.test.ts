import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { ensureLlama, type Llama } from '../../scripts/llama/ensure-llama.ts';
import { startBelay, until, type BelayProcess } from '../support/belay-process.ts';
import { chainManifest, providerManifests, type Fields } from '../support/manifests.ts';

jest.setTimeout(60_000);

let llama: Llama;
let modelDir = '';
let belay: BelayProcess | null = null;

beforeAll(async () => {
  const found = await ensureLlama();
  if ('missing' in found) throw new Error(found.missing);
  llama = found;
}, 120_000);

afterEach(async () => {
  await belay?.close();
  belay = null;
  rmSync(modelDir, { recursive: true, force: true });
});

const local = (parallel = 2): Fields => ({ local: { engine: 'LlamaCpp', model: { persistentVolumeClaim: { claimName: 'models', path: 'small.gguf' } }, contextTokens: 512, parallel } });
const manifests = (spec = local()): readonly Fields[] => [
  chainManifest('chat', { targets: [{ name: 'cloud', providerRef: { name: 'cloud' }, model: 'm' }, { name: 'small', providerRef: { name: 'small' }, model: 'm' }], retries: 0 }),
  ...providerManifests({ name: 'cloud', spec: { preset: 'VLLM', baseURL: 'http://127.0.0.1:9/v1' } }),
  ...providerManifests({ name: 'small', spec }),
];
const put = (): void => symlinkSync(join(llama.modelDir, llama.modelFile), join(modelDir, 'small.gguf'));

async function start(env: { readonly [name: string]: string } = {}, args: readonly string[] = []): Promise<BelayProcess> {
  belay = await startBelay({ manifests: manifests(), args: ['--model-dir', modelDir, ...args], env: { BELAY_LLAMA_SERVER: llama.server, ...env } });
  return belay;
}

describe('belay run with a local tier', () => {
  test('a request that comes while the model file is not there yet waits for it and is answered', async () => {
    modelDir = mkdtempSync(join(tmpdir(), 'belay-models-'));
    const running = await start();
    const asked = ask(running);
    await until('it says where to put the file', () => logged(running, 'local-model-missing').length === 1);
    put();
    const answer = await asked;
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-belay-target')).toBe('small');
    expect(answer.headers.get('x-belay-model')).toBe('small');
    expect(await contentOf(answer)).not.toBe('');
  });

  test('a server killed with kill -9 costs no request: those that come meanwhile wait and are answered', async () => {
    const running = await ready();
    process.kill(serverOf(running), 'SIGKILL');
    const answers = await Promise.all([ask(running), ask(running), ask(running)]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(logged(running, 'local-server-started')).toHaveLength(2);
  });

  test('belay itself killed with kill -9 leaves no server behind', async () => {
    const running = await ready();
    const server = serverOf(running);
    running.kill('SIGKILL');
    await until('the server is gone', () => !isAlive(server), 5_000);
  });

  test('SIGTERM lets the local answer end, then stops the server and exits with 0', async () => {
    const running = await ready();
    const server = serverOf(running);
    const answer = await ask(running, { stream: true, max_tokens: 60 });
    running.kill('SIGTERM');
    expect((await answer.text()).trimEnd()).toMatch(/data: \[DONE\]$/);
    expect(await running.exited).toEqual({ code: 0, signal: null });
    expect(isAlive(server)).toBe(false);
  });

  test('a changed spec restarts the server, a removed provider stops it', async () => {
    const running = await ready(['--watch']);
    const before = serverOf(running);
    running.write(manifests(local(1)));
    await until('a second server is ready', () => logged(running, 'local-server-ready').length === 2);
    expect(isAlive(before)).toBe(false);
    expect((await ask(running)).status).toBe(200);
    const after = serverOf(running);
    running.write(manifests().slice(0, 2).map((one, index) => (index === 0 ? chainManifest('chat', { targets: [{ providerRef: { name: 'cloud' }, model: 'm' }] }) : one)));
    await until('the server is gone', () => !isAlive(after));
  });

  test('without llama-server a request is answered at once, and the log says what was left out and how to get it', async () => {
    modelDir = mkdtempSync(join(tmpdir(), 'belay-models-'));
    const running = await start({ BELAY_LLAMA_SERVER: join(modelDir, 'llama-server') });
    const answer = await ask(running);
    expect(answer.status).toBe(503);
    await until('the log says of the request what was left out', () => logged(running, 'request-failed').length === 1);
    expect(logged(running, 'request-failed')[0]?.message).toMatch(/small left out \(ServerAbsent, BELAY_LLAMA_SERVER names .*llama-server, which is no program/);
    expect(logged(running, 'local-server-missing')).toHaveLength(1);
  });
});

async function ready(args: readonly string[] = []): Promise<BelayProcess> {
  modelDir = mkdtempSync(join(tmpdir(), 'belay-models-'));
  put();
  const running = await start({}, args);
  await until('the local model is ready', () => logged(running, 'local-server-ready').length === 1);
  return running;
}

function ask({ baseUrl }: BelayProcess, body: Fields = {}): Promise<Response> {
  return fetch(`${baseUrl}/chat/completions`, {
    method: 'POST', headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'chat', max_tokens: 6, messages: [{ role: 'user', content: 'Say hello.' }], ...body }),
  });
}

async function contentOf(answer: Response): Promise<string> {
  const { choices } = await answer.json() as { readonly choices: readonly { readonly message: { readonly content: string } }[] };
  return choices[0]?.message.content ?? '';
}

function logged(running: BelayProcess, wanted: string): ReturnType<BelayProcess['lines']> {
  return running.lines().filter(({ event }) => event === wanted);
}

function serverOf(running: BelayProcess): number {
  return Number(logged(running, 'local-server-started').at(-1)?.['pid']);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
