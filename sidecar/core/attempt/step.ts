import type { Random } from '@belay/contract';
import { failure, type Failure } from '../failure/failure.ts';
import { giveUpHealth, silenceFailure } from './blame-silence.ts';
import { hedgeTarget } from './choose-target.ts';
import { decide } from './decide.ts';
import { describeSeconds, failureClauses } from './describe-failures.ts';
import { failAttempt, healthWord, startNext } from './fail-attempt.ts';
import type { AttemptEffect, AttemptEvent, AttemptPlan, PlannedTarget, Settlement, TimedEvent, TimerName } from './protocol.ts';
import { attemptAt, plannedAt, plannedOf, runningAttempts, type AttemptPhase, type AttemptState, type RequestState } from './request-state.ts';
import { hedgeDelayMs, isSilent } from './time-limits.ts';
import { closeTurn, editAttempt, endHedging, finish, openTurn, settle, startAttempt, type Turn } from './turn.ts';

export { beginRequest, type RequestState } from './request-state.ts';

export interface Step {
  readonly state: RequestState;
  readonly effects: readonly AttemptEffect[];
}

/**
 * What one event does to one request, in sequence and in a race alike (routing rules 1 to 6). Pure but for `random`,
 * which is drawn from only where a retry is jittered. Events of settled attempts, of timers that are not armed, and
 * after `finish` change nothing.
 */
export function step(plan: AttemptPlan, state: RequestState, event: TimedEvent, random: Random): Step {
  if (state.phase === 'Finished' || (state.phase === 'New') !== (event.type === 'request-admitted')) return { state, effects: [] };
  const turn = openTurn(plan, state, event.atMs, random);
  handle(turn, event);
  return closeTurn(turn);
}

type Handlers = { readonly [Type in AttemptEvent['type']]: (turn: Turn, event: Extract<AttemptEvent, { type: Type }>) => void };

const handlers: Handlers = {
  'request-admitted': admit,
  'attempt-connected': (turn, { attempt }) => advance(turn, attempt, 'Waiting'),
  'attempt-stirred': (turn, { attempt }) => advance(turn, attempt, 'Waiting', { stirred: true }),
  'attempt-reasoned': (turn, { attempt }) => advance(turn, attempt, 'Reasoning', { stirred: true }),
  'attempt-answered': (turn, { attempt }) => advance(turn, attempt, 'Answered', { stirred: true }),
  'attempt-completed': (turn, { attempt }) => advance(turn, attempt, 'Completed', { stirred: true }),
  'attempt-failed': (turn, event) => {
    if (isRunning(turn, event.attempt)) end(turn, event.attempt, event.failure);
  },
  'timer-fired': (turn, { timer }) => {
    if (!turn.state.timers.has(timer)) return;
    const timers = new Map(turn.state.timers);
    timers.delete(timer);
    turn.state.timers = timers;
    onTimer(turn, timer);
  },
  'hedge-granted': (turn) => {
    const { hedge } = turn.state;
    if (hedge.state !== 'Asked') return;
    endHedging(turn);
    startAttempt(turn, hedge.target, 'Hedge');
  },
  'hedge-denied': (turn) => {
    if (turn.state.hedge.state === 'Asked') becomeSequential(turn);
  },
  'target-ready': (turn, { target }) => {
    if (!turn.state.polling.includes(target)) return;
    turn.state.polling = [];
    startAttempt(turn, target, 'Wait');
  },
  'client-left': (turn) => cutOff(turn, 'ClientGone', 'the client left'),
};

function handle(turn: Turn, event: AttemptEvent): void {
  (handlers[event.type] as (turn: Turn, event: AttemptEvent) => void)(turn, event);
}

function admit(turn: Turn): void {
  const { plan, state, nowMs } = turn;
  state.phase = 'Running';
  startNext(turn, 'Primary');
  if (!state.racing || state.attempts.length > 1) return;
  const target = hedgeTarget(plan, state, nowMs);
  if (target === null) becomeSequential(turn);
  else state.hedge = { state: 'Pending', dueMs: nowMs + hedgeDelayMs(plan, plannedOf(plan, state, 0), plannedAt(plan, target)), target };
}

/** No hedge will start: the request goes on as a sequence with its latency budget. */
function becomeSequential(turn: Turn): void {
  turn.state.racing = false;
  endHedging(turn);
}

const order: readonly AttemptPhase[] = ['Connecting', 'Waiting', 'Reasoning', 'Answered', 'Completed'];

