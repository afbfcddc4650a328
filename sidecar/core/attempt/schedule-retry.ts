import type { Failure } from '../failure/failure.ts';
import { candidates, maxExtras } from './choose-target.ts';
import { isWaitable, usualWaitMs } from './end-or-wait.ts';
import { attemptAt, plannedAt, targetAt } from './request-state.ts';
import { limitMs } from './time-limits.ts';
import { editTarget, type Turn } from './turn.ts';

/** First retry's full jitter, then doubling (routing rule 4). */
const firstRetryMs = 50;

/** Tries the same target again by a timer, where this failure's class and what is left of retries, attempts and time allow it. */
export function scheduleRetry(turn: Turn, number: number): boolean {
  const { plan, state, nowMs } = turn;
  const { target, failure, answeredMs } = attemptAt(state, number);
  const { retries } = targetAt(state, target);
  if (failure === null || plannedAt(plan, target).probe || retries >= plan.retries || retriesLeft(turn) <= 0) return false;
  const delayMs = failure.class === 'Rate' ? rateWaitMs(turn, failure) : transientDelayMs(turn, failure, answeredMs !== null, retries);
  if (delayMs === null || nowMs + delayMs + medianMs(turn, target) >= limitMs(plan, state)) return false;
  editTarget(turn, target, { retries: retries + 1 });
  state.retries = [...state.retries, { attempt: number, target, role: failure.class === 'Rate' ? 'Wait' : 'Retry', dueMs: nowMs + delayMs }];
  return true;
}

function transientDelayMs({ random }: Turn, failed: Failure, contentCame: boolean, retries: number): number | null {
  return failed.class === 'Transient' && !contentCame ? random() * firstRetryMs * 2 ** retries : null;
}

/** A short Retry-After is waited out on the same target, though not past the budget while another one could keep it. */
function rateWaitMs({ plan, state, nowMs }: Turn, { retryAfterMs, oversize }: Failure): number | null {
  if (retryAfterMs === null || oversize || retryAfterMs > plan.rateLimitWaitUpToMs) return null;
  const untilMs = candidates(plan, state).length > 0 ? plan.latencyBudgetMs : null;
  return untilMs !== null && nowMs + retryAfterMs >= untilMs ? null : retryAfterMs;
}

/** What must be left beside the delay: the target's median, unless it is the last. */
function medianMs({ plan, state }: Turn, target: number): number {
  return candidates(plan, state).length === 0 ? 0 : (plannedAt(plan, target).quantiles?.q50Ms ?? 0);
}

/** The cap of rule 4 shortens retries, and not the one wait that all targets' failing may call for. */
function retriesLeft({ plan, state, nowMs }: Turn): number {
  const mayWait = !state.waited && nowMs + usualWaitMs < limitMs(plan, state)
    && state.attempts.every(({ failure }) => failure === null || isWaitable(failure));
  return maxExtras - state.extras - state.retries.length - (mayWait ? 1 : 0);
}
