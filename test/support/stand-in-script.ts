/**
 * What a stand-in does with one request: one entry an attempt. The words are those of the cases
 * (`say status json text sse unary delay hang destroy headers gzip newline space bom split pace model onReused`);
 * any other word is an error, so that a script never means less than it says.
 */
export interface Attempt {
  /** A good answer, streamed or not as it was asked for. */
  readonly say?: string;
  readonly status?: number;
  readonly json?: unknown;
  readonly text?: string;
  /** Items of a stream, in order; the stream ends normally after the last unless one of them ends it. */
  readonly sse?: readonly SseItem[];
  /** What a request that did not ask for a stream gets, where `sse` alone would not say. */
  readonly unary?: { readonly [field: string]: unknown };
  /** Milliseconds before the first byte. */
  readonly delay?: number;
  /** Nothing at all for so many milliseconds, then the connection is closed; `true`: for ever. */
  readonly hang?: number | true;
  /** The connection is closed in place of an answer. */
  readonly destroy?: true;
  readonly headers?: { readonly [name: string]: string };
  readonly gzip?: boolean;
  /** End of line in a stream. */
  readonly newline?: string;
  /** False: no space after `data:`. */
  readonly space?: boolean;
  /** The stream opens with a byte order mark. */
  readonly bom?: boolean;
  /** Bytes a write. */
  readonly split?: number;
  /** Milliseconds between two items. */
  readonly pace?: number;
  /** `model` in the answer. */
  readonly model?: string;
  /** A request that comes on a connection that served one before is met with a reset. */
  readonly onReused?: 'reset';
}

export type SseItem =
  /** One chunk: what of it the item names. A usage alone comes with `choices: []`. */
  | { readonly kind: 'chunk'; readonly role?: string; readonly text?: string; readonly calls?: readonly unknown[]; readonly finish?: string | null; readonly usage?: UsageItem }
  /** A text word by word. */
  | { readonly kind: 'say'; readonly text: string }
  /** One event with this data: an object as JSON, a string as it is. */
  | { readonly kind: 'data'; readonly data: unknown }
  /** Bytes as they are. */
  | { readonly kind: 'raw'; readonly text: string }
  | { readonly kind: 'comment'; readonly text: string }
  | { readonly kind: 'done' }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'repeat'; readonly times: number; readonly items: readonly SseItem[] }
  | { readonly kind: 'destroy' }
  /** Nothing more; after `ms` the connection is closed, null: never. */
  | { readonly kind: 'hang'; readonly ms: number | null };

/** `asked`: only where the request has `stream_options.include_usage`. */
export interface UsageItem {
  readonly asked: boolean;
  readonly usage: unknown;
}

const attemptWords = new Set([
  'say', 'status', 'json', 'text', 'sse', 'unary', 'delay', 'hang', 'destroy', 'headers', 'gzip', 'newline', 'space', 'bom', 'split', 'pace', 'model', 'onReused',
]);

/** Usage of a good answer where a script names none. */
export const usualUsage = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 };

/** One entry of a script as it stands in JSON; throws an Error that names the place and the word. */
export function readAttempt(raw: unknown, where: string): Attempt {
  const entry = asObject(raw, where);
  for (const word of Object.keys(entry)) {
    if (!attemptWords.has(word)) throw new Error(`${where}.${word}: a stand-in knows no such word; it knows ${[...attemptWords].join(', ')}`);
  }
  if (entry['onReused'] !== undefined && entry['onReused'] !== 'reset') throw new Error(`${where}.onReused: must be "reset", not ${JSON.stringify(entry['onReused'])}`);
  if (!['say', 'status', 'json', 'text', 'sse', 'unary', 'hang', 'destroy'].some((word) => entry[word] !== undefined)) {
    throw new Error(`${where}: says nothing to answer with; one of say, status, json, text, sse, unary, hang or destroy is needed`);
  }
  const attempt = entry as unknown as Attempt;
  return entry['sse'] === undefined ? attempt : { ...attempt, sse: readItems(entry['sse'], `${where}.sse`) };
}

function readItems(raw: unknown, where: string): SseItem[] {
  if (!Array.isArray(raw)) throw new Error(`${where}: must be a list of items, not ${JSON.stringify(raw)}`);
  return raw.flatMap((item, index) => readItem(item, `${where}[${index}]`));
}

const chunkReaders: { readonly [word: string]: (value: unknown, where: string) => object } = {
  role: (value) => ({ role: typeof value === 'string' ? value : 'assistant' }),
  text: (value, where) => ({ text: asString(value, where) }),
  tool: (value) => ({ calls: (Array.isArray(value) ? value : [value]).map(toolCall) }),
  finish: (value, where) => ({ finish: value === null ? null : asString(value, where) }),
  usage: (value, where) => ({ usage: readUsage(value, where) }),
};

