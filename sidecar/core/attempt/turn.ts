import type { AttemptOutcome, AttemptRole, Random } from '@belay/contract';
import type { Failure } from '../failure/failure.ts';
import { giveUpHealth, silenceFailure, wasGivenUp } from './blame-silence.ts';
import type { AttemptEffect, AttemptPlan, Ending, Settlement, TimerName } from './protocol.ts';
import { attemptAt, plannedAt, runningAttempts, targetAt, type AttemptState, type RequestState, type TargetState } from './request-state.ts';
import { wantedTimers } from './time-limits.ts';

/** One step under way: a working copy of the state and the effects so far. Nothing of it outlives `closeTurn`. */
export interface Turn {
  readonly plan: AttemptPlan;
  readonly nowMs: number;
  readonly random: Random;
  readonly state: { -readonly [Field in keyof RequestState]: RequestState[Field] };
  readonly effects: AttemptEffect[];
  ending: Ending | null;
}

export function openTurn(plan: AttemptPlan, state: RequestState, nowMs: number, random: Random): Turn {
  return { plan, nowMs, random, state: { ...state }, effects: [], ending: null };
}

/** Arms and disarms what the new state asks for, and ends with `finish` where the request is over. */
export function closeTurn(turn: Turn): { state: RequestState; effects: readonly AttemptEffect[] } {
  const { plan, state, effects, nowMs } = turn;
  const wanted = wantedTimers(plan, state, nowMs);
  for (const timer of state.timers.keys()) {
    if (!wanted.has(timer)) effects.push({ type: 'disarm-timer', timer });
  }
  for (const [timer, dueMs] of wanted) {
    if (state.timers.get(timer) !== dueMs) effects.push({ type: 'arm-timer', timer, delayMs: delayOf(timer, dueMs, nowMs) });
  }
  state.timers = wanted;
  if (turn.ending !== null) effects.push({ type: 'finish', ending: turn.ending });
  return { state, effects };
}

function delayOf(timer: TimerName, dueMs: number, nowMs: number): number {
  return timer.startsWith('idle:') ? dueMs : Math.max(0, dueMs - nowMs);
}

/** A half-open target's attempt is the breaker's probe, whatever brought it about. */
export function startAttempt(turn: Turn, target: number, role: AttemptRole): void {
  const { plan, state, nowMs } = turn;
  const { starts, failure, loadings } = targetAt(state, target);
  const resumesLoading = failure?.class === 'Loading' && loadings === 1;
  if (starts > 0 && !resumesLoading) state.extras += 1;
  editTarget(turn, target, { starts: starts + 1, failure: null });
  const asProbe = plannedAt(plan, target).probe && (role === 'Primary' || role === 'Fallback');
  const started: AttemptState = {
    target,
    role: asProbe ? 'Probe' : role,
    startedMs: nowMs,
    phase: 'Connecting',
    stirred: false,
    answeredMs: null,
    failure: null,
  };
  turn.effects.push({ type: 'start-attempt', attempt: state.attempts.length, target, role: started.role });
  state.attempts = [...state.attempts, started];
}

export function editAttempt(turn: Turn, number: number, change: Partial<AttemptState>): void {
  turn.state.attempts = turn.state.attempts.with(number, { ...attemptAt(turn.state, number), ...change });
}

export function editTarget(turn: Turn, index: number, change: Partial<TargetState>): void {
  turn.state.targets = turn.state.targets.with(index, { ...targetAt(turn.state, index), ...change });
}

/** The one settlement of an attempt: it is over, and no event of it counts any more. */
export function settle(turn: Turn, number: number, outcome: AttemptOutcome, failed: Failure | null, health: Settlement['health']): void {
  editAttempt(turn, number, { phase: 'Over', failure: failed });
  turn.effects.push({ type: 'settle-attempt', attempt: number, settlement: { outcome, failure: failed, health } });
}

/** Cancels whatever runs beside the winner. A loser that answered is well; a silent one is a lower bound, or was given up at the budget. */
export function cancelLosers(turn: Turn, winner: number | null): void {
  const { plan, state, nowMs } = turn;
  for (const number of runningAttempts(state).filter((other) => other !== winner)) {
    const attempt = attemptAt(state, number);
    const target = plannedAt(plan, attempt.target);
    const elapsedMs = nowMs - attempt.startedMs;
    turn.effects.push({ type: 'cancel-attempt', attempt: number });
    if (winner === null || !wasGivenUp(plan.latencyBudgetMs, target, attempt, elapsedMs)) {
      settle(turn, number, 'Cancelled', null, attempt.answeredMs === null ? 'LowerBound' : 'Ok');
      continue;
    }
    const silence = silenceFailure(target, attempt, elapsedMs);
    editTarget(turn, attempt.target, { failure: silence, failedMs: nowMs });
    settle(turn, number, 'Cancelled', silence, giveUpHealth(target, elapsedMs));
  }
}

/** The request is over; whatever still runs was settled before. */
export function finish(turn: Turn, ending: Ending): void {
  const { state } = turn;
  state.phase = 'Finished';
  state.retries = [];
  state.polling = [];
  state.wait = null;
  endHedging(turn);
  turn.ending = ending;
}

export function endHedging(turn: Turn): void {
  turn.state.hedge = { ...turn.state.hedge, state: 'Off' };
}
