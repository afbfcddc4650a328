import { failure, type Failure } from '../../../core/failure/failure.ts';
import type { RawAnswer, UnaryAnswer } from '../../dialect.ts';
import { choicesOf, explainingFinishes, failedFinishes, finishOf, partsOf } from './chunk.ts';
import { carriesError, isObject, jsonOf, objectIn, type JsonObject } from './error-fields.ts';
import { parseExactJson } from './exact-json.ts';
import { classifyErrorInside, type FailureContext } from './failure.ts';
import { usageOf } from './usage.ts';

/** A good unary 200, its bytes as they came, or why it is none (routing rule 4). White space may stand around the JSON. */
export function checkUnaryAnswer(raw: RawAnswer, context: FailureContext): UnaryAnswer | Failure {
  const payload = jsonOf(raw.body);
  if (carriesError(payload)) return classifyErrorInside(raw.body, raw.headers, context);
  if (!isObject(payload)) return failure('Transient', describeBody(raw.body, payload), { status: raw.status });
  const choices = choicesOf(payload);
  if (choices.length === 0) return failure('Transient', 'an answer without choices', { status: raw.status });
  const refused = choices.find((choice) => failedFinishes.has(finishOf(choice) ?? ''));
  if (refused !== undefined) return classifyErrorInside(JSON.stringify({ error: refused['error'] ?? { code: finishOf(refused) } }), raw.headers, context);
  if (choices.every(isEmpty)) return failure('Content', 'empty answer', { status: raw.status });
  return { body: raw.body, servedModel: modelOf(payload), usage: usageOf(payload) };
}

function describeBody(body: string, payload: unknown): string {
  if (payload !== undefined) return 'a body that is not a JSON object';
  return body.trim() === '' ? 'an empty body' : 'a body that is not JSON';
}

function modelOf({ model }: JsonObject): string | null {
  return typeof model === 'string' && model !== '' ? model : null;
}

/** Tells the two results of `checkUnaryAnswer` apart. */
export function isFailure(result: UnaryAnswer | Failure): result is Failure {
  return 'class' in result;
}

function isEmpty(choice: JsonObject): boolean {
  if (explainingFinishes.has(finishOf(choice) ?? '')) return false;
  const { content, toolCalls, functionCall } = partsOf(objectIn(choice['message']) ?? {});
  return !content && toolCalls.length === 0 && !functionCall;
}

/**
 * A whole answer as one stream, for a client that asked for one and a provider that answered with JSON all the same.
 * Gathered again it is field-equal. `body` must have passed `checkUnaryAnswer`.
 */
export function streamOfAnswer(body: string, { includeUsage }: { readonly includeUsage: boolean }): Uint8Array {
  const { choices: _choices, usage, object: _object, ...common } = parseExactJson(body) as JsonObject;
  const head = { ...common, object: 'chat.completion.chunk' };
  const choices = choicesOf({ choices: _choices });
  const chunks: unknown[] = [
    { ...head, choices: choices.map(({ message, ...choice }) => ({ ...choice, delta: deltaOf(objectIn(message) ?? {}), finish_reason: null })) },
    { ...head, choices: choices.map(({ index, finish_reason: reason }) => ({ index: index ?? 0, delta: {}, finish_reason: reason })) },
  ];
  if (includeUsage && usage !== undefined) chunks.push({ ...head, choices: [], usage });
  return new TextEncoder().encode(`${chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join('')}data: [DONE]\n\n`);
}

function deltaOf(message: JsonObject): JsonObject {
  const calls = message['tool_calls'];
  return Array.isArray(calls) ? { ...message, tool_calls: calls.map((call: unknown, index) => (isObject(call) ? { type: 'function', ...call, index } : call)) } : message;
}
