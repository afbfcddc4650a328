import type { TokenUsage } from '@belay/contract';
import type { EventKind } from '../../dialect.ts';
import { choicesOf, explainingFinishes, finishOf, indexOf, partsOf } from './chunk.ts';
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
  id: string;
}

interface ChoiceState {
  finish: string | null;
  readonly toolCalls: ToolCallTracker;
}

/** Repaired tool call deltas by `choice.delta` positions in the chunk. */
export type Repairs = ReadonlyMap<string, JsonObject>;

export function newAnswerState(): AnswerState {
  return { choices: new Map(), answered: false, explained: false, blockOpen: false, usage: null, servedModel: null, id: '' };
}

/** Every choice that was seen has its finish reason. */
export function isFinished({ choices }: AnswerState): boolean {
  for (const { finish } of choices.values()) if (finish === null) return false;
  return choices.size > 0;
}

/** Notes what a chunk adds, and says what it means. */
export function readChunk(state: AnswerState, payload: JsonObject, stripUsage: boolean): { kind: EventKind; repairs: Repairs } {
  const { model, id } = payload;
  state.usage = usageOf(payload) ?? state.usage;
  if (state.servedModel === null && typeof model === 'string' && model !== '') state.servedModel = model;
  if (state.id === '' && typeof id === 'string') state.id = id;
  const choices = choicesOf(payload);
  const repairs = new Map<string, JsonObject>();
  if (choices.length === 0) return { kind: stripUsage && isObject(payload['usage']) ? 'Withheld' : 'Silence', repairs };
  const seen = choices.map((choice, place) => readChoice(state, choice, (position, repaired) => repairs.set(`${place}.${position}`, repaired)));
  const content = seen.some((choice) => choice.content);
  state.answered ||= content;
  // A finish reason of an empty answer is not handed on as one: the failure follows at the end.
  if (seen.some((choice) => choice.finish) && (state.answered || state.explained)) return { kind: 'Finish', repairs };
  if (content) return { kind: 'Content', repairs };
  return { kind: seen.some((choice) => choice.reasoning) ? 'Reasoning' : 'Silence', repairs };
}

function readChoice(state: AnswerState, choice: JsonObject, repair: (position: number, repaired: JsonObject) => void): { reasoning: boolean; content: boolean; finish: boolean } {
  const known = choiceState(state, indexOf(choice));
  const parts = partsOf(objectIn(choice['delta']) ?? objectIn(choice['message']) ?? {});
  const named = placeCalls(state, known, parts.toolCalls, repair);
  const calls = parts.toolCalls.length > 0 || parts.functionCall;
  if (calls || parts.reasoning || parts.content) state.blockOpen = calls || !parts.content;
  const finish = finishOf(choice);
  known.finish ??= finish;
  if (finish !== null) {
    state.blockOpen = false;
    state.explained ||= explainingFinishes.has(finish);
  }
  return { reasoning: parts.reasoning, content: parts.content || parts.functionCall || named, finish: finish !== null };
}

/** True where one of the deltas belongs to a call whose function is named. */
function placeCalls(state: AnswerState, { toolCalls }: ChoiceState, deltas: readonly JsonObject[], repair: (position: number, repaired: JsonObject) => void): boolean {
  let named = false;
  deltas.forEach((delta, position) => {
    const placed = toolCalls.place(delta, state.id);
    const repaired = repairedDelta(delta, placed);
    if (repaired !== null) repair(position, repaired);
    named ||= placed.call.name !== '';
  });
  return named;
}

function choiceState({ choices }: AnswerState, index: number): ChoiceState {
  const known = choices.get(index);
  if (known !== undefined) return known;
  const state: ChoiceState = { finish: null, toolCalls: createToolCallTracker() };
  choices.set(index, state);
  return state;
}
