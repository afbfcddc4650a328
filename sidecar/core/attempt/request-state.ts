import type { AttemptRole } from '@belay/contract';
import type { Failure } from '../failure/failure.ts';
import type { AttemptPlan, PlannedTarget, TimerName } from './protocol.ts';

/**
 * Where one request stands between two events. A value: `step` returns a new one and leaves the old as it was. All
 * times are milliseconds since admission.
 */
export interface RequestState {
  readonly phase: 'New' | 'Running' | 'Finished';
  readonly attempts: readonly AttemptState[];
  /** Beside `plan.targets`. */
  readonly targets: readonly TargetState[];
  /** True while the rules of a race hold: race mode, somebody to race against, no hedge denied. */
  readonly racing: boolean;
  /** `Pending`: the hedge delay runs. `Asked`: the shell is about to answer. `Off`: no hedge starts any more. */
  readonly hedge: { readonly state: 'Off' | 'Pending' | 'Asked'; readonly dueMs: number; readonly target: number };
  /** The latency budget's timer has fired. */
  readonly budgetSpent: boolean;
  /** Decided: no other attempt may answer. For a unary client this comes before the commit. */
  readonly winner: number | null;
  readonly committed: number | null;
  /** Starts beyond each target's first: retries, waits, second chances. */
  readonly extras: number;
  /** Targets with a known window up to this are no use any more. */
  readonly contextFloor: number;
  /** Same-target starts that wait for their time, keyed by the attempt that failed. */
  readonly retries: readonly PendingRetry[];
  /** The one wait of rule 4 was used. */
  readonly waited: boolean;
  /** Under way: the target that is waited for, and until when. */
  readonly wait: { readonly target: number; readonly dueMs: number } | null;
  /** Targets whose readiness the shell polls. */
  readonly polling: readonly number[];
  /** Armed timers with the time at which they are due. */
  readonly timers: ReadonlyMap<TimerName, number>;
}

export type AttemptPhase = 'Connecting' | 'Waiting' | 'Reasoning' | 'Answered' | 'Completed' | 'Over';

export interface AttemptState {
  readonly target: number;
  readonly role: AttemptRole;
  readonly startedMs: number;
  readonly phase: AttemptPhase;
  /** A byte came. */
  readonly stirred: boolean;
  readonly answeredMs: number | null;
  readonly failure: Failure | null;
}

export interface TargetState {
  readonly starts: number;
  /** Tries again that counted against `plan.retries`. */
  readonly retries: number;
  /** The last failure here; null: none yet, or the attempt was cancelled because another one won. */
  readonly failure: Failure | null;
  readonly failedMs: number;
  /** Attempts that met a model still loading. */
  readonly loadings: number;
}

export interface PendingRetry {
  readonly attempt: number;
  readonly target: number;
  readonly role: AttemptRole;
  readonly dueMs: number;
}

/** A request that was planned and not yet admitted: `request-admitted` is its first event. */
export function beginRequest(plan: AttemptPlan): RequestState {
  const untried: TargetState = { starts: 0, retries: 0, failure: null, failedMs: 0, loadings: 0 };
  return {
    phase: 'New',
    attempts: [],
    targets: plan.targets.map(() => untried),
    racing: plan.mode === 'Race' && plan.race.raceable,
    hedge: { state: 'Off', dueMs: 0, target: -1 },
    budgetSpent: false,
    winner: null,
    committed: null,
    extras: 0,
    contextFloor: 0,
    retries: [],
    waited: false,
    wait: null,
    polling: [],
    timers: new Map(),
  };
}

/** Attempts that were started and are not over, by number. */
export function runningAttempts(state: RequestState): number[] {
  return state.attempts.flatMap(({ phase }, number) => (phase === 'Over' ? [] : [number]));
}

/** The attempt of this number. Throws for one that was never started: the caller's bug. */
export function attemptAt(state: RequestState, number: number): AttemptState {
  return at(state.attempts, number);
}

/** What the request has seen of this target. */
export function targetAt(state: RequestState, index: number): TargetState {
  return at(state.targets, index);
}

/** The plan of this target. */
export function plannedAt(plan: AttemptPlan, index: number): PlannedTarget {
  return at(plan.targets, index);
}

/** The target, as planned, of this attempt. */
export function plannedOf(plan: AttemptPlan, state: RequestState, number: number): PlannedTarget {
  return plannedAt(plan, attemptAt(state, number).target);
}

function at<T>(list: readonly T[], index: number): T {
  const found = list[index];
  if (found === undefined) throw new RangeError(`${index} is not one of ${list.length}`);
  return found;
}
