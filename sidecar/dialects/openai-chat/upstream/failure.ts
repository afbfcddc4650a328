import type { FailureClass } from '@belay/contract';
import { failure, type Failure, type UpstreamAnswer } from '../../../core/failure/failure.ts';
import { returnsInMs, type AnswerHeaders } from '../../../core/failure/retry-after.ts';
import type { RawAnswer } from '../../dialect.ts';
import { errorFields, type ErrorFields } from './error-fields.ts';
import {
  blamesAccess, blamesContent, blamesContext, blamesLoad, blamesLoading, blamesMissingModel, blamesOutput, blamesQuota, blamesRequestOn404, blamesRequestOn500, blamesSize,
  codesBlameLoad, isDailyLimit,
} from './error-words.ts';

/** What classification knows beside the answer itself. */
export interface FailureContext {
  /** The provider's preset, e.g. `Fireworks`; null: none. */
  readonly preset: string | null;
  /** Wall time, for dates in headers. */
  readonly wallNowMs: number;
  /** Size of the request's body, for limits that it alone exceeds. */
  readonly promptBytes: number;
}

/**
 * The class of an upstream's answer that is not a good one (routing rule 4), by provider, status, code and message.
 * Redirects and statuses below 400 included. Never throws; the detail is free of the upstream's words.
 */
export function classifyAnswer(raw: RawAnswer, context: FailureContext): Failure {
  const fields = errorFields(raw.body);
  return build({ status: raw.status, headers: raw.headers, fields, context, where: '' }, {
    status: raw.status,
    contentType: raw.headers['content-type'] ?? 'application/json',
    body: raw.body,
    requestId: raw.headers['x-request-id'] ?? raw.headers['request-id'] ?? null,
  });
}

/**
 * The class of an error that came inside a 200: a stream's event, or a whole answer. The error names its status, or
 * its type stands for one. What goes back to a client is the event's JSON under that status.
 */
export function classifyErrorInside(text: string, headers: AnswerHeaders, context: FailureContext): Failure {
  const fields = errorFields(text);
  const status = fields.status ?? statusOfType(`${fields.type} ${fields.code}`);
  return build({ status, headers, fields, context, where: 'error inside a 200: ' }, {
    status,
    contentType: 'application/json',
    body: text,
    requestId: headers['x-request-id'] ?? null,
  });
}

/** True: the model or account cannot stream, and the request may be repeated once unary (routing rule 3). */
export function refusesStreaming(raw: RawAnswer): boolean {
  if (raw.status !== 400 && raw.status !== 422 && raw.status !== 403) return false;
  return /verified to stream|(does not|doesn't|not|cannot|can't) (currently )?support(ed)? (for )?stream(ing)?\b|stream(ing)?( mode)? is not (supported|available|allowed)/i.test(errorFields(raw.body).message);
}

interface Seen {
  readonly status: number;
  readonly headers: AnswerHeaders;
  readonly fields: ErrorFields;
  readonly context: FailureContext;
  readonly where: string;
}

interface Verdict {
  readonly class: FailureClass;
  /** A clause for people. */
  readonly why: string;
  readonly oversize?: boolean;
  /** The upstream's answer may go back, under this status. */
  readonly returns?: number;
}

function build(seen: Seen, answer: UpstreamAnswer): Failure {
  const { status, where } = seen;
  const { class: name, why, oversize = false, returns } = judge(seen);
  const retryAfterMs = mayReturn.has(name) && !oversize ? returnOf(seen) : null;
  const wait = retryAfterMs === null ? '' : `, resets in ${describeWait(retryAfterMs)}`;
  return failure(name, `${where}${status}${why === '' ? '' : ` ${why}`}${wait}`, {
    status, retryAfterMs, oversize, answer: returns === undefined ? null : { ...answer, status: returns },
  });
}

/** Classes of which a Retry-After says anything. */
const mayReturn: ReadonlySet<FailureClass> = new Set<FailureClass>(['Rate', 'Quota', 'Overload', 'Transient']);

function returnOf({ headers, fields, context: { wallNowMs } }: Seen): number | null {
  return returnsInMs(headers, wallNowMs) ?? fields.retryAfterMs ?? returnsInMs(fields.innerHeaders, wallNowMs);
}

/** In order of what speaks louder: words that hold under any status, then the status, then its exceptions by words. */
function judge(seen: Seen): Verdict {
  const { status, fields } = seen;
  if (status < 300) return { class: 'Transient', why: 'without an answer' };
  if (status < 400) return { class: 'Missing', why: 'redirects' };
  if (status === 503 && blamesLoading(fields)) return { class: 'Loading', why: 'loading its model' };
  if (blamesSize(fields)) return { class: 'Rate', why: 'request larger than the limit', oversize: true };
  if (status === 429) return judgeLimit(seen);
  return status >= 500 ? judgeServer(seen) : judgeRequest(seen);
}

