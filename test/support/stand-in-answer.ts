import type { Attempt, SseItem } from './stand-in-script.ts';
import { usualUsage } from './stand-in-script.ts';

/** What of a request an answer depends on. */
export interface Asked {
  readonly stream: boolean;
  readonly includeUsage: boolean;
}

/** Name and number of an answer: `chatcmpl-A1`. */
export interface Identity {
  readonly id: string;
  readonly model: string;
}

/** Written into every answer: one moment, so that equal scripts give equal bytes. */
const created = 1_767_225_600;

/** The items of a streamed `say`, as OpenAI sends them. */
export function itemsOfSay(text: string): readonly SseItem[] {
  return [
    { kind: 'chunk', role: 'assistant' },
    { kind: 'say', text },
    { kind: 'chunk', finish: 'stop' },
    { kind: 'chunk', usage: { asked: true, usage: usualUsage } },
    { kind: 'done' },
  ];
}

/** Items with every `repeat` and `say` unfolded. */
export function unfold(items: readonly SseItem[]): readonly SseItem[] {
  return items.flatMap((item) => {
    if (item.kind === 'say') return words(item.text).map((text): SseItem => ({ kind: 'chunk', text }));
    if (item.kind !== 'repeat') return [item];
    const once = unfold(item.items);
    return Array.from({ length: item.times }, () => once).flat();
  });
}

/** `Alpha one two` to `Alpha `, `one `, `two`. */
export function words(text: string): readonly string[] {
  return text.match(/\S+\s*|^\s+/g) ?? [];
}

/** The JSON of one chunk; null where the item is a usage that was not asked for. */
export function chunkJson(item: ChunkItem, { id, model }: Identity, asked: Asked): string | null {
  const usage = item.usage === undefined || (item.usage.asked && !asked.includeUsage) ? {} : { usage: item.usage.usage };
  const choices = hasChoice(item) ? [{ index: 0, delta: deltaOf(item), finish_reason: item.finish ?? null }] : [];
  if (choices.length === 0 && !('usage' in usage)) return null;
  return JSON.stringify({ id, object: 'chat.completion.chunk', created, model, choices, ...usage });
}

type ChunkItem = SseItem & { readonly kind: 'chunk' };

function hasChoice({ role, text, calls, finish }: ChunkItem): boolean {
  return role !== undefined || text !== undefined || calls !== undefined || finish !== undefined;
}

function deltaOf({ role, text, calls }: ChunkItem): object {
  return {
    ...(role === undefined ? {} : { role, content: '' }),
    ...(text === undefined ? {} : { content: text }),
    ...(calls === undefined ? {} : { tool_calls: calls }),
  };
}

/** The unary form of an attempt: of `unary`, of `say`, else what its stream's items come to. */
export function unaryJson(attempt: Attempt, identity: Identity): string {
  if (attempt.unary !== undefined) return wholeJson(identity, attempt.unary);
  const { error, message, finish } = gather(attempt.sse ?? itemsOfSay(attempt.say ?? ''));
  return error === undefined ? wholeJson(identity, { message, ...(finish === null ? {} : { finish }) }) : JSON.stringify(error);
}

/** A whole answer around a message; fields that are no part of one stand beside it. */
function wholeJson({ id, model }: Identity, fields: { readonly [field: string]: unknown }): string {
  const { message, finish, finish_reason: reason = finish, usage = usualUsage, choices, ...rest } = fields;
  const said = { role: 'assistant', content: null, ...(message as object | undefined) };
  const usual = [{ index: 0, message: said, finish_reason: reason ?? ('tool_calls' in said ? 'tool_calls' : 'stop') }];
  return JSON.stringify({ id, object: 'chat.completion', created, model, choices: choices ?? usual, ...(usage === null ? {} : { usage }), ...rest });
}

interface Gathered {
  readonly message: { readonly [field: string]: unknown };
  readonly finish: string | null;
  /** The first event with an `error`; undefined: none. */
  readonly error: unknown;
}

function gather(items: readonly SseItem[]): Gathered {
  const all = unfold(items);
  const error = all.map((item) => (item.kind === 'data' ? item.data : undefined)).find((data) => typeof data === 'object' && data !== null && 'error' in data);
  const chunks = all.filter((item) => item.kind === 'chunk');
  const calls: { [field: string]: unknown }[] = [];
  for (const call of chunks.flatMap((chunk) => chunk.calls ?? [])) addCall(calls, call as ToolDelta);
  const content = chunks.map(({ text }) => text ?? '').join('');
  const message = calls.length === 0 ? { content } : { content: content === '' ? null : content, tool_calls: calls };
  return { message, finish: chunks.findLast(({ finish }) => finish !== undefined)?.finish ?? null, error };
}

interface ToolDelta {
  readonly index?: number;
  readonly id?: string;
  readonly type?: string;
  readonly function: { readonly name?: string; readonly arguments?: string };
}

function addCall(calls: { [field: string]: unknown }[], { index = Math.max(0, calls.length - 1), id, type = 'function', function: part }: ToolDelta): void {
  const before = calls[index] as { id?: string; function: { name?: string; arguments: string } } | undefined;
  const text = `${before?.function.arguments ?? ''}${part.arguments ?? ''}`;
  calls[index] = { id: before?.id ?? id, type, function: { name: before?.function.name ?? part.name, arguments: text } };
}
