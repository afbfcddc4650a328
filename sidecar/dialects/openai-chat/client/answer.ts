import type { Decision } from '@belay/contract';
import type { OwnError } from '../../dialect.ts';

/** What is written to an application in place of a provider's answer. */
export interface OwnAnswer {
  readonly status: number;
  /** Lower-cased names. */
  readonly headers: { readonly [name: string]: string };
  readonly body: string;
}

/** SDKs sleep for whatever they are told: never more than this. */
const maxRetryAfterSeconds = 60;

/**
 * Belay's own error in OpenAI's shape. `x-should-retry: false` keeps OpenAI's and Anthropic's SDKs from repeating what
 * Belay has already repeated; Retry-After is in whole seconds, rounded up, 1 to 60.
 */
export function ownErrorAnswer({ status, type, code, message, retryAfterMs }: OwnError): OwnAnswer {
  const headers: { [name: string]: string } = { 'content-type': 'application/json', 'x-should-retry': 'false' };
  if (retryAfterMs !== null) headers['retry-after'] = String(Math.min(maxRetryAfterSeconds, Math.max(1, Math.ceil(retryAfterMs / 1000))));
  return { status, headers, body: JSON.stringify({ error: { message, type, param: null, code } }) };
}

/**
 * A unary answer with the decision as its member `belay` (`x-belay-explain: 1`). The text is added to, not parsed, so
 * numbers keep their digits. `body` must be a JSON object, as `checkUnaryAnswer` and a reader's `answer()` give it.
 */
export function explainAnswer(body: string, decision: Decision): string {
  const close = body.lastIndexOf('}');
  const separator = body.slice(0, close).trimEnd().endsWith('{') ? '' : ',';
  return `${body.slice(0, close)}${separator}"belay":${JSON.stringify(decision)}${body.slice(close)}`;
}

/**
 * The decision as a stream's last chunk before `[DONE]`. It has no choices and repeats neither id nor model: SDK
 * helpers copy a chunk's members over those of the answer that they gather.
 */
export function explainChunk(decision: Decision): Uint8Array {
  return new TextEncoder().encode(`data: ${JSON.stringify({ object: 'chat.completion.chunk', choices: [], belay: decision })}\n\n`);
}
