import type { Clock, Random, WallClock } from '@belay/contract';

/** The machine's monotonic clock. Delays of the operator stay below the 24.8 days that setTimeout takes. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  after(delayMs, callback) {
    const dueMs = performance.now() + delayMs;
    let timer = setTimeout(fire, Math.ceil(delayMs));
    // setTimeout counts whole milliseconds from the last whole one: whoever asks then whether it is time would be told no, and wait for another occasion.
    function fire(): void {
      const restMs = dueMs - performance.now();
      if (restMs > 0) timer = setTimeout(fire, Math.ceil(restMs));
      else callback();
    }
    return () => clearTimeout(timer);
  },
};

/** The machine's wall clock, in milliseconds since the Unix epoch. */
export const systemWallClock: WallClock = () => Date.now();

/** The machine's chance. */
export const systemRandom: Random = () => Math.random();
