import type { Failure } from '../failure/failure.ts';
import { hedgeTarget, nextTarget } from './choose-target.ts';
import { decide } from './decide.ts';
import { describeFailures } from './describe-failures.ts';
import { endOrWait } from './end-or-wait.ts';
import { returnedEnding } from './failed-ending.ts';
import type { Settlement } from './protocol.ts';
import { attemptAt, plannedAt, runningAttempts, targetAt } from './request-state.ts';
import { scheduleRetry } from './schedule-retry.ts';
import { budgetIsSpent } from './time-limits.ts';
import { cancelLosers, editTarget, endHedging, finish, settle, startAttempt, type Turn } from './turn.ts';

/** What health counts for a failure of this class (routing rules 4 and 7). */
export function healthWord({ class: name, oversize }: Failure): Settlement['health'] {
  switch (name) {
    case 'Overload': case 'Transient': case 'Unreachable': case 'Timeout': return 'Failed';
    case 'Auth': case 'Missing': case 'Quota': return 'Out';
    case 'Rate': return oversize ? 'None' : 'Out';
    case 'Content': return 'Soft';
    case 'Client': case 'Context': case 'Loading': case 'ClientGone': return 'None';
  }
}

/** An attempt failed before anything of it went to the client: settle it, then retry, fall back, wait or end. */
export function failAttempt(turn: Turn, number: number, given: Failure, health?: Settlement['health']): void {
  const { plan, state } = turn;
  const index = attemptAt(state, number).target;
  const failed = blameRequest(given, plannedAt(plan, index).modelAsAsked === true);
  settle(turn, number, 'Failed', failed, health ?? healthWord(failed));
  remember(turn, number, index, failed);
  const primary = attemptAt(state, 0).target === index;
  if (primary && (failed.class === 'Client' || isRefusal(failed))) {
    cancelLosers(turn, null);
    finish(turn, returnedEnding(failed, describeFailures(plan, state)));
    return;
  }
  decide(turn);
  if (state.winner !== null || turn.ending !== null || endsRefused(turn)) return;
  replaceAttempt(turn, number, primary);
  if (underWay(turn) === 0) endOrWait(turn);
}

/** A provider's own decision against the request (filtered): no other target is asked in its place. */
function isRefusal({ class: name, answer }: Failure): boolean {
  return name === 'Content' && answer !== null;
}

/** One refused: nothing more is started, and once nothing runs any more the refusal goes back. */
function endsRefused(turn: Turn): boolean {
  const { plan, state } = turn;
  const refusal = state.attempts.map(({ failure }) => failure).find((failed) => failed !== null && isRefusal(failed));
  if (refusal === undefined || refusal === null) return false;
  if (underWay(turn) === 0) finish(turn, returnedEnding(refusal, describeFailures(plan, state)));
  return true;
}

/** Model `*` passes the app's own name on: a provider that does not know it blames the request. */
function blameRequest(failed: Failure, modelAsAsked: boolean): Failure {
  return failed.class === 'Missing' && modelAsAsked ? { ...failed, class: 'Client' } : failed;
}

function remember(turn: Turn, number: number, index: number, failed: Failure): void {
  const { plan, state, nowMs } = turn;
  const loadings = targetAt(state, index).loadings + (failed.class === 'Loading' ? 1 : 0);
  editTarget(turn, index, { failure: failed, failedMs: nowMs, loadings });
  if (failed.class === 'Context') state.contextFloor = Math.max(state.contextFloor, plannedAt(plan, index).contextTokens ?? 0);
  if (state.winner === number) state.winner = null;
  endHedging(turn);
}

/** What runs in place of a failed attempt: its retry, the next target, or the hedge that already runs. */
function replaceAttempt(turn: Turn, number: number, primary: boolean): void {
  const { plan, state, nowMs } = turn;
  const others = underWay(turn);
  if (others === 0) return replaceOnlyAttempt(turn, number);
  // The hedge already does what a retry or the next target would be for, until the budget is spent.
  if (others > 1 || (primary && !budgetIsSpent(plan, state, nowMs))) return;
  if (!startNext(turn, 'Fallback') && !primary) scheduleRetry(turn, number);
}

/** A race starts the next target together with a retry; a wait for a limit is instead of it. */
function replaceOnlyAttempt(turn: Turn, number: number): void {
  const retries = scheduleRetry(turn, number);
  const both = turn.state.racing && attemptAt(turn.state, number).failure?.class === 'Transient';
  if (!retries || both) startNext(turn, 'Fallback');
}

/** Starts the next target in order; false: none is left. In a race its companion starts with a probe, so that no user pays. */
export function startNext(turn: Turn, role: 'Primary' | 'Fallback'): boolean {
  const { plan, state, nowMs } = turn;
  const next = nextTarget(plan, state, nowMs);
  if (next === null) return false;
  startAttempt(turn, next, role);
  const companion = state.racing && plannedAt(plan, next).probe && underWay(turn) < 2 ? hedgeTarget(plan, state, nowMs) : null;
  if (companion !== null) startAttempt(turn, companion, 'Fallback');
  return true;
}

/** Attempts that run, and attempts that a timer will start. */
function underWay({ state }: Turn): number {
  return runningAttempts(state).length + state.retries.length;
}
