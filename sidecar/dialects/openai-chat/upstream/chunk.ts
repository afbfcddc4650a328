import { isObject, objectIn, type JsonObject } from './error-fields.ts';

/** What a delta adds to its choice. */
export interface DeltaParts {
  /** Text, refusal, audio or a picture that the user is meant to get. */
  readonly content: boolean;
  readonly reasoning: boolean;
  readonly toolCalls: readonly JsonObject[];
  /** A call in OpenAI's form before tools. */
  readonly functionCall: boolean;
}

/** Finish reasons by which a provider says that the attempt failed (Mistral, OpenRouter; DeepSeek; Z.ai). */
export const failedFinishes: ReadonlySet<string> = new Set(['error', 'insufficient_system_resource', 'network_error']);
/** Finish reasons that explain an answer without content: it is the answer, not an empty one. */
export const explainingFinishes: ReadonlySet<string> = new Set(['length', 'content_filter', 'model_length', 'sensitive', 'model_context_window_exceeded']);

/** The choices of a chunk or an answer. */
export function choicesOf(payload: JsonObject): JsonObject[] {
  const choices = payload['choices'];
  return Array.isArray(choices) ? choices.filter(isObject) : [];
}

/** `index` of a choice; 0 where a provider leaves it out. */
export function indexOf(choice: JsonObject): number {
  return typeof choice['index'] === 'number' ? choice['index'] : 0;
}

/** null while the choice goes on: absent, null, or empty (old Ollama writes `""` on every chunk). */
export function finishOf(choice: JsonObject): string | null {
  const reason = choice['finish_reason'];
  return typeof reason === 'string' && reason !== '' ? reason : null;
}

/** What a message of a whole answer, or a delta of a stream, holds. */
export function partsOf(delta: JsonObject): DeltaParts {
  const parts = Array.isArray(delta['content']) ? delta['content'].filter(isObject) : [];
  const toolCalls = Array.isArray(delta['tool_calls']) ? delta['tool_calls'].filter(isObject) : [];
  return {
    content: [delta['content'], delta['refusal']].some(isText) || parts.some(isContentPart) || isObject(delta['audio']) || isList(delta['images']),
    reasoning: [delta['reasoning_content'], delta['reasoning']].some(isText) || isList(delta['reasoning_details']) || parts.some(isReasoningPart),
    toolCalls,
    functionCall: isText(objectIn(delta['function_call'])?.['name']),
  };
}

/** Mistral writes reasoning as a part of the content: `{"type": "thinking", "thinking": [{"type": "text", "text": …}]}`. */
function isReasoningPart({ type, thinking }: JsonObject): boolean {
  return type === 'thinking' && (isText(thinking) || isList(thinking));
}

function isContentPart(part: JsonObject): boolean {
  return part['type'] === 'text' ? isText(part['text']) : part['type'] !== 'thinking';
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function isList(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0;
}
