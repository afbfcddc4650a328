import type { TokenUsage } from '@belay/contract';
import type { Failure } from '../core/failure/failure.ts';

/** What the data plane knows of a client's request, whatever dialect it came in. */
export interface ClientRequest {
  /** The name that the application asked for. */
  readonly model: string;
  readonly stream: boolean;
  /** The application asked for usage in its stream. */
  readonly includeUsage: boolean;
  /** Settings under `belay` in the body; headers of the same meaning win. Raw, parsed by `core/plan`. */
  readonly settings: { readonly [name: string]: unknown };
  readonly traits: RequestTraits;
  /** Body as it came, decoded as UTF-8. */
  readonly text: string;
}

export interface RequestTraits {
  /** Bytes ÷ 3.6, without a factor. */
  readonly promptTokensEstimate: number;
  /** `max_completion_tokens` or `max_tokens`; null where the app set none. */
  readonly maxOutputTokens: number | null;
  /** A reason not to race (`n > 1`, `logprobs`, `seed`, `store`, audio); null: may be raced. */
  readonly notRaceable: string | null;
  /** `response_format` asks for JSON. */
  readonly wantsJSON: boolean;
  /** The request asks for reasoning: first content may take 60 s. */
  readonly reasons: boolean;
}

/** What one upstream event means for routing rules 2 and 3. */
export type EventKind =
  /** Comment, ping, role-only frame, empty delta: never content. */
  | 'Silence'
  | 'Reasoning'
  | 'Content'
  /** Carries a finish reason: content came before it or with it, or the reason itself is the answer (`length`). */
  | 'Finish'
  /** Not handed on: the usage chunk that Belay asked for and the app did not, or an event that SDKs cannot read. */
  | 'Withheld'
  /** `[DONE]`. */
  | 'End';

/** One whole upstream event, with the bytes to hand on. */
export interface StreamEvent {
  readonly kind: EventKind;
  /** The event's bytes with its blank line, as they came, but for a tool call that its provider wrote unsoundly. */
  readonly bytes: Uint8Array;
}

/** Reads one upstream stream. Push what came; get whole events; never throws on what an upstream sends. */
export interface StreamReader {
  /** Whole events in these bytes, in order; after a `failure` nothing more is read. */
  push(chunk: Uint8Array): StreamPush;
  /** The upstream's connection ended: null where the answer is whole (rule 6), else the break. */
  end(): Failure | null;
  /** Every choice has its finish reason: nothing more is needed, and `end()` says whether that was an answer. */
  readonly finished: boolean;
  /** A tool call or a reasoning block is open: idle is 60 s, pings feed it. */
  readonly blockOpen: boolean;
  readonly usage: TokenUsage | null;
  /** `model` of the first event that named one. */
  readonly servedModel: string | null;
  /** Reassembled unary answer, for a unary client of a streamed upstream; call after `end()` said null. */
  answer(): string;
}

export interface StreamPush {
  readonly events: readonly StreamEvent[];
  readonly failure: Failure | null;
}

/** What a unary upstream answer of status 200 turned out to be. */
export interface UnaryAnswer {
  readonly body: string;
  readonly servedModel: string | null;
  readonly usage: TokenUsage | null;
}

/** How the upstream half of a dialect is asked for a request. */
export interface UpstreamRequestOptions {
  readonly model: string;
  readonly stream: boolean;
  /** A preset's declared differences, e.g. `Mistral`; null: none. */
  readonly preset: string | null;
}

/** A raw upstream answer that is not a good one: what `failure.ts` classifies. */
export interface RawAnswer {
  readonly status: number;
  /** Lower-cased names. */
  readonly headers: { readonly [name: string]: string | undefined };
  /** Decoded body, cut at 64 KiB. */
  readonly body: string;
}

/** The error that Belay itself gives an application. */
export interface OwnError {
  readonly status: number;
  /** OpenAI error `type`, e.g. `invalid_request_error`, `server_error`. */
  readonly type: string;
  /** OpenAI error `code`, e.g. `model_not_found`; null where none fits. */
  readonly code: string | null;
  readonly message: string;
  /** Sent as Retry-After in whole seconds, at most 60; null: none. */
  readonly retryAfterMs: number | null;
}

