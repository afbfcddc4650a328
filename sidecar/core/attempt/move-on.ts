import type { AttemptRole } from '@belay/contract';
import type { Failure } from '../failure/failure.ts';
import { describeFailures } from './describe-failures.ts';
import { candidates, hedgeTarget, maxExtras, nextTarget } from './choose-target.ts';
import { failedEnding, returnedEnding } from './failed-ending.ts';
import type { Settlement } from './protocol.ts';
import { runningAttempts } from './request-state.ts';
import { budgetIsSpent, limitMs } from './time-limits.ts';
import { cancelLosers, editTarget, endHedging, finish, settle, startAttempt, type Turn } from './turn.ts';
import { decide } from './decide.ts';

/** First retry's full jitter, then doubling (routing rule 4). */
const firstRetryMs = 50;
/** The one wait: at most this long, and this long where no target said when it returns. */
const maxWaitMs = 10_000;
const usualWaitMs = 1_000;

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
  const { plan, state, nowMs } = turn;
  const index = state.attempts[number]?.target ?? -1;
  const target = state.targets[index];
  if (target === undefined) return;
  const blamesRequest = given.class === 'Client' || (given.class === 'Missing' && plan.targets[index]?.modelAsAsked === true);
  const failed: Failure = blamesRequest ? { ...given, class: 'Client' } : given;
  settle(turn, number, 'Failed', failed, health ?? healthWord(failed));
  editTarget(turn, index, { failure: failed, failedMs: nowMs, loadings: target.loadings + (failed.class === 'Loading' ? 1 : 0) });
  if (failed.class === 'Context') state.contextFloor = Math.max(state.contextFloor, plan.targets[index]?.contextTokens ?? 0);
  if (state.winner === number) state.winner = null;
  endHedging(turn);
  const primary = state.attempts[0]?.target === index;
  if (primary) state.primaryFailed = true;
  if (blamesRequest && primary) {
    cancelLosers(turn, -1);
    finish(turn, returnedEnding(failed, describeFailures(plan, state)));
    return;
  }
  decide(turn);
  if (turn.ending !== null || state.winner !== null) return;
  replace(turn, number, primary);
  if (underWay(turn) === 0) exhausted(turn);
}

/** Starts a target because another one failed; false: none is left. In a race the next starts with a probe, so that no user pays. */
export function startNext(turn: Turn, role: AttemptRole): boolean {
  const { plan, state, nowMs } = turn;
  const next = nextTarget(plan, state, nowMs);
  if (next === null) return false;
  startAttempt(turn, next, role);
  if (state.racing && plan.targets[next]?.probe === true && underWay(turn) < 2) {
    const companion = hedgeTarget(plan, state, nowMs);
    if (companion !== null) startAttempt(turn, companion, 'Fallback');
  }
  return true;
}

/** Attempts running and attempts that will start by a timer. */
function underWay({ state }: Turn): number {
  return runningAttempts(state).length + state.retries.length;
}

function replace(turn: Turn, number: number, primary: boolean): void {
  const { plan, state, nowMs } = turn;
  if (underWay(turn) === 0) {
    const scheduled = scheduleRetry(turn, number);
    // A race starts the next target with a retry; a wait for a limit is instead of it.
    if (!scheduled || (state.racing && state.attempts[number]?.failure?.class === 'Transient')) startNext(turn, 'Fallback');
    return;
  }
  if (underWay(turn) > 1) return;
  // The hedge already does what a retry or the next target would be for, until the budget is spent.
  if (primary && !budgetIsSpent(plan, state, nowMs)) return;
  if (!startNext(turn, 'Fallback') && !primary) scheduleRetry(turn, number);
}

