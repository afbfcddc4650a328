import { parseExactJson } from './exact-json.ts';
import { parseGoDuration, type AnswerHeaders } from '../../../core/failure/retry-after.ts';

/** What an error says, whichever of the shapes in use it came in (README.md, Errors). */
export interface ErrorFields {
  /** `error.code`, or a status word such as Gemini's `RESOURCE_EXHAUSTED`; empty where none. */
  readonly code: string;
  /** `error.type`; empty where none. */
  readonly type: string;
  /** The message, and what an aggregator wraps of its provider's own; cut at 8,000 characters; empty where none. */
  readonly message: string;
  /** An HTTP status that stands in the error itself; null where none does. */
  readonly status: number | null;
  /** Gemini RetryInfo, or `try again in 1.5s` in the message, in milliseconds; null: not said. */
  readonly retryAfterMs: number | null;
  /** Gemini's quota ids, which alone tell a minute's limit from a day's. */
  readonly quotaIds: string;
  /** Rate-limit headers of the provider behind an aggregator (OpenRouter `metadata.headers`), lower-cased. */
  readonly innerHeaders: AnswerHeaders;
}

export type JsonObject = { readonly [name: string]: unknown };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An object, or null: for members that should be objects. */
export function objectIn(value: unknown): JsonObject | null {
  return isObject(value) ? value : null;
}

/** The JSON value of a body, long numbers kept as their text; undefined where it is none. */
export function jsonOf(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch {
    return undefined;
  }
}

/**
 * The error that a parsed 200 or stream event carries, or null: `{"error": …}` (an empty one is none), vLLM's and
 * Mistral's `{"object": "error"}`, Anthropic's `{"type": "error"}`.
 */
export function carriesError(payload: unknown): boolean {
  if (!isObject(payload)) return false;
  const { error, object, type } = payload as { error?: unknown; object?: unknown; type?: unknown };
  if (typeof error === 'string') return error !== '';
  if (isObject(error)) return Object.keys(error).length > 0;
  return error === true || object === 'error' || type === 'error';
}

/** Reads an error body; `text` stands in for a message where the body is not JSON. */
export function errorFields(text: string): ErrorFields {
  const body = jsonOf(text);
  const first: unknown = Array.isArray(body) ? body[0] : body;
  if (!isObject(first)) return { code: '', type: '', message: text.slice(0, maxMessage), status: null, retryAfterMs: null, quotaIds: '', innerHeaders: {} };
  return fieldsOf(first, objectIn(first['error']) ?? first);
}

function fieldsOf(outer: JsonObject, inner: JsonObject): ErrorFields {
  const metadata = objectIn(inner['metadata']) ?? {};
  const wrapped = typeof metadata['raw'] === 'string' ? errorFields(metadata['raw'].slice(0, maxMessage)) : null;
  const innerError = objectIn(inner['innererror']) ?? {};
  const message = joined(messageOf(inner), word(outer['error']), wrapped?.message).slice(0, maxMessage);
  return {
    code: joined(...[inner['code'], inner['status'], outer['code'], innerError['code']].map(codeWord), wrapped?.code),
    type: joined(...[inner['type'], outer['error_type'], metadata['error_type'], metadata['limit_source']].map(word), wrapped?.type),
    message,
    status: [inner['status_code'], inner['code'], inner['status'], outer['code']].map(statusOf).find((status) => status !== null) ?? null,
    retryAfterMs: retryInfoMs(inner['details']) ?? waitInWords(message),
    quotaIds: quotaIds(inner['details']),
    innerHeaders: lowerCased(objectIn(metadata['headers'])),
  };
}

const maxMessage = 8_000;

function joined(...parts: (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== '').join(' ');
}

/** A code that is a number is a status, not a word. */
function codeWord(value: unknown): string {
  return typeof value === 'string' && !/^\d+$/.test(value) ? value : '';
}

/** `message`, FastAPI's `detail` (a text or a list of `msg`), or Mistral's `message` around either. */
function messageOf(error: JsonObject): string {
  const said = error['message'] ?? error['detail'] ?? error['details'];
  if (isObject(said)) return messageOf(said);
  if (!Array.isArray(said)) return word(said);
  return said.map((one: unknown) => (isObject(one) ? [word(one['type']), word(one['msg'])].join(' ') : word(one))).join(' ');
}

function word(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}

function statusOf(value: unknown): number | null {
  const status = typeof value === 'string' && /^\d{3}$/.test(value) ? Number(value) : value;
  return typeof status === 'number' && Number.isInteger(status) && status >= 400 && status <= 599 ? status : null;
}

function details(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function retryInfoMs(value: unknown): number | null {
  const delay = details(value).map((detail) => word(detail['retryDelay'])).find((text) => text !== '');
  return delay === undefined ? null : parseGoDuration(delay);
}

function waitInWords(message: string): number | null {
  const [, text] = /(?:try again|retry) in ((?:\d+(?:\.\d+)?(?:ms|h|m|s))+)/i.exec(message) ?? [];
  return text === undefined ? null : parseGoDuration(text);
}

function quotaIds(value: unknown): string {
  return details(value).flatMap((detail) => details(detail['violations'])).map((violation) => word(violation['quotaId'])).join(' ');
}

function lowerCased(headers: JsonObject | null): AnswerHeaders {
  return Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), word(value)]));
}
