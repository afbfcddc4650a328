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
export function chunkJson(item: SseItem & { readonly kind: 'chunk' }, { id, model }: Identity, asked: Asked): string | null {
  const usage = item.usage === undefined || (item.usage.asked && !asked.includeUsage) ? undefined : item.usage.usage;
  const hasChoice = item.role !== undefined || item.text !== undefined || item.calls !== undefined || item.finish !== undefined;
  if (!hasChoice && usage === undefined) return null;
  const delta = {
    ...(item.role === undefined ? {} : { role: item.role, content: item.text ?? '' }),
    ...(item.text === undefined ? {} : { content: item.text }),
    ...(item.calls === undefined ? {} : { tool_calls: item.calls }),
  };
  const choices = hasChoice ? [{ index: 0, delta, finish_reason: item.finish ?? null }] : [];
  return JSON.stringify({ id, object: 'chat.completion.chunk', created, model, choices, ...(usage === undefined ? {} : { usage }) });
}

/** The unary form of an attempt: of `unary`, of `say`, else what its stream's items come to. */
export function unaryJson(attempt: Attempt, identity: Identity): string {
  const { message, finish, finish_reason: finishReason, usage = usualUsage, choices, ...rest } = attempt.unary ?? {};
  const gathered = attempt.unary === undefined ? gather(attempt.sse ?? itemsOfSay(attempt.say ?? '')) : null;
  if (gathered?.error !== undefined) return JSON.stringify(gathered.error);
  const whole = { role: 'assistant', content: null, ...(gathered?.message ?? (message as object | undefined)) };
  const reason = finish ?? finishReason ?? gathered?.finish ?? ('tool_calls' in whole ? 'tool_calls' : 'stop');
  return JSON.stringify({
    id: identity.id, object: 'chat.completion', created, model: identity.model,
    choices: choices ?? [{ index: 0, message: whole, finish_reason: reason }],
    ...(usage === null ? {} : { usage }), ...rest,
  });
}

interface Gathered {
  readonly message: { readonly [field: string]: unknown };
  readonly finish: string | null;
  readonly error: unknown;
}

function gather(items: readonly SseItem[]): Gathered {
  let content = '';
  const calls: { [field: string]: unknown }[] = [];
  let finish: string | null = null;
  let error: unknown;
  for (const item of unfold(items)) {
    if (item.kind === 'data' && typeof item.data === 'object' && item.data !== null && 'error' in item.data) error ??= item.data;
    if (item.kind !== 'chunk') continue;
    content += item.text ?? '';
    finish = item.finish ?? finish;
    for (const call of item.calls ?? []) addCall(calls, call as ToolDelta);
  }
  return { message: { content: content === '' && calls.length > 0 ? null : content, ...(calls.length > 0 ? { tool_calls: calls } : {}) }, finish, error };
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
