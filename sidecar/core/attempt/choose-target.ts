import type { AttemptPlan } from './protocol.ts';
import { plannedAt, plannedOf, runningAttempts, targetAt, type RequestState } from './request-state.ts';

/** Attempts beyond each target's first that one request may make (routing rule 4). */
export const maxExtras = 2;

/** Targets that may still be started, in order: those not tried, then those whose attempt was cancelled for a winner that broke. */
export function candidates(plan: AttemptPlan, state: RequestState): number[] {
  const fitting = plan.targets.flatMap(({ contextTokens }, index) => (contextTokens === null || contextTokens > state.contextFloor ? [index] : []));
  const untried = fitting.filter((index) => targetAt(state, index).starts === 0);
  if (state.extras + state.retries.length >= maxExtras) return untried;
  const busy = new Set(runningAttempts(state).map((number) => state.attempts[number]?.target));
  const cancelled = fitting.filter((index) => {
    const { starts, failure } = targetAt(state, index);
    return starts > 0 && failure === null && !busy.has(index);
  });
  return [...untried, ...cancelled];
}

/** What a failure moves on to: the next in order whose median still fits before the deadline, else the last; null: none left. */
export function nextTarget(plan: AttemptPlan, state: RequestState, nowMs: number): number | null {
  const open = candidates(plan, state);
  return open.find((index) => fitsBeforeDeadline(plan, index, nowMs)) ?? open.at(-1) ?? null;
}

/** What may run beside the attempts under way: not tried, in none of their failure domains, and not itself a probe. */
export function hedgeTarget(plan: AttemptPlan, state: RequestState, nowMs: number): number | null {
  const domains = new Set(runningAttempts(state).map((number) => plannedOf(plan, state, number).failureDomain));
  const found = candidates(plan, state).find((index) => {
    const { probe, failureDomain } = plannedAt(plan, index);
    return targetAt(state, index).starts === 0 && !probe && !domains.has(failureDomain) && fitsBeforeDeadline(plan, index, nowMs);
  });
  return found ?? null;
}

function fitsBeforeDeadline(plan: AttemptPlan, index: number, nowMs: number): boolean {
  return plan.deadlineMs - nowMs >= (plannedAt(plan, index).quantiles?.q50Ms ?? 0);
}
