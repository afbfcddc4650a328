import type { Failure } from '../failure/failure.ts';
import { maxExtras } from './choose-target.ts';
import { failedEnding } from './failed-ending.ts';
import { plannedAt } from './request-state.ts';
import { limitMs } from './time-limits.ts';
import { finish, type Turn } from './turn.ts';

/** The one wait of routing rule 4 is at most this long, and this long where no target said when it returns. */
const maxWaitMs = 10_000;
export const usualWaitMs = 1_000;

/** Nothing runs and no target is left: wait for a model that loads, else once for the soonest return, else end. */
export function endOrWait(turn: Turn): void {
  const { plan, state, nowMs } = turn;
  const loading = loadingTargets(turn);
  if (loading.length > 0) {
    state.polling = loading;
    for (const target of loading) turn.effects.push({ type: 'poll-ready', target });
    return;
  }
  state.wait = soonestReturn(turn);
  if (state.wait === null) finish(turn, failedEnding(plan, state, nowMs));
  else state.waited = true;
}

/** Failures that pass by themselves: only if all are of these is there something to wait for. */
export function isWaitable({ class: name }: Failure): boolean {
  return name === 'Rate' || name === 'Overload' || name === 'Transient' || name === 'Unreachable';
}

/** A target's first Loading was no attempt at its model; a second one counts like any attempt. */
function loadingTargets({ state }: Turn): number[] {
  return state.targets.flatMap(({ failure, loadings }, index) =>
    (failure?.class === 'Loading' && (loadings === 1 || state.extras < maxExtras) ? [index] : []));
}

function soonestReturn(turn: Turn): { target: number; dueMs: number } | null {
  const { plan, state, nowMs } = turn;
  if (state.waited || state.extras >= maxExtras || !state.attempts.every(({ failure }) => failure === null || isWaitable(failure))) return null;
  const returns = knownAndUsualReturns(turn).filter(({ dueMs }) => dueMs - nowMs <= maxWaitMs && dueMs < limitMs(plan, state));
  const [known] = returns.filter((one) => one.known).sort((a, b) => a.dueMs - b.dueMs);
  // Where nobody said when, the target that had the fewest chances.
  return known ?? returns.sort((a, b) => a.starts - b.starts)[0] ?? null;
}

function knownAndUsualReturns({ plan, state, nowMs }: Turn): { target: number; dueMs: number; known: boolean; starts: number }[] {
  return state.targets.flatMap(({ failure, failedMs, starts }, target) => {
    if (failure === null || failure.oversize || plannedAt(plan, target).probe) return [];
    const { retryAfterMs } = failure;
    const dueMs = retryAfterMs === null ? nowMs + usualWaitMs : Math.max(nowMs, failedMs + retryAfterMs);
    return [{ target, starts, known: retryAfterMs !== null, dueMs }];
  });
}
