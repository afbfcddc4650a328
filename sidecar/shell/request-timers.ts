import type { Clock } from '@belay/contract';
import type { TimerName } from '../core/attempt/protocol.ts';

/** While a tool call or a reasoning block is open, silence may last this long (routing rule 2). */
const openBlockIdleMs = 60_000;

/** What an idle watch needs to know of its attempt. */
export interface Watched {
  /** Clock time of the last event that counts. */
  readonly lastFedMs: number;
  /** False while a slow client or a held loser blocks reading: silence then is not the target's. */
  readonly reading: boolean;
  readonly blockOpen: boolean;
}

/** The named timers of one request. */
export interface RequestTimers {
  /** Replaces the timer of the same name. */
  arm(timer: TimerName, delayMs: number): void;
  disarm(timer: TimerName): void;
  /** Timers of this attempt wait for `release` instead of running: it is queued for a free slot, which is not the target's time. */
  hold(attempt: number): void;
  release(attempt: number): void;
  close(): void;
}

/**
 * Timers on one clock; `fired` is told once for each that ran out. `idle:N` is armed once and then looks at what its
 * attempt last gave, so that a chunk costs no timer.
 */
export function createRequestTimers(clock: Clock, watched: (attempt: number) => Watched | null, fired: (timer: TimerName) => void): RequestTimers {
  const running = new Map<TimerName, () => void>();
  const held = new Map<number, { readonly sinceMs: number; readonly timers: Map<TimerName, number> }>();
  const queuedMs = new Map<number, number>();

  function run(timer: TimerName, delayMs: number): void {
    const attempt = attemptOf(timer);
    if (attempt !== null && timer.startsWith('idle:')) return watch(timer, attempt, delayMs, delayMs);
    running.set(timer, clock.after(delayMs, () => {
      running.delete(timer);
      fired(timer);
    }));
  }

  function watch(timer: TimerName, attempt: number, idleMs: number, lookInMs: number): void {
    running.set(timer, clock.after(lookInMs, () => {
      running.delete(timer);
      const now = watched(attempt);
      if (now === null) return;
      const allowedMs = now.blockOpen ? Math.max(idleMs, openBlockIdleMs) : idleMs;
      const restMs = now.reading ? now.lastFedMs + allowedMs - clock.nowMs() : allowedMs;
      if (restMs <= 0) fired(timer);
      else watch(timer, attempt, idleMs, restMs);
    }));
  }

  function disarm(timer: TimerName): void {
    running.get(timer)?.();
    running.delete(timer);
    const attempt = attemptOf(timer);
    if (attempt !== null) held.get(attempt)?.timers.delete(timer);
  }

  return {
    arm(timer, delayMs) {
      disarm(timer);
      const attempt = attemptOf(timer);
      const waiting = attempt === null ? undefined : held.get(attempt);
      if (waiting !== undefined) waiting.timers.set(timer, delayMs);
      else run(timer, delayMs + (attempt !== null && ofTheTarget.test(timer) ? (queuedMs.get(attempt) ?? 0) : 0));
    },
    disarm,
    hold(attempt) {
      held.set(attempt, { sinceMs: clock.nowMs(), timers: new Map() });
    },
    release(attempt) {
      const waiting = held.get(attempt);
      if (waiting === undefined) return;
      held.delete(attempt);
      queuedMs.set(attempt, clock.nowMs() - waiting.sinceMs);
      for (const [timer, delayMs] of waiting.timers) run(timer, delayMs);
    },
    close() {
      for (const stop of running.values()) stop();
      running.clear();
      held.clear();
    },
  };
}

/** Limits of what the target does: they count from when the attempt left the queue. */
const ofTheTarget = /^(connect|first-content|whole):/;

function attemptOf(timer: TimerName): number | null {
  const colon = timer.indexOf(':');
  return colon < 0 ? null : Number(timer.slice(colon + 1));
}