function advance(turn: Turn, number: number, to: AttemptPhase, change: Partial<AttemptState> = {}): void {
  const attempt = turn.state.attempts[number];
  if (attempt === undefined || attempt.phase === 'Over') return;
  const phase = order.indexOf(to) > order.indexOf(attempt.phase) ? to : attempt.phase;
  const hasContent = phase === 'Answered' || phase === 'Completed';
  editAttempt(turn, number, { ...change, phase, answeredMs: attempt.answeredMs ?? (hasContent ? turn.nowMs : null) });
  decide(turn);
}

function isRunning(turn: Turn, number: number): boolean {
  return runningAttempts(turn.state).includes(number);
}

/** An attempt is over by a failure: a break where it was committed, else a failure that may be made good. */
function end(turn: Turn, number: number, failed: Failure, health?: Settlement['health']): void {
  if (failed.class === 'ClientGone') cutOff(turn, 'ClientGone', failed.detail);
  else if (turn.state.committed !== number) failAttempt(turn, number, failed, health);
  else {
    settle(turn, number, 'Broken', failed, healthWord(failed));
    finish(turn, { type: 'broken', attempt: number, failure: failed });
  }
}

function onTimer(turn: Turn, timer: TimerName): void {
  const { plan, state } = turn;
  const [kind = '', suffix = ''] = timer.split(':');
  switch (kind) {
    case 'deadline': return cutOff(turn, 'Timeout', `the deadline of ${describeSeconds(plan.deadlineMs)} passed`);
    case 'client-timeout': return cutOff(turn, 'Timeout', `the client's timeout of ${describeSeconds(plan.clientTimeoutMs ?? 0)} passed`);
    case 'hedge': return askHedge(turn);
    case 'budget':
      state.budgetSpent = true;
      return decide(turn);
    case 'wait': return endWait(turn);
    case 'retry': return retry(turn, Number(suffix));
    default: return timeOut(turn, kind, Number(suffix));
  }
}

function endWait(turn: Turn): void {
  const { wait } = turn.state;
  turn.state.wait = null;
  if (wait !== null) startAttempt(turn, wait.target, 'Wait');
}

function retry(turn: Turn, number: number): void {
  const due = turn.state.retries.filter(({ attempt }) => attempt === number);
  turn.state.retries = turn.state.retries.filter(({ attempt }) => attempt !== number);
  for (const { target, role } of due) startAttempt(turn, target, role);
}

function askHedge(turn: Turn): void {
  const { plan, state, nowMs } = turn;
  const target = hedgeTarget(plan, state, nowMs);
  // A primary that reasons is not silent: nothing is gained by a second one.
  if (target === null || !isSilent(attemptAt(state, 0))) return becomeSequential(turn);
  state.hedge = { ...state.hedge, state: 'Asked', target };
  turn.effects.push({ type: 'ask-hedge', target });
}

/** An attempt's own limit passed: its socket goes, and it failed by Timeout. */
function timeOut(turn: Turn, kind: string, number: number): void {
  const { plan, state, nowMs } = turn;
  const attempt = attemptAt(state, number);
  const target = plannedAt(plan, attempt.target);
  const elapsedMs = nowMs - attempt.startedMs;
  turn.effects.push({ type: 'cancel-attempt', attempt: number });
  const silence = silenceFailure(target, attempt, elapsedMs);
  const detail = timeoutDetails[kind]?.(elapsedMs, target);
  end(turn, number, detail === undefined ? silence : { ...silence, detail }, kind === 'give-up' ? giveUpHealth(target, elapsedMs) : 'Failed');
}

const timeoutDetails: { readonly [kind: string]: (elapsedMs: number, target: PlannedTarget) => string } = {
  connect: (elapsedMs) => `no connection in ${describeSeconds(elapsedMs)}`,
  idle: (_, { timers }) => `stalled for ${describeSeconds(timers.idleMs)}`,
  whole: (elapsedMs) => `no answer in ${describeSeconds(elapsedMs)}`,
};

/** The client left, or the time of the whole request is over: everything ends, and no target is to blame. */
function cutOff(turn: Turn, name: 'ClientGone' | 'Timeout', why: string): void {
  const { plan, state } = turn;
  const { committed } = state;
  const failed = failure(name, why);
  const clauses = failureClauses(plan, state);
  for (const number of runningAttempts(state)) {
    turn.effects.push({ type: 'cancel-attempt', attempt: number });
    if (name === 'ClientGone') settle(turn, number, 'Cancelled', failed, 'None');
    else settle(turn, number, number === committed ? 'Broken' : 'Failed', failed, 'None');
  }
  if (name === 'ClientGone') finish(turn, { type: 'client-gone' });
  else if (committed !== null) finish(turn, { type: 'broken', attempt: committed, failure: failed });
  else finish(turn, { type: 'failed', status: 504, answer: null, retryAfterMs: null, reason: [why, ...clauses].join('; ') });
}