const usedUp: Verdict = { class: 'Quota', why: 'quota used up' };
const overloaded: Verdict = { class: 'Overload', why: 'overloaded' };

function judgeLimit({ headers, fields, context }: Seen): Verdict {
  if (blamesQuota(fields) || isDailyLimit(fields)) return usedUp;
  if (codesBlameLoad(fields)) return overloaded;
  if (isGiant(headers, context)) return { class: 'Rate', why: 'request larger than the limit', oversize: true };
  return { class: 'Rate', why: '' };
}

function judgeServer({ status, fields }: Seen): Verdict {
  if (blamesRequestOn500(fields)) return { class: 'Client', why: 'request refused', returns: 400 };
  if (blamesQuota(fields)) return usedUp;
  if (blamesContext(fields)) return { class: 'Context', why: 'prompt too long', returns: 400 };
  if (status === 503 || status === 529 || blamesLoad(fields)) return overloaded;
  return { class: 'Transient', why: '' };
}

/** Statuses below 500 other than 429. */
function judgeRequest({ status, fields, context }: Seen): Verdict {
  if (status === 402 && fields.type.includes('in_flight_budget')) return { class: 'Rate', why: '' };
  if (status === 402 || (status === 412 && context.preset === 'Fireworks') || blamesQuota(fields)) return usedUp;
  return judgeContent(status, fields) ?? judgeTarget(status, fields) ?? { class: 'Client', why: safeCode(fields), returns: status };
}

/** Blames what was asked or what was written. */
function judgeContent(status: number, fields: ErrorFields): Verdict | null {
  if (blamesContent(fields)) return { class: 'Content', why: 'filtered', returns: status };
  if (blamesOutput(fields)) return { class: 'Content', why: 'unusable tool call' };
  return status === 413 || blamesContext(fields) ? { class: 'Context', why: 'prompt too long', returns: status } : null;
}

/** Blames the target: its model, its key, its state. */
function judgeTarget(status: number, fields: ErrorFields): Verdict | null {
  const gone = judgeMissing(status, fields);
  if (gone !== null) return gone;
  if (refused.has(status) || blamesAccess(fields)) return { class: 'Auth', why: 'key refused' };
  if (status === 498 || codesBlameLoad(fields)) return overloaded;
  return passing.has(status) || isDependency(status, fields) ? { class: 'Transient', why: '' } : null;
}

/** What names the model is of use to an application that chose it; any other 404 is about the address or the key here. */
function judgeMissing(status: number, fields: ErrorFields): Verdict | null {
  if (blamesMissingModel(fields)) return { class: 'Missing', why: 'model not found', returns: status };
  if (!missing.has(status) || blamesRequestOn404(fields)) return null;
  return { class: 'Missing', why: status === 405 ? 'no such endpoint' : 'model not found' };
}

const missing = new Set([404, 405, 410]);
const refused = new Set([401, 403, 407]);
/** Timed out, conflict, too early, gave up itself: the next try may well succeed. */
const passing = new Set([408, 409, 425, 499]);

/** 424: something behind the model failed, unless the provider calls the request invalid (Groq, remote tools). */
function isDependency(status: number, { type }: ErrorFields): boolean {
  return status === 424 && !type.includes('invalid_request');
}

/** More than most windows hold, by the estimate of routing rule 1: a limit that says no numbers is blamed on this request. */
const giantTokens = 200_000;
const bytesPerToken = 3.6;

/** A prompt that by itself exceeds the minute's tokens, as far as anybody said how many they are. */
function isGiant(headers: AnswerHeaders, { promptBytes }: FailureContext): boolean {
  const told = Number(headers['x-ratelimit-limit-tokens'] ?? '');
  return promptBytes / bytesPerToken > (told > 0 ? told : giantTokens);
}

/** A provider's code is a word of its documentation, never of a request or a key: letters alone. */
function safeCode({ code, type }: ErrorFields): string {
  const [word] = `${code} ${type}`.split(' ').filter((one) => /^[A-Za-z_]{3,48}$/.test(one));
  return word ?? 'request refused';
}

const statusesOfTypes: readonly (readonly [RegExp, number])[] = [
  [/overloaded|unavailable|capacity/, 503],
  [/rate.?limit|resource_exhausted|insufficient_quota|too_many_requests/, 429],
  [/authentication|unauthenticated|invalid_api_key/, 401],
  [/permission/, 403],
  [/not_?found/, 404],
  [/invalid_request|invalid_argument|badrequest|bad_request|exceed_context|context_length/, 400],
  [/timeout|deadline/, 504],
];

/** An error without a status, by its type; 500 where nobody can tell. */
function statusOfType(words: string): number {
  const lower = words.toLowerCase();
  return statusesOfTypes.find(([pattern]) => pattern.test(lower))?.[1] ?? 500;
}

function describeWait(ms: number): string {
  if (ms < 10_000) return `${Number((ms / 1000).toFixed(1))} s`;
  return ms < 120_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`;
}
