import type { Random } from '@belay/contract';
import type { AttemptEffect, AttemptEvent, AttemptPlan, Ending, PlannedTarget, TimerName } from '@belay/sidecar/core/attempt/protocol.ts';
import { beginRequest, step } from '@belay/sidecar/core/attempt/step.ts';
import type { Failure } from '@belay/sidecar/core/failure/failure.ts';

/** What an upstream does, each so long after the attempt's start. `delta` is more of an answer: it only feeds the idle timer. */
export interface UpstreamMove {
  readonly afterMs: number;
  readonly does: 'connect' | 'stir' | 'reason' | 'answer' | 'delta' | 'complete' | Failure;
}

/** All that is outside of one request. */
export interface World {
  /** What the `nth` attempt (from 0) at this target meets. Nothing more comes after the last move: silence. */
  upstream(target: PlannedTarget, nth: number, atMs: number): readonly UpstreamMove[];
  /** null: a hedge to this target may start; else why not. */
  readonly hedge: (target: PlannedTarget, atMs: number) => string | null;
  /** When a polled model has loaded, in milliseconds since admission; null: never. */
  readonly readyAtMs: number | null;
  readonly clientLeavesAtMs: number | null;
  readonly random: Random;
}

export interface Moment {
  readonly atMs: number;
  readonly event: AttemptEvent;
  readonly effects: readonly AttemptEffect[];
}

export interface VirtualRun {
  readonly moments: readonly Moment[];
  /** null: time ran out of events before the request ended, which no request may do. */
  readonly ending: Ending | null;
  readonly endedMs: number;
  /** Timers that were armed at the end, and attempts whose sockets were left open. */
  readonly leakedTimers: readonly TimerName[];
  readonly leakedAttempts: readonly number[];
}

interface Due { readonly atMs: number; readonly order: number; readonly event: AttemptEvent; readonly timer: TimerName | null }

/**
 * Plays one request against a world, in virtual time, as the shell would: effects in order, timers by name, no event of
 * an attempt after its settlement. Equal plan and world give an equal run.
 */
export function runVirtual(plan: AttemptPlan, world: World): VirtualRun {
  const queue = new EventQueue();
  const moments: Moment[] = [];
  const open = new Set<number>();
  const starts = new Map<number, number>();
  let state = beginRequest(plan);
  let ending: Ending | null = null;
  let nowMs = 0;

  const startAttempt = (attempt: number, index: number): void => {
    const target = plan.targets[index];
    if (target === undefined) throw new Error(`no target ${index}`);
    const nth = starts.get(index) ?? 0;
    starts.set(index, nth + 1);
    open.add(attempt);
    for (const { afterMs, does } of world.upstream(target, nth, nowMs)) queue.add(nowMs + afterMs, eventOf(attempt, does));
  };
  const carryOut = (effect: AttemptEffect): void => {
    switch (effect.type) {
      case 'start-attempt': return startAttempt(effect.attempt, effect.target);
      case 'cancel-attempt': case 'settle-attempt':
        open.delete(effect.attempt);
        return queue.forget(effect.attempt);
      case 'arm-timer': return queue.arm(effect.timer, nowMs + effect.delayMs, effect.delayMs);
      case 'disarm-timer': return queue.disarm(effect.timer);
      case 'ask-hedge': {
        const target = plan.targets[effect.target];
        const denied = target === undefined ? 'no such target' : world.hedge(target, nowMs);
        return queue.add(nowMs, denied === null ? { type: 'hedge-granted' } : { type: 'hedge-denied', reason: denied });
      }
      case 'poll-ready':
        if (world.readyAtMs !== null) queue.add(Math.max(nowMs, world.readyAtMs), { type: 'target-ready', target: effect.target });
        return;
      case 'finish': ending = effect.ending; return;
      case 'commit': return;
    }
  };

  queue.add(0, { type: 'request-admitted' });
  if (world.clientLeavesAtMs !== null) queue.add(world.clientLeavesAtMs, { type: 'client-left' });
  for (let due = queue.take(); due !== null && ending === null; due = queue.take()) {
    nowMs = due.atMs;
    if (due.timer === null) queue.feed(due.event, nowMs);
    const next = step(plan, state, { ...due.event, atMs: nowMs }, world.random);
    state = next.state;
    moments.push({ atMs: nowMs, event: due.event, effects: next.effects });
    for (const effect of next.effects) carryOut(effect);
  }
  return { moments, ending, endedMs: nowMs, leakedTimers: queue.armed(), leakedAttempts: [...open] };
}

function eventOf(attempt: number, does: UpstreamMove['does']): AttemptEvent {
  switch (does) {
    case 'connect': return { type: 'attempt-connected', attempt };
    case 'stir': case 'delta': return { type: 'attempt-stirred', attempt };
    case 'reason': return { type: 'attempt-reasoned', attempt };
    case 'answer': return { type: 'attempt-answered', attempt };
    case 'complete': return { type: 'attempt-completed', attempt };
    default: return { type: 'attempt-failed', attempt, failure: does };
  }
}

/** Events by time, then by order of arrival. Timers carry a name, and `idle:N` starts over with each event of its attempt. */
class EventQueue {
  #order = 0;
  #due: Due[] = [];
  readonly #idleMs = new Map<TimerName, number>();

  add(atMs: number, event: AttemptEvent, timer: TimerName | null = null): void {
    const due = { atMs, order: this.#order++, event, timer };
    const place = this.#due.findIndex((other) => other.atMs > atMs);
    this.#due.splice(place === -1 ? this.#due.length : place, 0, due);
  }

  take(): Due | null {
    const due = this.#due.shift() ?? null;
    if (due?.timer !== undefined && due.timer !== null) this.#idleMs.delete(due.timer);
    return due;
  }

  arm(timer: TimerName, atMs: number, delayMs: number): void {
    this.disarm(timer);
    if (timer.startsWith('idle:')) this.#idleMs.set(timer, delayMs);
    this.add(atMs, { type: 'timer-fired', timer }, timer);
  }

  disarm(timer: TimerName): void {
    this.#idleMs.delete(timer);
    this.#due = this.#due.filter((due) => due.timer !== timer);
  }

  feed(event: AttemptEvent, nowMs: number): void {
    if (!('attempt' in event)) return;
    const timer: TimerName = `idle:${event.attempt}`;
    const idleMs = this.#idleMs.get(timer);
    if (idleMs !== undefined) this.arm(timer, nowMs + idleMs, idleMs);
  }

  forget(attempt: number): void {
    this.#due = this.#due.filter(({ event }) => !('attempt' in event && event.attempt === attempt));
  }

  armed(): TimerName[] {
    return this.#due.flatMap(({ timer }) => (timer === null ? [] : [timer]));
  }
}
