import type { ExclusionReason, FailureClass } from './failure-class.ts';
import type { FallbackMode, Tier } from './routing-table.ts';

/** Why an attempt was started. */
export type AttemptRole = 'Primary' | 'Fallback' | 'Hedge' | 'Retry' | 'Probe' | 'Wait';

/** How an attempt ended; every attempt has exactly one of these. `Cancelled`: another one won. */
export type AttemptOutcome = 'Ok' | 'Failed' | 'Broken' | 'Cancelled';

/** The record of one request: what was tried, in which order, and why. No prompt, no answer, no key. */
export interface Decision {
  /** `POD.counter`; the value of x-belay-request-id. */
  readonly id: string;
  /** Wall time of arrival, RFC 3339. */
  readonly at: string;
  readonly chain: string;
  /** The name that the application asked for. */
  readonly model: string;
  readonly mode: FallbackMode;
  readonly streamed: boolean;
  readonly tableVersion: string;
  /** True where a last good form of the chain was served. */
  readonly stale: boolean;
  readonly outcome: 'Answered' | 'Failed' | 'Broken' | 'ClientGone';
  /** HTTP status the client got; 0 where it had gone before one was sent. */
  readonly status: number;
  /** The target that the client's bytes came from; null where none. */
  readonly target: string | null;
  /** The model that served, as its provider names it. */
  readonly servedModel: string | null;
  /** One clause: why this target answered, e.g. `primary answered`, `opus: Overload 529`. */
  readonly reason: string;
  readonly attempts: readonly AttemptRecord[];
  readonly excluded: readonly ExcludedTarget[];
  /** Arrival to first content at the client's side of Belay; null where none came. */
  readonly firstContentMs: number | null;
  readonly totalMs: number;
  readonly usage: TokenUsage | null;
}

export interface AttemptRecord {
  readonly target: string;
  readonly tier: Tier;
  readonly model: string;
  readonly role: AttemptRole;
  /** After arrival. */
  readonly startedMs: number;
  readonly firstContentMs: number | null;
  readonly endedMs: number;
  readonly outcome: AttemptOutcome;
  readonly failure: FailureRecord | null;
}

export interface FailureRecord {
  readonly class: FailureClass;
  /** HTTP status of the upstream, where there was one. */
  readonly status: number | null;
  /** A clause for people, without the upstream's body: `429, resets in 12 s`, `silent 2.0 s`. */
  readonly detail: string;
  readonly retryAfterMs: number | null;
}

export interface ExcludedTarget {
  readonly target: string;
  readonly reason: ExclusionReason;
  /** A clause for people: `open for 3.2 s more`. */
  readonly detail: string;
}

export interface TokenUsage {
  readonly promptTokens: number;
  readonly completionTokens: number;
}
