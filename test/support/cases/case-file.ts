import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Fields } from '../manifests.ts';
import { readAttempt, type Attempt } from '../stand-in-script.ts';

/** One case of practice: a chain of scripted upstreams, a few requests, and what must hold. */
export interface Case {
  readonly id: string;
  readonly title: string;
  /** Features without which the case says nothing about a gateway. */
  readonly needs: readonly string[];
  /** Fields of the FallbackChain's spec, beside names and targets. */
  readonly chain: Fields;
  readonly upstreams: readonly Upstream[];
  readonly steps: readonly Step[];
  readonly expect: Fields;
}

export interface Upstream {
  /** `A`; the target and its provider are called `a`. */
  readonly name: string;
  readonly script: readonly Attempt[];
  /** Fields of the ModelProvider's spec. */
  readonly spec: Fields;
  readonly preset: string | null;
  /** Path of the base URL. */
  readonly path: string;
  readonly model: string;
  readonly credentials: boolean;
}

export interface Step {
  readonly body: Fields | null;
  readonly bodyText: string | null;
  readonly stream: boolean;
  readonly headers: { readonly [name: string]: string };
  readonly chunked: boolean;
  readonly client: 'raw' | 'openai';
  readonly abortAfterMs: number | null;
  readonly abortAfterEvents: number | null;
  /** Milliseconds after the case's start, beside other steps; null: after the steps before it. */
  readonly at: number | null;
  /** Milliseconds after the end of the steps before it. */
  readonly after: number;
  readonly poll: Poll | null;
  readonly expect: Fields;
}

/** Asks again and again until an upstream serves (with this text). */
export interface Poll {
  readonly every: number;
  readonly for: number;
  readonly until: string;
  readonly text: string | null;
}

/** What a case may need and Belay has. A case that needs anything else is skipped, and said to be. */
const supportedNeeds: ReadonlySet<string> = new Set(['idle', 'firstContent', 'latencyBudget', 'waitUpTo', 'cooldown', 'windows']);
/** What a case may need and Belay does not have yet. */
const missingNeeds: ReadonlyMap<string, string> = new Map([
  ['contentFilter', 'triggers.contentFilter is not served yet'],
  ['resume', 'onStreamBreak: Resume is not served yet'],
]);

/** Why a case cannot be asked of Belay; null: it can. Throws where the case needs something nobody knows. */
export function whySkipped({ id, needs }: Case): string | null {
  const reasons: string[] = [];
  for (const need of needs) {
    if (supportedNeeds.has(need)) continue;
    const reason = missingNeeds.get(need);
    if (reason === undefined) throw new Error(`${id}.needs: "${need}" is no known need; there are ${[...supportedNeeds, ...missingNeeds.keys()].join(', ')}`);
    reasons.push(`needs ${need}: ${reason}`);
  }
  return reasons.length > 0 ? reasons.join('; ') : null;
}

/** Where the cases lie: BELAY_CASES, else beside the repository. */
export function casesFolder(env: { readonly [name: string]: string | undefined } = process.env): string {
  return resolve(env['BELAY_CASES'] ?? join(dirname(fileURLToPath(import.meta.url)), '../../../../shared/cases'));
}

/** Case files of a folder, sorted, or one file. Throws where there is none. */
export function caseFiles(path: string): readonly string[] {
  if (!existsSync(path)) throw new Error(`${path} is not there: set BELAY_CASES to a folder of case files, or name files and folders as arguments`);
  if (!statSync(path).isDirectory()) return [path];
  const files = readdirSync(path).filter((name) => name.endsWith('.json')).sort().map((name) => join(path, name));
  if (files.length === 0) throw new Error(`${path} holds no case: expected files that end in .json`);
  return files;
}

export function readCaseFile(file: string): Case {
  try {
    return readCase(JSON.parse(readFileSync(file, 'utf8')), basename(file, '.json'));
  } catch (error) {
    throw new Error(`${basename(file)}: ${(error as Error).message}`, { cause: error });
  }
}

