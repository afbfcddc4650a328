import type { AttemptOutcome, AttemptRole, FallbackMode, Tier } from '@belay/contract';
import type { Failure } from '../failure/failure.ts';

/**
 * What the pure core of a request is told and what it asks for. `step(plan, state, event)` decides; the shell owns
 * sockets and timers, carries effects out in order, and decides nothing.
 */
export interface AttemptPlan {
  readonly mode: FallbackMode;
  /** In effective order, at least one. */
  readonly targets: readonly PlannedTarget[];
  /** Request to first content; null: none. */
  readonly latencyBudgetMs: number | null;
  /** Request to last byte, from the chain. */
  readonly deadlineMs: number;
  /** x-stainless-timeout: bounds the commit of a stream and the whole of a unary answer; null: not told. */
  readonly clientTimeoutMs: number | null;
  /** Tries again on the same target for Transient failures before content; 0 to 3, already 0 where the client retries. */
  readonly retries: number;
  readonly streamsToClient: boolean;
  readonly race: {
    readonly prefer: 'Primary' | 'First';
    /** null: Auto. */
    readonly hedgeDelayMs: number | null;
    /** False for n > 1, logprobs, seed, stored state, audio: no hedge, whatever the mode. */
    readonly raceable: boolean;
  };
  readonly rateLimitWaitUpToMs: number;
  /** An application that pins one target gets that target or its error. */
  readonly pinned: boolean;
}

export interface PlannedTarget {
  readonly name: string;
  readonly tier: Tier;
  readonly model: string;
  readonly failureDomain: string;
  /** A llama.cpp server that Belay runs: Loading rules, bounded by the deadline alone where it is last. */
  readonly local: boolean;
  /** Half-open: this attempt is the breaker's probe, never retried; in race mode the next target starts with it. */
  readonly probe: boolean;
  /** Model `*`: the target gets the name that the app asked for, so a Missing blames the request and goes back. */
  readonly modelAsAsked?: boolean;
  /** False: sent unary upstream (equal dialects, Sequential without a latency budget, unary client). */
  readonly streamed: boolean;
  readonly contextTokens: number | null;
  readonly timers: { readonly connectMs: number; readonly firstContentMs: number; readonly idleMs: number };
  /** Silence that ends it where no other target is left; null: the deadline alone. Default: 60 s, a local one null. */
  readonly lastSilenceMs?: number | null;
  /** Quantiles of time to first content; null: fewer than 50 samples. */
  readonly quantiles: TargetQuantiles | null;
}

export interface TargetQuantiles {
  readonly q50Ms: number;
  readonly q90Ms: number;
  readonly q95Ms: number;
  readonly q99Ms: number;
  /** Quantile 1 − extraRequests of time to first content. */
  readonly hedgeMs: number;
}

/** `attempt` numbers count from 0 in the order of start; `target` is an index into `plan.targets`. */
export type AttemptEvent =
  | { readonly type: 'request-admitted' }
  /** TCP and TLS are up (or a pooled connection was taken): the connect timer may stop. */
  | { readonly type: 'attempt-connected'; readonly attempt: number }
  /** Response headers, a comment, a ping or a role frame came: not content, but not silence either. */
  | { readonly type: 'attempt-stirred'; readonly attempt: number }
  /** A reasoning delta that the client will not be shown: stops the first-content timer, commits nothing. */
  | { readonly type: 'attempt-reasoned'; readonly attempt: number }
  /** First content. */
  | { readonly type: 'attempt-answered'; readonly attempt: number }
  /** The whole answer is here and checked; for a stream: its protocol's end was seen. */
  | { readonly type: 'attempt-completed'; readonly attempt: number }
  | { readonly type: 'attempt-failed'; readonly attempt: number; readonly failure: Failure }
  | { readonly type: 'timer-fired'; readonly timer: TimerName }
  /** Answers to `ask-hedge`. */
  | { readonly type: 'hedge-granted' }
  | { readonly type: 'hedge-denied'; readonly reason: string }
  /** Answer to `poll-ready`: the local target's model has loaded. */
  | { readonly type: 'target-ready'; readonly target: number }
  | { readonly type: 'client-left' };

/** An event with the time since admission at which it came, in milliseconds; never decreasing. */
export type TimedEvent = AttemptEvent & { readonly atMs: number };

/**
 * `deadline`, `hedge`, `budget` (L is spent), `client-timeout` and `wait` exist once a request; the others once an
 * attempt (`idle:2`). Arming a timer replaces the one of the same name. `idle:N` is armed once and then fed by the
 * shell: it fires when `idleMs` passed without an event of that attempt while Belay reads.
 */
export type TimerName =
  | 'deadline' | 'client-timeout' | 'hedge' | 'budget' | 'wait'
  | `${'connect' | 'first-content' | 'idle' | 'give-up' | 'whole'}:${number}`
  | `retry:${number}`;

export type AttemptEffect =
  | { readonly type: 'start-attempt'; readonly attempt: number; readonly target: number; readonly role: AttemptRole }
  /** Destroy the attempt's socket. No event of it counts from here on. */
  | { readonly type: 'cancel-attempt'; readonly attempt: number }
  | { readonly type: 'arm-timer'; readonly timer: TimerName; readonly delayMs: number }
  | { readonly type: 'disarm-timer'; readonly timer: TimerName }
  /** May a hedge to this target start now? The shell asks the shared hedge budget and answers with an event at once. */
  | { readonly type: 'ask-hedge'; readonly target: number }
  /** Poll the local target's /health every 250 ms; `target-ready` when it is. */
  | { readonly type: 'poll-ready'; readonly target: number }
  /** This attempt's bytes go to the client, from its first on. At most once a request; irreversible. */
  | { readonly type: 'commit'; readonly attempt: number }
  /** Exactly one for every started attempt, when it is over: for health, metrics and the decision record. */
  | { readonly type: 'settle-attempt'; readonly attempt: number; readonly settlement: Settlement }
  /** Exactly one a request, the last effect. */
  | { readonly type: 'finish'; readonly ending: Ending };

export interface Settlement {
  readonly outcome: AttemptOutcome;
  /** null: none, or it was cancelled because another one won; a loser that was silent for the whole budget has a Timeout. */
  readonly failure: Failure | null;
  /** What health counts: routing rules 4 and 7. `LowerBound`: a give-up too early to blame, or a cancelled loser. */
  readonly health: 'Ok' | 'Failed' | 'Out' | 'Soft' | 'LowerBound' | 'None';
}

export type Ending =
  /** The committed attempt's answer went out whole. */
  | { readonly type: 'answered'; readonly attempt: number }
  /** The committed attempt broke: an error event in the client's dialect, then a close without a normal end. */
  | { readonly type: 'broken'; readonly attempt: number; readonly failure: Failure }
  /** Nothing was sent yet: an error answer with this status. */
  | { readonly type: 'failed'; readonly status: number; readonly answer: Failure['answer']; readonly retryAfterMs: number | null; readonly reason: string }
  | { readonly type: 'client-gone' };
