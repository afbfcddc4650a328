import type { TokenUsage } from '@belay/contract';
import type { EventKind } from '../../dialect.ts';
import { choicesOf, explainingFinishes, finishOf, indexOf, partsOf, type DeltaParts } from './chunk.ts';
import { isObject, objectIn, type JsonObject } from './error-fields.ts';
import { createToolCallTracker, repairedDelta, type ToolCallTracker } from './tool-calls.ts';
import { usageOf } from './usage.ts';

/** What is known of an answer while its stream is read. */
export interface AnswerState {
  readonly choices: Map<number, ChoiceState>;
  /** Content came: text, a refusal, a tool call with its name. */
  answered: boolean;
  /** A finish reason came that explains an answer without content. */
  explained: boolean;
  /** A tool call or a reasoning block is open. */
  blockOpen: boolean;
  usage: TokenUsage | null;
  servedModel: string | null;
  id: string | null;
}

interface ChoiceState {
  finish: string | null;
  readonly toolCalls: ToolCallTracker;
}

export function newAnswerState(): AnswerState {
  return { choices: new Map(), answered: false, explained: false, blockOpen: false, usage: null, servedModel: null, id: null };
}

/** Every choice that was seen has its finish reason. */
export function isFinished({ choices }: AnswerState): boolean {
  for (const { finish } of choices.values()) if (finish === null) return false;
  return choices.size > 0;
}

/** What a chunk means; `mended`: its choices as SDKs need them, null where they are so already. */
export interface ReadChunk {
  readonly kind: EventKind;
  readonly mended: readonly JsonObject[] | null;
}

interface ReadChoice {
  readonly reasoning: boolean;
  readonly content: boolean;
  readonly finish: boolean;
  readonly mended: JsonObject | null;
}

/** Notes what a chunk adds, and says what it means. */
export function readChunk(state: AnswerState, payload: JsonObject, stripUsage: boolean): ReadChunk {
  state.usage = usageOf(payload) ?? state.usage;
  state.servedModel ??= textIn(payload['model']);
  state.id ??= textIn(payload['id']);
  const choices = choicesOf(payload);
  if (choices.length === 0) return { kind: stripUsage && isObject(payload['usage']) ? 'Withheld' : 'Silence', mended: null };
  const seen = choices.map((choice) => readChoice(state, choice));
  state.answered ||= seen.some(({ content }) => content);
  return { kind: kindOf(state, seen), mended: seen.some(({ mended }) => mended !== null) ? choices.map((choice, place) => seen[place]?.mended ?? choice) : null };
}

/** Azure opens with a chunk whose model and id are empty. */
function textIn(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function kindOf({ answered, explained }: AnswerState, seen: readonly ReadChoice[]): EventKind {
  // A finish reason of an empty answer is not handed on as one: the failure follows at the end.
  if (seen.some(({ finish }) => finish) && (answered || explained)) return 'Finish';
  if (seen.some(({ content }) => content)) return 'Content';
  return seen.some(({ reasoning }) => reasoning) ? 'Reasoning' : 'Silence';
}

function readChoice(state: AnswerState, choice: JsonObject): ReadChoice {
  const index = indexOf(choice);
  const isNew = !state.choices.has(index);
  const known = choiceState(state, index);
  const member = isObject(choice['delta']) ? 'delta' : 'message';
  const delta = objectIn(choice[member]) ?? {};
  const parts = partsOf(delta);
  const { named, calls } = placeCalls(state, known, parts.toolCalls);
  const finish = finishOf(choice);
  known.finish ??= finish;
  noteBlock(state, parts, finish);
  const lacksRole = isNew && typeof delta['role'] !== 'string';
  const mended = lacksRole || calls !== null ? { ...choice, [member]: mendedDelta(delta, lacksRole, calls) } : null;
  return { reasoning: parts.reasoning, content: parts.content || parts.functionCall || named, finish: finish !== null, mended };
}

function mendedDelta(delta: JsonObject, lacksRole: boolean, calls: readonly JsonObject[] | null): JsonObject {
  return { ...(lacksRole ? { role: 'assistant' } : {}), ...delta, ...(calls === null ? {} : { tool_calls: calls }) };
}

function noteBlock(state: AnswerState, { content, reasoning, toolCalls, functionCall }: DeltaParts, finish: string | null): void {
  const isCall = toolCalls.length > 0 || functionCall;
  if (finish !== null) {
    state.blockOpen = false;
    state.explained ||= explainingFinishes.has(finish);
  } else if (isCall || reasoning || content) {
    state.blockOpen = isCall || !content;
  }
}

/** `named`: a delta belongs to a call whose function is named; `calls`: all deltas, mended; null where none needs it. */
function placeCalls(state: AnswerState, { toolCalls }: ChoiceState, deltas: readonly JsonObject[]): { named: boolean; calls: JsonObject[] | null } {
  const placed = deltas.map((delta) => toolCalls.place(delta, state.id ?? ''));
  const repaired = deltas.map((delta, at) => (placed[at] === undefined ? null : repairedDelta(delta, placed[at])));
  return {
    named: placed.some(({ call }) => call.name !== ''),
    calls: repaired.some((delta) => delta !== null) ? deltas.map((delta, at) => repaired[at] ?? delta) : null,
  };
}

function choiceState({ choices }: AnswerState, index: number): ChoiceState {
  const known = choices.get(index);
  if (known !== undefined) return known;
  const state: ChoiceState = { finish: null, toolCalls: createToolCallTracker() };
  choices.set(index, state);
  return state;
}
