import type { AttemptEffect, AttemptEvent, Ending, Settlement, TimedEvent } from '../core/attempt/protocol.ts';
import { beginRequest, step } from '../core/attempt/step.ts';
import { failure } from '../core/failure/failure.ts';
import { cancel, fail, newAttempt, safely, type Attempt } from './attempt.ts';
import { crashResponse, finishRequest, openCommitted } from './finish-request.ts';
import { isFull, pollReady } from './poll-ready.ts';
import { reportBug } from './plane.ts';
import type { Admitted, RequestRun } from './request-run.ts';
import { createRequestTimers } from './request-timers.ts';
import { startAttempt } from './start-attempt.ts';

/**
 * Carries out what the core decides for one request, until the last effect; decides nothing. Resolves when the answer
 * was handed to the socket, the client left, or a bug ended it.
 */
export function runAttempts(admitted: Admitted): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { clock } = admitted.plane.options;
  const run: RequestRun = {
    ...admitted,
    state: beginRequest(admitted.plan),
    admittedMs: clock.nowMs(),
    attempts: [], logs: [], leaveSlot: new Map(), slots: new Map(), stopPolls: [], events: [],
    timers: createRequestTimers(clock, (number) => admittedAttempt(run, number), (timer) => tell(run, { type: 'timer-fired', timer })),
    handling: false, committed: null, finished: false, done: resolve,
  };
  admitted.response.once('close', () => tell(run, { type: 'client-left' }));
  admitted.plane.table.hedgeBudgetOf(admitted.chain).admitted(run.admittedMs);
  tell(run, { type: 'request-admitted' });
  if (admitted.response.destroyed) tell(run, { type: 'client-left' });
  return promise;
}

function admittedAttempt(run: RequestRun, number: number): Attempt | null {
  return run.attempts[number] ?? null;
}

/** Events are handled one after the other, also those that an effect brings about at once. */
function tell(run: RequestRun, event: AttemptEvent): void {
  run.events.push(event);
  if (run.handling) return;
  run.handling = true;
  try {
    for (let next = run.events.shift(); next !== undefined && !run.finished; next = run.events.shift()) handle(run, next);
  } catch (error) {
    crash(run, error);
  }
  run.handling = false;
}

function handle(run: RequestRun, event: AttemptEvent): void {
  const { clock, random } = run.plane.options;
  const atMs = clock.nowMs() - run.admittedMs;
  if (event.type === 'attempt-answered') noteAnswered(run, event.attempt);
  const { state, effects } = step(run.plan, run.state, { ...event, atMs } as TimedEvent, random);
  run.state = state;
  for (const effect of effects) carryOut(run, effect);
}

function carryOut(run: RequestRun, effect: AttemptEffect): void {
  switch (effect.type) {
    case 'start-attempt': return start(run, effect);
    case 'cancel-attempt': return stopAttempt(run, effect.attempt);
    case 'arm-timer': return run.timers.arm(effect.timer, effect.delayMs);
    case 'disarm-timer': return run.timers.disarm(effect.timer);
    case 'ask-hedge': return askHedge(run, effect.target);
    case 'poll-ready': return poll(run, effect.target);
    case 'commit': return commit(run, effect.attempt);
    case 'settle-attempt': return settle(run, effect.attempt, effect.settlement);
    case 'finish': return finish(run, effect.ending);
  }
}

function start(run: RequestRun, { attempt: number, target: index, role }: Extract<AttemptEffect, { type: 'start-attempt' }>): void {
  const { plane } = run;
  const target = run.targets[index];
  const planned = run.plan.targets[index];
  if (target === undefined || planned === undefined) throw new Error(`the plan has no target ${index}`);
  const { clock } = plane.options;
  const attempt = newAttempt({ number, target, planned, clock, request: run.request, wallClock: plane.options.wallClock, unaryOnly: plane.unaryOnly, tell: (event) => tell(run, event), crash: (error) => crash(run, error) });
  run.attempts[number] = attempt;
  run.logs[number] = { planned, role, startedMs: clock.nowMs() - run.arrivedMs, firstContentMs: null, endedMs: null, settlement: null };
  plane.table.healthOf(target).sent(clock.nowMs(), planned.probe);
  const slot = run.slots.get(index);
  if (slot !== undefined) {
    run.slots.delete(index);
    run.leaveSlot.set(number, slot);
    return safely(attempt, () => startAttempt(plane, attempt, run.headers));
  }
  const isLast = index === run.targets.length - 1;
  if (isFull(plane, target) && !isLast) return fail(attempt, failure('Loading', `at its cap of ${target.provider.concurrency} requests`));
  let queued = false;
  const leave = plane.concurrency.enter(target.provider.name, target.provider.concurrency, () => {
    if (queued) run.timers.release(number);
    safely(attempt, () => startAttempt(plane, attempt, run.headers));
    queued = false;
  });
  run.leaveSlot.set(number, leave);
  if (attempt.call === null && !attempt.over) {
    queued = true;
    run.timers.hold(number);
  }
}

