import { copyFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { EndpointEntry } from '@belay/contract';
import type { LocalModel } from '@belay/cli/local-tier/local-model.ts';
import { createLocalTier, type LocalTier } from '@belay/cli/local-tier/local-tier.ts';
import { createMachineHost } from '@belay/cli/local-tier/machine-host.ts';
import { systemClock, systemWallClock } from '@belay/sidecar/shell/system-clock.ts';
import type { LogLine } from '@belay/sidecar/shell/sidecar-options.ts';
import { ensureLlama, type Llama } from '../../scripts/llama/ensure-llama.ts';
import { until } from '../support/belay-process.ts';

jest.setTimeout(60_000);

let llama: Llama;
let folder = '';
let tier: LocalTier;
let endpoints: readonly EndpointEntry[] = [];
let logged: LogLine[] = [];

const authorization = { authorization: 'Bearer key-of-this-run' };
const model: LocalModel = { name: 'small', path: 'model.gguf', contextTokens: 512, parallel: 1 };
const put = (): void => symlinkSync(join(llama.modelDir, llama.modelFile), join(folder, 'model.gguf'));
const ready = (): Promise<void> => until('the local tier is ready', () => endpoints[0]?.state === 'Ready');
const pids = (): readonly number[] => logged.filter(({ event }) => event === 'local-server-started').map(({ pid }) => Number(pid));
const address = (): string => endpoints[0]?.url ?? '';

beforeAll(async () => {
  const found = await ensureLlama();
  if ('missing' in found) throw new Error(found.missing);
  llama = found;
}, 120_000);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'belay-models-'));
  endpoints = [];
  logged = [];
  const env = { ...process.env, BELAY_LLAMA_SERVER: llama.server };
  tier = createLocalTier({ host: createMachineHost(env, systemWallClock, 'key-of-this-run'), clock: systemClock, log: (line) => logged.push(line), modelDir: folder, onEndpoints: (now) => { endpoints = now; } });
});

afterEach(async () => {
  await tier.close();
  rmSync(folder, { recursive: true });
});

describe('a real llama-server', () => {
  test('loads, answers with the name of its model, and counts what it predicted', async () => {
    put();
    tier.apply([model]);
    await ready();
    const answer = await (await ask(address(), 8)).json() as { readonly model: string; readonly choices: readonly { readonly message: { readonly content: string } }[] };
    expect(answer.model).toBe('model');
    expect(answer.choices[0]?.message.content).not.toBe('');
    expect(await (await fetch(address().replace('/v1', '/metrics'), { headers: authorization })).text()).toMatch(/tokens_predicted_total [1-8]\n/);
  });

  test('answers nobody who has not the key of this run, which no list of processes shows', async () => {
    put();
    tier.apply([model]);
    await ready();
    const page = await fetch(`${address()}/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json', 'origin': 'https://evil.example' }, body: '{"messages":[{"role":"user","content":"hi"}]}' });
    expect(page.status).toBe(401);
    expect(readFileSync(`/proc/${pids()[0]}/cmdline`, 'utf8')).not.toContain('key-of-this-run');
  });

  test('killed with kill -9 is Loading at once and Ready again at the same address', async () => {
    put();
    tier.apply([model]);
    await ready();
    const before = address();
    process.kill(pids()[0]!, 'SIGKILL');
    await until('it is Loading', () => endpoints[0]?.state === 'Loading', 2_000);
    await ready();
    expect(address()).toBe(before);
    expect((await ask(address(), 2)).status).toBe(200);
    expect(pids()).toHaveLength(2);
    expect(logged.find(({ event }) => event === 'local-server-ended')?.message).toBe('local model small: llama-server ended (SIGKILL); starting it again in 0.25 s');
  });

  test('waits for a model file that is copied there later', async () => {
    tier.apply([model]);
    await until('it says what is missing', () => logged.length > 0);
    expect(endpoints).toEqual([{ name: 'small', state: 'Loading', url: null }]);
    copyFileSync(join(llama.modelDir, llama.modelFile), join(folder, 'model.gguf'));
    await ready();
    expect(pids()).toHaveLength(1);
    expect((await ask(address(), 2)).status).toBe(200);
  });

  test('is gone within 3 s of closing, also in mid-answer', async () => {
    put();
    tier.apply([model]);
    await ready();
    const answer = await ask(address(), 400, true);
    await answer.body?.getReader().read();
    const started = Date.now();
    await tier.close();
    expect(Date.now() - started).toBeLessThan(3_000);
    expect(isAlive(pids()[0]!)).toBe(false);
  });

  test('that cannot read its model is tried again and then left out, with its own words in the log', async () => {
    writeFileSync(join(folder, 'model.gguf'), 'this is no model, but it is long enough to be looked at by a loader');
    tier.apply([model]);
    await until('it is left out', () => logged.some(({ level }) => level === 'error'));
    expect(endpoints).toMatchObject([{ state: 'Absent', detail: expect.stringContaining('could not start') }]);
    const last = logged.findLast(({ event }) => event === 'local-server-ended');
    expect(last?.message).toMatch(/could not start \(exit code 1: .*\); its targets are left out until it does$/);
    expect(JSON.stringify(last?.['stderr'])).toContain('failed to load model');
  });
});

function ask(url: string, tokens: number, stream = false): Promise<Response> {
  return fetch(`${url}/chat/completions`, {
    method: 'POST', headers: { 'content-type': 'application/json', ...authorization },
    body: JSON.stringify({ model: 'small', stream, max_tokens: tokens, messages: [{ role: 'user', content: 'Count from one to one hundred.' }] }),
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