/** A case as it stands in JSON; throws an Error that names the place and the word that is not known. */
export function readCase(raw: unknown, fallbackId = 'case'): Case {
  const all = fieldsOf(raw, 'case', ['id', 'title', 'right', 'needs', 'chain', 'providers', 'upstreams', 'steps', 'expect']);
  return {
    id: String(all['id'] ?? fallbackId),
    title: String(all['title'] ?? ''),
    needs: listOf(all['needs'] ?? [], 'needs').map(String),
    chain: fieldsOf(all['chain'] ?? {}, 'chain'),
    upstreams: readUpstreams(all['upstreams'], fieldsOf(all['providers'] ?? {}, 'providers')),
    steps: listOf(all['steps'], 'steps').map((step, index) => readStep(step, `steps[${index}]`)),
    expect: fieldsOf(all['expect'] ?? {}, 'expect', ['attempts', 'gaps', 'closed', 'requests', 'belay']),
  };
}

function readUpstreams(raw: unknown, providers: Fields): readonly Upstream[] {
  const scripts = Object.entries(fieldsOf(raw, 'upstreams'));
  for (const name of Object.keys(providers)) if (!scripts.some(([known]) => known === name)) throw new Error(`providers.${name}: there is no upstream of this name`);
  if (scripts.length === 0) throw new Error('upstreams: a case needs at least one');
  return scripts.map(([name, script]) => readUpstream(name, script, providers[name]));
}

function readUpstream(name: string, script: unknown, raw: unknown): Upstream {
  const provider = fieldsOf(raw ?? {}, `providers.${name}`, ['spec', 'preset', 'path', 'model', 'credentials']);
  const attempts = listOf(script, `upstreams.${name}`).map((entry, index) => readAttempt(entry, `upstreams.${name}[${index}]`));
  if (attempts.length === 0) throw new Error(`upstreams.${name}: needs at least one entry`);
  return {
    name,
    script: attempts,
    spec: fieldsOf(provider['spec'] ?? {}, `providers.${name}.spec`),
    preset: provider['preset'] === undefined ? null : String(provider['preset']),
    path: String(provider['path'] ?? '/v1'),
    model: String(provider['model'] ?? `model-of-${name.toLowerCase()}`),
    credentials: provider['credentials'] !== false,
  };
}

const stepWords = ['body', 'bodyText', 'stream', 'headers', 'chunked', 'client', 'abortAfterMs', 'abortAfterEvents', 'at', 'after', 'poll', 'expect'];

function readStep(raw: unknown, where: string): Step {
  const step = fieldsOf(raw, where, stepWords);
  const client = step['client'] ?? 'raw';
  if (client !== 'raw' && client !== 'openai') throw new Error(`${where}.client: must be "openai" where it is set, not ${JSON.stringify(client)}`);
  return {
    body: step['body'] === undefined ? null : fieldsOf(step['body'], `${where}.body`),
    bodyText: step['bodyText'] === undefined ? null : String(step['bodyText']),
    stream: step['stream'] === true,
    headers: fieldsOf(step['headers'] ?? {}, `${where}.headers`) as { readonly [name: string]: string },
    chunked: step['chunked'] === true,
    client,
    abortAfterMs: numberOf(step['abortAfterMs'], `${where}.abortAfterMs`),
    abortAfterEvents: numberOf(step['abortAfterEvents'], `${where}.abortAfterEvents`),
    at: numberOf(step['at'], `${where}.at`),
    after: numberOf(step['after'], `${where}.after`) ?? 0,
    poll: step['poll'] === undefined ? null : readPoll(step['poll'], `${where}.poll`),
    expect: fieldsOf(step['expect'] ?? {}, `${where}.expect`),
  };
}

function readPoll(raw: unknown, where: string): Poll {
  const poll = fieldsOf(raw, where, ['every', 'for', 'until', 'text']);
  return {
    every: numberOf(poll['every'], `${where}.every`) ?? 250,
    for: numberOf(poll['for'], `${where}.for`) ?? 10_000,
    until: String(poll['until']),
    text: poll['text'] === undefined ? null : String(poll['text']),
  };
}

/** The value as an object; with `words`, one that has no others. */
export function fieldsOf(value: unknown, where: string, words: readonly string[] | null = null): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${where}: must be an object, not ${JSON.stringify(value)}`);
  for (const word of words === null ? [] : Object.keys(value)) {
    if (!words?.includes(word)) throw new Error(`${where}.${word}: no such word; there are ${words?.join(', ')}`);
  }
  return value as Fields;
}

export function listOf(value: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error(`${where}: must be a list, not ${JSON.stringify(value)}`);
  return value;
}

function numberOf(value: unknown, where: string): number | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'number') throw new Error(`${where}: must be a number, not ${JSON.stringify(value)}`);
  return value;
}
