import { choicesOf, finishOf, indexOf } from './chunk.ts';
import { isObject, objectIn, type JsonObject } from './error-fields.ts';
import { isExactNumber } from './exact-json.ts';
import { createToolCallTracker, type ToolCall, type ToolCallTracker } from './tool-calls.ts';

/** Gathers a stream's chunks into the answer that the provider would have given unary. */
export interface Assembler {
  add(chunk: JsonObject): void;
  /** Characters that the deltas brought so far, about. */
  readonly size: number;
  /** JSON of the whole answer. */
  answer(): string;
}

type Members = { [name: string]: unknown };

interface Choice {
  readonly index: number;
  finish: string | null;
  readonly more: Members;
  readonly message: Members;
  readonly logprobs: Members;
  readonly toolCalls: ToolCallTracker;
}

/** Members that only streams have: padding (OpenAI, Mistral), progress (llama.cpp), and what is gathered below. */
const notOfTheAnswer = new Set(['choices', 'object', 'obfuscation', 'p', 'prompt_progress']);
const notOfTheChoice = new Set(['index', 'delta', 'message', 'finish_reason', 'logprobs']);
const notOfTheMessage = new Set(['tool_calls', 'index', 'channel']);

/** Field-equal to a unary answer; unknown members are kept, the last that is not null counts. */
export function createAssembler(): Assembler {
  const answer: Members = {};
  const choices = new Map<number, Choice>();
  let size = 0;

  function add(chunk: JsonObject): void {
    for (const [name, value] of Object.entries(chunk)) {
      if (notOfTheAnswer.has(name)) continue;
      if (isFirstOnly.has(name)) keepFirst(answer, name, value);
      else mergeLast(answer, name, value);
    }
    for (const part of choicesOf(chunk)) addChoice(part);
  }

  function addChoice(part: JsonObject): void {
    const choice = choiceAt(indexOf(part));
    choice.finish ??= finishOf(part);
    for (const [name, value] of Object.entries(part)) if (!notOfTheChoice.has(name)) mergeLast(choice.more, name, value);
    addLogprobs(choice, part['logprobs']);
    const delta = objectIn(part['delta']) ?? objectIn(part['message']);
    if (delta === null) return;
    addDelta(choice, delta, String(answer['id'] ?? ''));
    size += sizeOf(delta);
  }

  function choiceAt(index: number): Choice {
    const known = choices.get(index);
    if (known !== undefined) return known;
    const choice: Choice = { index, finish: null, more: {}, message: {}, logprobs: {}, toolCalls: createToolCallTracker() };
    choices.set(index, choice);
    return choice;
  }

  function text(): string {
    const { x_groq: groq, usage, ...rest } = answer;
    const tokens = usage ?? objectIn(groq)?.['usage'];
    return JSON.stringify({
      ...rest,
      object: 'chat.completion',
      choices: [...choices.values()].sort((a, b) => a.index - b.index).map(wholeChoice),
      ...(tokens === undefined ? {} : { usage: tokens }),
      ...(isObject(groq) ? { x_groq: without(groq, 'usage') } : {}),
    });
  }

  return { add, answer: text, get size() { return size; } };
}

/** Characters of a delta's texts, however deep they stand. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  let size = 0;
  for (const member of Object.values(value)) size += sizeOf(member);
  return size;
}

const isFirstOnly = new Set(['id', 'created', 'model']);

/** Azure opens with a chunk whose id and model are empty and whose time is 0. */
function keepFirst(members: Members, name: string, value: unknown): void {
  if (members[name] === undefined || members[name] === '' || members[name] === 0 || members[name] === null) members[name] = value;
}

/** A null leaves what is there; an object adds its members to one that is there. */
function mergeLast(members: Members, name: string, value: unknown): void {
  const old = members[name];
  if (value === null && old !== undefined) return;
  members[name] = name !== 'usage' && isObject(value) && isObject(old) && !isExactNumber(value) ? { ...old, ...value } : value;
}

function addLogprobs(choice: Choice, logprobs: unknown): void {
  if (logprobs === undefined) return;
  if (logprobs === null) choice.more['logprobs'] ??= null;
  if (!isObject(logprobs)) return;
  for (const [name, value] of Object.entries(logprobs)) choice.logprobs[name] = concatenated(choice.logprobs[name], value);
  choice.more['logprobs'] = choice.logprobs;
}