const itemReaders: { readonly [word: string]: (value: unknown, where: string) => SseItem } = {
  say: (value, where) => ({ kind: 'say', text: asString(value, where) }),
  data: (value) => ({ kind: 'data', data: value }),
  raw: (value, where) => ({ kind: 'raw', text: asString(value, where) }),
  comment: (value) => ({ kind: 'comment', text: value === true ? '' : String(value) }),
  done: () => ({ kind: 'done' }),
  wait: (value, where) => ({ kind: 'wait', ms: asNumber(value, where) }),
  destroy: () => ({ kind: 'destroy' }),
  hang: (value, where) => ({ kind: 'hang', ms: value === true ? null : asNumber(value, where) }),
};

/** Words of one chunk that stand in one item become one chunk; beside `repeat` stands what is repeated: `items`, or the words of one item. */
function readItem(raw: unknown, where: string): SseItem[] {
  const item = asObject(raw, where);
  if (item['repeat'] !== undefined) return [readRepeat(item, where)];
  const items: SseItem[] = [];
  let chunk: object | undefined;
  for (const [word, value] of Object.entries(item)) {
    const ofChunk = chunkReaders[word]?.(value, `${where}.${word}`);
    if (ofChunk !== undefined && chunk !== undefined) Object.assign(chunk, ofChunk);
    else if (ofChunk !== undefined) items.push((chunk = { kind: 'chunk', ...ofChunk }) as SseItem);
    else items.push(readOther(word, value, where));
  }
  return items;
}

function readOther(word: string, value: unknown, where: string): SseItem {
  const reader = itemReaders[word];
  if (reader === undefined) {
    throw new Error(`${where}.${word}: no such item; there are ${[...Object.keys(chunkReaders), ...Object.keys(itemReaders), 'repeat'].join(', ')}`);
  }
  return reader(value, `${where}.${word}`);
}

function readRepeat({ repeat, ...rest }: { readonly [word: string]: unknown }, where: string): SseItem {
  if (typeof repeat === 'object' && repeat !== null && !Array.isArray(repeat)) {
    const inner = repeat as { readonly [word: string]: unknown };
    const { times, count, n, ...body } = inner;
    return readRepeat({ repeat: times ?? count ?? n, ...body, ...rest }, where);
  }
  if (Array.isArray(repeat)) return readRepeat({ repeat: rest['times'], items: repeat, ...without(rest, 'times') }, where);
  const times = asNumber(repeat, `${where}.repeat`);
  const listed = ['items', 'sse', 'of', 'item'].find((word) => rest[word] !== undefined);
  if (listed === undefined) return { kind: 'repeat', times, items: readItem(rest, where) };
  const list = rest[listed];
  return { kind: 'repeat', times, items: [...readItems(Array.isArray(list) ? list : [list], `${where}.${listed}`), ...readItem(without(rest, listed), where)] };
}

function readUsage(value: unknown, where: string): UsageItem {
  if (value === 'asked') return { asked: true, usage: usualUsage };
  if (value === true || value === 'always') return { asked: false, usage: usualUsage };
  return { asked: false, usage: asObject(value, where) };
}

/** `{index, id, name, arguments}` or the wire's own form, which is kept as it is. */
function toolCall(raw: unknown): unknown {
  const call = asObject(raw, 'tool');
  if (call['function'] !== undefined) return call;
  const { index = 0, id, name, arguments: text, ...rest } = call;
  return { index, ...(id === undefined ? {} : { id, type: 'function' }), function: { ...(name === undefined ? {} : { name }), ...(text === undefined ? {} : { arguments: text }) }, ...rest };
}

function without(object: { readonly [word: string]: unknown }, word: string): { [word: string]: unknown } {
  return Object.fromEntries(Object.entries(object).filter(([key]) => key !== word));
}

function asObject(value: unknown, where: string): { readonly [word: string]: unknown } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${where}: must be an object, not ${JSON.stringify(value)}`);
  return value as { readonly [word: string]: unknown };
}

function asString(value: unknown, where: string): string {
  if (typeof value !== 'string') throw new Error(`${where}: must be a text, not ${JSON.stringify(value)}`);
  return value;
}

function asNumber(value: unknown, where: string): number {
  if (typeof value !== 'number' || value < 0) throw new Error(`${where}: must be a number of 0 or more, not ${JSON.stringify(value)}`);
  return value;
}