function scheduleRetry(turn: Turn, number: number): boolean {
  const { plan, state, nowMs } = turn;
  const index = state.attempts[number]?.target ?? -1;
  const target = state.targets[index];
  const delayMs = retryDelayMs(turn, number);
  if (target === undefined || delayMs === null) return false;
  const median = candidates(plan, state).length === 0 ? 0 : (plan.targets[index]?.quantiles?.q50Ms ?? 0);
  if (nowMs + delayMs + median >= limitMs(plan, state)) return false;
  const role = state.attempts[number]?.failure?.class === 'Rate' ? 'Wait' : 'Retry';
  editTarget(turn, index, { retries: target.retries + 1 });
  state.retries = [...state.retries, { attempt: number, target: index, role, dueMs: nowMs + delayMs }];
  return true;
}

/** How long until the same target may be tried again; null: it may not. */
function retryDelayMs(turn: Turn, number: number): number | null {
  const { plan, state, random } = turn;
  const attempt = state.attempts[number];
  const target = attempt && state.targets[attempt.target];
  if (attempt === undefined || attempt.failure === null || target === undefined) return null;
  if (plan.targets[attempt.target]?.probe === true || target.retries >= plan.retries || retriesLeft(turn) <= 0) return null;
  switch (attempt.failure.class) {
    case 'Transient': return attempt.answeredMs === null ? random() * firstRetryMs * 2 ** target.retries : null;
    case 'Rate': return rateWaitMs(turn, attempt.failure);
    default: return null;
  }
}

/** The cap of rule 4 shortens retries, and not the one wait that all targets' failing may call for. */
function retriesLeft({ plan, state, nowMs }: Turn): number {
  const mayWait = !state.waited && nowMs + usualWaitMs < limitMs(plan, state)
    && state.attempts.every(({ failure }) => failure === null || isWaitable(failure));
  return maxExtras - state.extras - state.retries.length - (mayWait ? 1 : 0);
}

function rateWaitMs({ plan, state, nowMs }: Turn, { retryAfterMs, oversize }: Failure): number | null {
  if (retryAfterMs === null || oversize || retryAfterMs > plan.rateLimitWaitUpToMs) return null;
  const bounded = plan.latencyBudgetMs !== null && candidates(plan, state).length > 0;
  return bounded && nowMs + retryAfterMs >= plan.latencyBudgetMs ? null : retryAfterMs;
}

function isWaitable({ class: name }: Failure): boolean {
  return name === 'Rate' || name === 'Overload' || name === 'Transient' || name === 'Unreachable';
}

/** Nothing runs and no target is left: wait for a model that loads, else once for the soonest return, else end. */
function exhausted(turn: Turn): void {
  const { plan, state, nowMs } = turn;
  const loading = state.targets.flatMap(({ failure, loadings }, index) =>
    failure?.class === 'Loading' && (loadings === 1 || state.extras < maxExtras) ? [index] : []);
  if (loading.length > 0) {
    state.polling = loading;
    for (const target of loading) turn.effects.push({ type: 'poll-ready', target });
    return;
  }
  state.wait = oneWait(turn);
  if (state.wait === null) finish(turn, failedEnding(plan, state, nowMs));
  else state.waited = true;
}

function oneWait({ plan, state, nowMs }: Turn): { target: number; dueMs: number } | null {
  const waitable = state.attempts.every(({ failure }) => failure === null || isWaitable(failure));
  if (state.waited || state.extras >= maxExtras || !waitable) return null;
  const again = state.targets.flatMap(({ failure, failedMs, starts }, target) => {
    if (failure === null || failure.oversize || plan.targets[target]?.probe === true) return [];
    const known = failure.retryAfterMs !== null;
    return [{ target, known, starts, dueMs: known ? Math.max(nowMs, failedMs + (failure.retryAfterMs ?? 0)) : nowMs + usualWaitMs }];
  }).filter(({ dueMs }) => dueMs - nowMs <= maxWaitMs && dueMs < limitMs(plan, state));
  const known = again.filter((one) => one.known).sort((a, b) => a.dueMs - b.dueMs);
  // Where nobody said when, the target that had the fewest chances.
  return known[0] ?? again.sort((a, b) => a.starts - b.starts)[0] ?? null;
}
