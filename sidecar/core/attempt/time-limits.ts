import { candidates, nextTarget } from './choose-target.ts';
import type { AttemptPlan, PlannedTarget, TargetQuantiles, TimerName } from './protocol.ts';
import { attemptAt, plannedAt, plannedOf, runningAttempts, type AttemptState, type RequestState } from './request-state.ts';

/** Silence that the last usable target is allowed, unless its plan says otherwise (routing rule 2). */
const lastSilenceMs = 60_000;
/** A whole answer that is not streamed upstream, while another target remains (routing rule 2). */
const wholeAnswerMs = 120_000;
/** Least hedge delay (routing rule 5), and the least that must be left of a budget for it to cut an attempt short. */
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
  const budget = plan.latencyBudgetMs ?? Infinity;
  if (plan.race.hedgeDelayMs !== null) return Math.min(plan.race.hedgeDelayMs, budget);
  if (a.quantiles === null || b.quantiles === null) return plan.latencyBudgetMs === null ? budgetlessDelayMs : budget / 2;
  return Math.min(warmDelayMs(plan, a.quantiles, b.quantiles), budget);
}

/** Under `prefer: Primary` b could not commit before the budget is spent, so it need not start before it can be ready by then. */
function warmDelayMs({ race, latencyBudgetMs }: AttemptPlan, a: TargetQuantiles, b: TargetQuantiles): number {
  const usual = Math.max(a.hedgeMs, leastDelayMs);
  return latencyBudgetMs === null || race.prefer === 'First' ? usual : Math.max(usual, latencyBudgetMs - b.q90Ms);
}

/**
 * Every timer that should be armed in this state, with the time it is due; for `idle:N` its length, since the shell
 * feeds it. A timer that would only fire after the deadline is left out.
 */
export function wantedTimers(plan: AttemptPlan, state: RequestState, nowMs: number): Map<TimerName, number> {
  if (state.phase !== 'Running') return new Map();
  const limit = limitMs(plan, state);
  const limits: [TimerName, number][] = [['deadline', plan.deadlineMs]];
  if (limit < plan.deadlineMs) limits.push(['client-timeout', limit]);
  const running = runningAttempts(state);
  const due = [...requestTimers(plan, state), ...running.flatMap((number) => attemptTimers(plan, state, number, nowMs))];
  const idle = running.flatMap((number): [TimerName, number][] =>
    (idles(plan, state, number) ? [[`idle:${number}`, plannedOf(plan, state, number).timers.idleMs]] : []));
  return new Map([...limits, ...due.filter(([, dueMs]) => dueMs < limit), ...idle]);
}

function requestTimers({ latencyBudgetMs }: AttemptPlan, state: RequestState): [TimerName, number][] {
  const timers: [TimerName, number][] = state.retries.map(({ attempt, dueMs }) => [`retry:${attempt}`, dueMs]);
  if (state.hedge.state === 'Pending') timers.push(['hedge', state.hedge.dueMs]);
  if (state.wait !== null) timers.push(['wait', state.wait.dueMs]);
  if (latencyBudgetMs !== null && state.racing && state.winner === null && !state.budgetSpent) timers.push(['budget', latencyBudgetMs]);
  return timers;
}

function attemptTimers(plan: AttemptPlan, state: RequestState, number: number, nowMs: number): [TimerName, number][] {
  const attempt = attemptAt(state, number);
  const { streamed, timers: { connectMs } } = plannedAt(plan, attempt.target);
  const timers: [TimerName, number | null][] = [[`connect:${number}`, attempt.phase === 'Connecting' ? attempt.startedMs + connectMs : null]];
  if (!streamed) timers.push([`whole:${number}`, candidates(plan, state).length > 0 ? attempt.startedMs + wholeAnswerMs : null]);
  else if (isSilent(attempt)) {
    timers.push([`first-content:${number}`, firstContentDueMs(plan, state, attempt)], [`give-up:${number}`, giveUpDueMs(plan, state, attempt, nowMs)]);
  }
  return timers.flatMap(([name, dueMs]): [TimerName, number][] => (dueMs === null ? [] : [[name, dueMs]]));
}

function idles(plan: AttemptPlan, state: RequestState, number: number): boolean {
  const { phase } = attemptAt(state, number);
  return plannedOf(plan, state, number).streamed && (phase === 'Reasoning' || phase === 'Answered');
}

/** Neither content nor reasoning came: headers, pings and role frames are silence. */
export function isSilent({ phase }: AttemptState): boolean {
  return phase === 'Connecting' || phase === 'Waiting';
}

function firstContentDueMs(plan: AttemptPlan, state: RequestState, { startedMs, target }: AttemptState): number | null {
  const planned = plannedAt(plan, target);
  const last = isAlone(state) && candidates(plan, state).length === 0;
  const silence = last ? lastSilence(planned) : planned.timers.firstContentMs;
  return silence === null ? null : startedMs + silence;
}

function lastSilence({ local, lastSilenceMs: given, timers }: PlannedTarget): number | null {
  if (given !== undefined) return given;
  return local ? null : Math.max(lastSilenceMs, timers.firstContentMs);
}

/**
 * When a silent attempt gives way to the next target, for the sake of the latency budget; null: it does not. Two that
 * race run on under their own timers.
 */
function giveUpDueMs(plan: AttemptPlan, state: RequestState, { startedMs, target }: AttemptState, nowMs: number): number | null {
  const budget = plan.latencyBudgetMs;
  const next = nextTarget(plan, state, nowMs);
  if (budget === null || next === null || !isAlone(state) || state.hedge.state !== 'Off') return null;
  const own = plannedAt(plan, target).quantiles;
  const late = startedMs + budget;
  if (state.racing || budget - startedMs < usualMs(own, budget)) return late;
  return Math.min(budget, Math.max(budget - neededMs(plannedAt(plan, next)), own === null ? late : startedMs + own.q95Ms));
}

/** With less than this left, a budget is as good as spent. */
function usualMs(own: TargetQuantiles | null, budget: number): number {
  return own?.q50Ms ?? Math.min(leastDelayMs, budget / 2);
}

function neededMs({ quantiles }: PlannedTarget): number {
  return quantiles?.q90Ms ?? 0;
}

function isAlone(state: RequestState): boolean {
  return runningAttempts(state).length + state.retries.length <= 1;
}
