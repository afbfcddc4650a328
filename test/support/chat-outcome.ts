import { performance } from 'node:perf_hooks';
import { createSseReader } from './sse-reader.ts';

/**
 * How an answer ended, as an application sees it. `normal`: a stream with a finish reason; `errorEvent`: an event with an
 * `error` object; `error`: a broken connection, or an event that is not JSON; `silent`: a clean end without a finish
 * reason, which nobody notices; `json`: an answer that is no stream.
 */
export type End = 'normal' | 'errorEvent' | 'error' | 'silent' | 'json';

export interface ToolCall {
  readonly id: string | null;
  readonly name: string;
  readonly arguments: string;
}

/** What one request came to, from the application's side. Times are milliseconds since it was sent. */
export interface Outcome {
  /** null: no answer came. */
  readonly status: number | null;
  readonly headers: { readonly [name: string]: string };
  readonly body: string;
  readonly text: string;
  readonly end: End;
  readonly finish: string | null;
  /** Number of `[DONE]`. */
  readonly done: number;
  /** Every `model` named, once each, in order of appearance. */
  readonly models: readonly string[];
  readonly usage: unknown;
  readonly usageChunks: number;
  readonly emptyChoices: number;
  readonly tools: readonly ToolCall[];
  /** The `error` member of the body or of an event; undefined: none. */
  readonly error: unknown;
  /** Whole JSON of an answer that is no stream; undefined: none. */
  readonly json: unknown;
  readonly events: readonly { readonly data: string; readonly atMs: number }[];
  readonly firstContentMs: number | null;
  readonly ms: number;
  /** The request itself ended it. */
  readonly aborted: boolean;
}

export interface OutcomeBuilder {
  head(status: number, headers: { readonly [name: string]: string }): void;
  bytes(part: Uint8Array): void;
  /** Events so far. */
  readonly count: () => number;
  finish(how: 'whole' | 'broken' | 'aborted'): Outcome;
}

interface Draft {
  text: string;
  finish: string | null;
  done: number;
  models: Set<string>;
  usage: unknown;
  usageChunks: number;
  emptyChoices: number;
  tools: Map<number, { id: string | null; name: string; arguments: string }>;
  error: unknown;
  notJson: boolean;
  firstContentMs: number | null;
}

interface Chunk {
  readonly model?: unknown;
  readonly usage?: unknown;
  readonly error?: unknown;
  readonly choices?: readonly Choice[];
}

interface Choice {
  readonly index?: number;
  readonly finish_reason?: string | null;
  readonly delta?: Message;
  readonly message?: Message;
}

interface Message {
  readonly content?: string | null;
  readonly tool_calls?: readonly ToolDelta[];
}

interface ToolDelta {
  readonly index?: number;
  readonly id?: string;
  readonly function?: { readonly name?: string; readonly arguments?: string };
}

/** Gathers an outcome from the moment the request is sent. */
export function createOutcome(): OutcomeBuilder {
  const sentAtMs = performance.now();
  const sse = createSseReader();
  const parts: Uint8Array[] = [];
  const events: { data: string; atMs: number }[] = [];
  const draft: Draft = {
    text: '', finish: null, done: 0, models: new Set(), usage: null, usageChunks: 0, emptyChoices: 0, tools: new Map(), error: undefined, notJson: false, firstContentMs: null,
  };
  let status: number | null = null;
  let headers: { readonly [name: string]: string } = {};
  const since = (): number => performance.now() - sentAtMs;
  const streamed = (): boolean => (headers['content-type'] ?? '').startsWith('text/event-stream');

  return {
    count: () => events.length,
    head: (code, fields) => {
      status = code;
      headers = fields;
    },
    bytes: (part) => {
      parts.push(part);
      if (!streamed()) return;
      for (const { data } of sse.push(part)) {
        events.push({ data, atMs: since() });
        takeEvent(data, draft, since);
      }
    },
    finish: (how) => {
      const body = Buffer.concat(parts).toString('utf8');
      const json = streamed() ? undefined : jsonOrUndefined(body);
      if (json !== undefined) takeChunk(json as Chunk, draft, since);
      const { notJson, models, tools, ...rest } = draft;
      return {
        ...rest, status, headers, body, json, events, models: [...models], tools: [...tools.values()], ms: since(), aborted: how === 'aborted',
        end: endOf({ how, streamed: streamed(), answered: status !== null, notJson, draft }),
      };
    },
  };
}

function endOf({ how, streamed, answered, notJson, draft }: { how: 'whole' | 'broken' | 'aborted'; streamed: boolean; answered: boolean; notJson: boolean; draft: Draft }): End {
  if (!answered) return 'error';
  if (!streamed) return how === 'whole' ? 'json' : 'error';
  if (draft.error !== undefined) return 'errorEvent';
  if (notJson || how !== 'whole') return 'error';
  return draft.finish === null ? 'silent' : 'normal';
}

function takeEvent(data: string, draft: Draft, since: () => number): void {
  if (data === '[DONE]') return void draft.done++;
  const chunk = jsonOrUndefined(data);
  if (typeof chunk !== 'object' || chunk === null) return void (draft.notJson = true);
  takeChunk(chunk as Chunk, draft, since);
}

function takeChunk(chunk: Chunk, draft: Draft, since: () => number): void {
  if (chunk.error !== undefined && chunk.error !== null) draft.error = chunk.error;
  if (typeof chunk.model === 'string') draft.models.add(chunk.model);
  if (chunk.usage !== undefined && chunk.usage !== null) {
    draft.usage = chunk.usage;
    draft.usageChunks++;
  }
  if (!Array.isArray(chunk.choices)) return;
  if (chunk.choices.length === 0) draft.emptyChoices++;
  for (const choice of chunk.choices) takeChoice(choice, draft, since);
}

function takeChoice(choice: Choice, draft: Draft, since: () => number): void {
  if ((choice.index ?? 0) !== 0) return;
  takeMessage(choice.delta ?? choice.message ?? {}, draft);
  if (draft.text !== '' || draft.tools.size > 0) draft.firstContentMs ??= since();
  draft.finish = choice.finish_reason ?? draft.finish;
}

function takeMessage({ content, tool_calls: calls }: Message, draft: Draft): void {
  draft.text += content ?? '';
  for (const [position, call] of (calls ?? []).entries()) takeToolCall(call, call.index ?? position, draft);
}

function takeToolCall(call: ToolDelta, at: number, { tools }: Draft): void {
  const before = tools.get(at) ?? { id: null, name: '', arguments: '' };
  tools.set(at, {
    id: before.id ?? call.id ?? null,
    name: before.name + (call.function?.name ?? ''),
    arguments: before.arguments + (call.function?.arguments ?? ''),
  });
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
