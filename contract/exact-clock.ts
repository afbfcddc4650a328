import type { Clock } from './clock.ts';

/** Longest delay that setTimeout takes (Node's timers documentation); a longer one would fire at once. */
const longestDelayMs = 2_147_483_647;

/** What a machine has to tell and to wait for time. */
export interface MachineTimers<T> {
  /** Milliseconds since an arbitrary origin; never goes back. */
  readonly nowMs: () => number;
  /** As setTimeout: it counts whole milliseconds from the last whole one, and so may fire a little early. */
  readonly arm: (callback: () => void, delayMs: number) => T;
  readonly disarm: (timer: T) => void;
}

/** A clock whose timers take any delay and never fire early: whoever asks then whether it is time would be told no, and wait for another occasion. */
export function exactClock<T>({ nowMs, arm, disarm }: MachineTimers<T>): Clock {
  return {
    nowMs,
    after(delayMs, callback) {
      const dueMs = nowMs() + delayMs;
      let timer = arm(fire, Math.min(Math.ceil(delayMs), longestDelayMs));
      function fire(): void {
        const restMs = dueMs - nowMs();
        if (restMs > 0) timer = arm(fire, Math.min(Math.ceil(restMs), longestDelayMs));
        else callback();
      }
      return () => disarm(timer);
    },
  };
}
