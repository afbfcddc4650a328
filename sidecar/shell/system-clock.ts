import type { Clock, Random, WallClock } from '@belay/contract';

/** Longest delay that setTimeout takes (Node's timers documentation); a longer one would fire at once. */
const longestDelayMs = 2_147_483_647;

/** The machine's monotonic clock. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  after(delayMs, callback) {
    const dueMs = performance.now() + delayMs;
    let timer = setTimeout(fire, Math.min(Math.ceil(delayMs), longestDelayMs));
    // setTimeout counts whole milliseconds from the last whole one, and so may fire a little early: whoever asks then whether it is time would be told no.
    function fire(): void {
      const restMs = dueMs - performance.now();
      if (restMs > 0) timer = setTimeout(fire, Math.min(Math.ceil(restMs), longestDelayMs));
      else callback();
    }
    return () => clearTimeout(timer);
  },
};

/** The machine's wall clock, in milliseconds since the Unix epoch. */
export const systemWallClock: WallClock = () => Date.now();

/** The machine's chance. */
export const systemRandom: Random = () => Math.random();