function addDelta({ message, toolCalls }: Choice, delta: JsonObject, answerId: string): void {
  for (const [name, value] of Object.entries(delta)) {
    if (notOfTheMessage.has(name)) continue;
    message[name] = mergedMember(name, message[name], value);
  }
  const calls = delta['tool_calls'];
  if (Array.isArray(calls)) for (const call of calls.filter(isObject)) toolCalls.place(call, answerId);
  // No calls may be null or an empty list; calls take their place.
  if (calls !== undefined) message['tool_calls'] ??= Array.isArray(calls) ? [] : null;
}

/** Text that a model writes piece by piece, under whichever name; a role or a name is repeated whole. */
const growing = /content|refusal|reason|think|transcript/;

function mergedMember(name: string, old: unknown, value: unknown): unknown {
  if (value === null || value === undefined) return old ?? null;
  switch (name) {
    case 'content': return Array.isArray(old) || Array.isArray(value) ? mergedParts(partsIn(old), partsIn(value)) : mergedText(name, old, value);
    case 'reasoning_details': return mergedDetails(partsIn(old), partsIn(value));
    case 'audio': case 'function_call': return mergedStrings(objectIn(old), objectIn(value));
    default: return mergedText(name, old, value);
  }
}

function mergedText(name: string, old: unknown, value: unknown): unknown {
  if (typeof value !== 'string' || typeof old !== 'string') return concatenated(old, value);
  return growing.test(name) ? old + value : value === '' ? old : value;
}

function concatenated(old: unknown, value: unknown): unknown {
  if (value === null) return old ?? null;
  return Array.isArray(old) && Array.isArray(value) ? [...(old as unknown[]), ...(value as unknown[])] : value;
}

/** A text among Mistral's parts is a text part. */
function partsIn(content: unknown): JsonObject[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }];
  return Array.isArray(content) ? content.filter(isObject) : [];
}

/** Neighbours of one type are one part: their texts, or their lists of texts, are joined. */
function mergedParts(old: readonly JsonObject[], added: readonly JsonObject[]): JsonObject[] {
  const parts = [...old];
  for (const part of added) {
    const last = parts.at(-1);
    if (last === undefined || last['type'] !== part['type'] || part['type'] === undefined) parts.push(part);
    else parts[parts.length - 1] = joinedPart(last, part);
  }
  return parts;
}

function joinedPart(old: JsonObject, part: JsonObject): JsonObject {
  const joined: Members = { ...old, ...part };
  if (typeof old['text'] === 'string' && typeof part['text'] === 'string') joined['text'] = old['text'] + part['text'];
  if (Array.isArray(old['thinking']) && Array.isArray(part['thinking'])) joined['thinking'] = mergedParts(partsIn(old['thinking']), partsIn(part['thinking']));
  return joined;
}

/** OpenRouter's details: pieces of one index and type are one detail; a signature comes as a piece without text. */
function mergedDetails(old: readonly JsonObject[], added: readonly JsonObject[]): JsonObject[] {
  const details = [...old];
  for (const piece of added) {
    const at = details.findIndex((detail) => detail['index'] === piece['index'] && detail['type'] === piece['type']);
    if (at === -1) details.push(piece);
    else details[at] = mergedStrings(details[at] ?? null, piece, growingDetail);
  }
  return details;
}

const growingDetail = /^(text|summary|data)$/;
const growingAudio = /^(data|transcript|arguments)$/;

function mergedStrings(old: JsonObject | null, added: JsonObject | null, grows: RegExp = growingAudio): JsonObject {
  const merged: Members = { ...old };
  for (const [name, value] of Object.entries(added ?? {})) {
    const before = merged[name];
    if (grows.test(name) && typeof before === 'string' && typeof value === 'string') merged[name] = before + value;
    else if (value !== null || before === undefined) merged[name] = value;
  }
  return merged;
}

function wholeChoice({ index, finish, more, message, toolCalls }: Choice): JsonObject {
  const calls = toolCalls.calls;
  return {
    index,
    message: { role: 'assistant', content: null, ...message, ...(calls.length === 0 ? {} : { tool_calls: calls.map(wholeCall) }) },
    ...more,
    finish_reason: finish,
  };
}

/** A call without arguments has empty ones: `{}` parses, an empty text does not. */
function wholeCall({ id, type, name, text, more }: ToolCall): JsonObject {
  return type === 'custom'
    ? { ...more, id, type, custom: { name, input: text } }
    : { ...more, id, type, function: { name, arguments: text === '' ? '{}' : text } };
}

function without(members: JsonObject, name: string): JsonObject {
  return Object.fromEntries(Object.entries(members).filter(([key]) => key !== name));
}
