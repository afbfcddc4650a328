import { candidates, nextTarget } from './choose-target.ts';
import type { AttemptPlan, PlannedTarget, TimerName } from './protocol.ts';
import { runningAttempts, type AttemptState, type RequestState } from './request-state.ts';

/** Silence that the last usable target is allowed, unless its plan says otherwise (routing rule 2). */
const lastSilenceMs = 60_000;
/** A whole answer that is not streamed upstream, while another target remains (routing rule 2). */
const wholeAnswerMs = 120_000;
/** Least hedge delay (routing rule 5), and the least that is left of a budget for it to be worth cutting an attempt short by. */
const leastDelayMs = 250;
/** Hedge delay of a race without a latency budget and without samples: half of the default budget. */
const budgetlessDelayMs = 1_000;

/** When the answer must be under way: the deadline, or the client's own timeout before commit. */
export function limitMs(plan: AttemptPlan, state: RequestState): number {
  return state.committed === null ? Math.min(plan.deadlineMs, plan.clientTimeoutMs ?? Infinity) : plan.deadlineMs;
}

export function budgetIsSpent(plan: AttemptPlan, state: RequestState, nowMs: number): boolean {
  return plan.latencyBudgetMs !== null && (state.budgetSpent || nowMs >= plan.latencyBudgetMs);
}

/** D of routing rule 5, from admission, where `a` runs and `b` would be the hedge. */
export function hedgeDelayMs(plan: AttemptPlan, a: PlannedTarget, b: PlannedTarget): number {
  const budget = plan.latencyBudgetMs;
  if (plan.race.hedgeDelayMs !== null) return Math.min(plan.race.hedgeDelayMs, budget ?? Infinity);
  if (a.quantiles === null || b.quantiles === null) return budget === null ? budgetlessDelayMs : budget / 2;
  const usual = Math.max(a.quantiles.hedgeMs, leastDelayMs);
  if (budget === null) return usual;
  const notBefore = plan.race.prefer === 'Primary' ? budget - b.quantiles.q90Ms : 0;
  return Math.min(Math.max(usual, notBefore), budget);
}

/**
 * Every timer that should be armed in this state, with the time it is due; for `idle:N` its length, since the shell
 * feeds it. A timer that would only fire after the deadline is left out.
 */
export function wantedTimers(plan: AttemptPlan, state: RequestState, nowMs: number): Map<TimerName, number> {
  const wanted = new Map<TimerName, number>();
  if (state.phase !== 'Running') return wanted;
  const limit = limitMs(plan, state);
  const until = (name: TimerName, dueMs: number | null): void => {
    if (dueMs !== null && dueMs < limit) wanted.set(name, dueMs);
  };
  wanted.set('deadline', plan.deadlineMs);
  if (limit < plan.deadlineMs) wanted.set('client-timeout', limit);
  if (state.hedge.state === 'Pending') until('hedge', state.hedge.dueMs);
  if (state.racing && state.winner === null && !state.budgetSpent) until('budget', plan.latencyBudgetMs);
  until('wait', state.wait?.dueMs ?? null);
  for (const { attempt, dueMs } of state.retries) until(`retry:${attempt}`, dueMs);
  for (const number of runningAttempts(state)) {
    const attempt = state.attempts[number];
    const target = attempt && plan.targets[attempt.target];
    if (attempt === undefined || target === undefined) continue;
    if (attempt.phase === 'Connecting') until(`connect:${number}`, attempt.startedMs + target.timers.connectMs);
    if (!target.streamed) until(`whole:${number}`, candidates(plan, state).length > 0 ? attempt.startedMs + wholeAnswerMs : null);
    else if (isSilent(attempt)) {
      until(`first-content:${number}`, firstContentDueMs(plan, state, attempt, target));
      until(`give-up:${number}`, giveUpDueMs(plan, state, attempt, target, nowMs));
    } else if (attempt.phase !== 'Completed') wanted.set(`idle:${number}`, target.timers.idleMs);
  }
  return wanted;
}

export function isSilent({ phase }: AttemptState): boolean {
  return phase === 'Connecting' || phase === 'Waiting';
}

function firstContentDueMs(plan: AttemptPlan, state: RequestState, attempt: AttemptState, target: PlannedTarget): number | null {
  const last = isAlone(state) && candidates(plan, state).length === 0;
  if (!last) return attempt.startedMs + target.timers.firstContentMs;
  const silence = target.lastSilenceMs === undefined ? defaultLastSilence(target) : target.lastSilenceMs;
  return silence === null ? null : attempt.startedMs + silence;
}

function defaultLastSilence({ local, timers }: PlannedTarget): number | null {
  return local ? null : Math.max(lastSilenceMs, timers.firstContentMs);
}

/**
 * When a silent attempt gives way to the next target, for the sake of the latency budget; null: it does not. Two that
 * race run on under their own timers.
 */
function giveUpDueMs(plan: AttemptPlan, state: RequestState, attempt: AttemptState, target: PlannedTarget, nowMs: number): number | null {
  const budget = plan.latencyBudgetMs;
  const next = nextTarget(plan, state, nowMs);
  if (budget === null || next === null || !isAlone(state) || state.hedge.state !== 'Off') return null;
  const late = attempt.startedMs + budget;
  if (state.racing) return late;
  const enough = target.quantiles?.q50Ms ?? Math.min(leastDelayMs, budget / 2);
  if (budget - attempt.startedMs < enough) return late;
  const nextNeeds = plan.targets[next]?.quantiles?.q90Ms ?? 0;
  const usual = target.quantiles?.q95Ms ?? budget;
  return Math.min(budget, Math.max(budget - nextNeeds, attempt.startedMs + usual));
}

function isAlone(state: RequestState): boolean {
  return runningAttempts(state).length + state.retries.length <= 1;
}