function stopAttempt(run: RequestRun, number: number): void {
  const attempt = run.attempts[number];
  if (attempt !== undefined) cancel(attempt);
}

function noteAnswered(run: RequestRun, number: number): void {
  const log = run.logs[number];
  const attempt = run.attempts[number];
  if (log === undefined || attempt === undefined || log.endedMs !== null) return;
  const nowMs = run.plane.options.clock.nowMs();
  log.firstContentMs = nowMs - run.arrivedMs;
  run.plane.table.healthOf(attempt.target).answered(nowMs, log.firstContentMs - log.startedMs);
}

function askHedge(run: RequestRun, index: number): void {
  const denied = hedgeDenied(run, index);
  run.plane.metrics.hedge(run.chain.entry.name, denied === null ? 'Granted' : 'Denied');
  tell(run, denied === null ? { type: 'hedge-granted' } : { type: 'hedge-denied', reason: denied });
}

function hedgeDenied({ plane, chain, targets }: RequestRun, index: number): string | null {
  const target = targets[index];
  if (target === undefined) return 'no target';
  const nowMs = plane.options.clock.nowMs();
  const { breaker, out } = plane.table.healthOf(target).view(nowMs);
  if (breaker !== 'closed') return `breaker of ${target.entry.name} is ${breaker}`;
  if (out !== null) return `${target.entry.name} is out: ${out.detail}`;
  if (isFull(plane, target)) return `${target.entry.name} is at its concurrency cap`;
  return plane.table.hedgeBudgetOf(chain).take(nowMs);
}

function poll(run: RequestRun, index: number): void {
  const target = run.targets[index];
  if (target === undefined) return;
  run.stopPolls.push(pollReady(run.plane, target, (leaveSlot) => {
    run.slots.set(index, leaveSlot);
    for (const stop of run.stopPolls.splice(0)) stop();
    tell(run, { type: 'target-ready', target: index });
  }));
}

function commit(run: RequestRun, number: number): void {
  const attempt = run.attempts[number];
  if (attempt === undefined) return;
  run.committed = attempt;
  if (run.plan.streamsToClient) openCommitted(run, attempt);
}

function settle(run: RequestRun, number: number, settlement: Settlement): void {
  const attempt = run.attempts[number];
  const log = run.logs[number];
  if (attempt === undefined || log === undefined) return;
  const { table, options } = run.plane;
  const nowMs = options.clock.nowMs();
  log.endedMs = nowMs - run.arrivedMs;
  log.settlement = settlement;
  run.leaveSlot.get(number)?.();
  if (log.role === 'Hedge') table.hedgeBudgetOf(run.chain).ended();
  table.healthOf(attempt.target).settled(nowMs, settlement, {
    probe: log.planned.probe, keyVersion: attempt.keyVersion, elapsedMs: log.endedMs - log.startedMs, streamed: log.planned.streamed, answered: attempt.answered,
  });
}

function finish(run: RequestRun, ending: Ending): void {
  release(run);
  finishRequest(run, ending);
  run.done();
}

function release(run: RequestRun): void {
  run.finished = true;
  run.plane.table.hedgeBudgetOf(run.chain).finished();
  run.timers.close();
  for (const stop of run.stopPolls) stop();
  for (const leave of [...run.slots.values(), ...run.leaveSlot.values()]) leave();
}

/** A bug ends this request alone. */
function crash(run: RequestRun, error: unknown): void {
  reportBug(run.plane, run.id, error);
  for (const attempt of run.attempts) cancel(attempt);
  release(run);
  crashResponse(run.response, run.id);
  run.done();
}
