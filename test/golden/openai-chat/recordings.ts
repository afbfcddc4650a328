import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { describe, test } from '@jest/globals';

/** One recorded answer of a provider that speaks the OpenAI chat dialect. */
export interface Recording {
  /** Path below the recordings' folder: its name in tests. */
  readonly name: string;
  readonly status: number;
  readonly headers: { readonly [name: string]: string | undefined };
  readonly body: string;
  readonly request: { readonly url?: string; readonly body?: unknown };
}

/** Folders whose answers, or some of them, are in this dialect; `_quoted` and `_constructed` hold other dialects too. */
const folders = [
  'openai-chat', 'azure', 'groq', 'deepseek', 'mistral', 'together', 'xai', 'openrouter', 'cerebras', 'perplexity', 'ollama', 'vllm', 'llamacpp-live', 'lmstudio', 'zai',
  'alibaba-qwen', 'gemini-openai-compat', '_quoted', '_constructed',
];

const root = resolve(process.env['BELAY_FIXTURES'] ?? join(import.meta.dirname, '../../../../shared/fixtures'));

const absence = existsSync(root) ? null : `the recorded provider exchanges are not at ${root}; set BELAY_FIXTURES to their folder`;

/** `describe` where the recordings are there; elsewhere one skipped test that says why. */
export function describeRecorded(name: string, body: () => void): void {
  if (absence === null) return describe(name, body);
  console.error(`Not run: ${name}: ${absence}.`);
  test.skip(`${name}: ${absence}`, () => undefined);
}

/** Every recorded answer below those folders; none where the recordings are missing. */
function recordings(): readonly Recording[] {
  if (absence !== null) return [];
  return folders.flatMap((folder) => files(join(root, folder))).flatMap(readRecording);
}

/** Good answers of POST …/chat/completions, whole or streamed. */
export function chatSuccesses(): { readonly streams: readonly Recording[]; readonly answers: readonly Recording[] } {
  const good = recordings().filter(({ status }) => status === 200);
  return { streams: good.filter(isChatStream), answers: good.filter(isChatAnswer) };
}

/** Errors of any path: each is what such a provider may answer. */
export function errors(): readonly Recording[] {
  return recordings().filter(({ status }) => status >= 400);
}

function files(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? files(join(folder, entry.name)) : [join(folder, entry.name)]));
}

interface Envelope {
  readonly request?: { readonly url?: string; readonly body?: unknown };
  readonly response?: { readonly status?: number; readonly headers?: { readonly [name: string]: string | undefined }; readonly bodyText?: string; readonly bodyJson?: unknown };
}

function readRecording(path: string): Recording[] {
  const name = relative(root, path);
  const text = readFileSync(path, 'utf8');
  const plain = { name, status: 200, request: {} };
  if (path.endsWith('.chunks.txt')) {
    return streamsIn(text.split('\n').filter((line) => line !== '')).map((lines, place) => ({
      ...plain,
      name: place === 0 ? name : `${name} (${place + 1})`,
      headers: { 'content-type': 'text/event-stream' },
      body: `${lines.map((line) => `data: ${line}\n\n`).join('')}data: [DONE]\n\n`,
    }));
  }
  if (!path.endsWith('.json')) return [];
  const { request, response } = JSON.parse(text) as Envelope;
  if (response === undefined) return [{ ...plain, status: statusOf(text), headers: { 'content-type': 'application/json' }, body: text }];
  return [{ name, status: response.status ?? 200, headers: response.headers ?? {}, body: response.bodyText ?? JSON.stringify(response.bodyJson), request: request ?? {} }];
}

/** A file of chunks may hold the answers of several steps: each has an id of its own. */
function streamsIn(lines: readonly string[]): string[][] {
  const streams: string[][] = [[]];
  let last = '';
  for (const line of lines) {
    const { id } = JSON.parse(line) as { id?: unknown };
    if (typeof id === 'string' && id !== '' && last !== '' && id !== last) streams.push([]);
    if (typeof id === 'string' && id !== '') last = id;
    streams.at(-1)?.push(line);
  }
  return streams;
}

/** A hand-made error body without an envelope names its status. */
function statusOf(text: string): number {
  const { error } = JSON.parse(text) as { error?: { code?: unknown } };
  return typeof error?.code === 'number' ? error.code : 200;
}

function isChatStream({ headers, body }: Recording): boolean {
  return (headers['content-type'] ?? '').startsWith('text/event-stream') && /^data:.*"choices"/m.test(body) && !body.includes('"text_completion"');
}

function isChatAnswer({ headers, body }: Recording): boolean {
  if (!(headers['content-type'] ?? '').startsWith('application/json')) return false;
  const { choices } = JSON.parse(body) as { choices?: { message?: unknown }[] };
  return choices?.[0]?.message !== undefined;
}
