import type { Clock, Random, WallClock } from '@belay/contract';

/** The machine's monotonic clock. Delays of the operator stay below the 24.8 days that setTimeout takes. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/** The machine's wall clock, in milliseconds since the Unix epoch. */
export const systemWallClock: WallClock = () => Date.now();

/** The machine's chance. */
export const systemRandom: Random = () => Math.random();
