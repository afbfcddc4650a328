import { isObject, jsonOf, objectIn, type JsonObject } from './error-fields.ts';

/** One tool call of one choice, as it grows. */
export interface ToolCall {
  /** Dense from 0, in order of appearance. */
  readonly index: number;
  id: string;
  type: string;
  name: string;
  /** Argument text so far; a custom tool's input. */
  text: string;
  /** Members that this dialect does not know, e.g. Gemini's `extra_content`; the last of each counts. */
  readonly more: { [name: string]: unknown };
}

export interface PlacedDelta {
  readonly call: ToolCall;
  /** The call begins with this delta. */
  readonly begins: boolean;
}

/** Finds out which call each delta belongs to, whatever its provider wrote as index and id. */
export interface ToolCallTracker {
  readonly calls: readonly ToolCall[];
  /** `answerId` makes the id of a call that came without one. */
  place(delta: JsonObject, answerId: string): PlacedDelta;
}

/**
 * Shapes that occur (README.md, Tool calls): no index (Mistral, Gemini), one index for all calls of a turn (Ollama, with or without ids),
 * an empty id on continuations (Qwen), another id on each continuation (old vLLM), arguments before the name.
 */
export function createToolCallTracker(): ToolCallTracker {
  const calls: ToolCall[] = [];
  const byIndex = new Map<number, ToolCall>();

  /** The call that goes on; undefined: a new one begins. */
  function find(id: string | null, index: number | null, named: boolean, text: string): ToolCall | undefined {
    const current = index === null ? calls.at(-1) : byIndex.get(index);
    // Its id tells a call, unless a second one begins under the same id at an index of its own.
    const reuses = named && index !== null && current === undefined;
    const known = reuses ? undefined : calls.findLast((call) => call.id === id);
    if (known !== undefined) return current?.id === id ? current : known;
    return current !== undefined && beginsAnother(current, id, index, named, text) ? undefined : current;
  }

  function place(delta: JsonObject, answerId: string): PlacedDelta {
    const found = find(textIn(delta['id']), numberIn(delta['index']), nameOf(delta) !== '', argumentsOf(delta));
    const call = found ?? begin(delta, calls.length, answerId);
    if (found === undefined) calls.push(call);
    if (typeof delta['index'] === 'number') byIndex.set(delta['index'], call);
    if (call.name === '') call.name = nameOf(delta);
    call.text += argumentsOf(delta);
    for (const [name, value] of Object.entries(delta)) if (!ownMembers.has(name) && value !== null) call.more[name] = value;
    return { call, begins: found === undefined };
  }

  return { calls, place };
}

/**
 * A name under another id, or under no index at all, is a new call's; a name alone may be repeated, unless arguments open
 * once more behind whole ones.
 */
function beginsAnother(current: ToolCall, id: string | null, index: number | null, named: boolean, text: string): boolean {
  if (!named || current.name === '' || current.id === id) return false;
  return id !== null || index === null || (text.trimStart().startsWith('{') && isObject(jsonOf(current.text)));
}

function textIn(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function numberIn(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

const ownMembers = new Set(['index', 'id', 'type', 'function', 'custom']);

function begin({ id, type, custom }: JsonObject, index: number, answerId: string): ToolCall {
  return {
    index,
    id: textIn(id) ?? `call_${answerId.replace(/[^A-Za-z0-9_-]/g, '')}_${index}`,
    type: textIn(type) ?? (isObject(custom) ? 'custom' : 'function'),
    name: '',
    text: '',
    more: {},
  };
}

function nameOf(delta: JsonObject): string {
  const name = (objectIn(delta['function']) ?? objectIn(delta['custom']))?.['name'];
  return typeof name === 'string' ? name : '';
}

/** Argument text of a delta; an object, as Ollama's own dialect has it, is written as JSON. */
function argumentsOf(delta: JsonObject): string {
  const text = objectIn(delta['function'])?.['arguments'] ?? objectIn(delta['custom'])?.['input'];
  return typeof text === 'string' ? text : isObject(text) ? JSON.stringify(text) : '';
}

/**
 * A delta as SDKs need it (openai drops or refuses one without index, AI SDK one without type), or null where it is
 * so already: dense integer index, id and type on the first, arguments a string.
 */
export function repairedDelta(delta: JsonObject, { call, begins }: PlacedDelta): JsonObject | null {
  const fn = objectIn(delta['function']);
  const isSound = delta['index'] === call.index && !isObject(fn?.['arguments']) && (!begins || (delta['id'] === call.id && delta['type'] === call.type));
  if (isSound) return null;
  return {
    ...delta,
    index: call.index,
    ...(begins ? { id: call.id, type: call.type } : {}),
    ...(fn === null ? {} : { function: { ...fn, arguments: argumentsOf(delta) } }),
  };
}
