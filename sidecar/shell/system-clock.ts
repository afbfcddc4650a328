import { exactClock, type Clock, type Random, type WallClock } from '@belay/contract';

/** The machine's monotonic clock. */
export const systemClock: Clock = exactClock({ nowMs: () => performance.now(), arm: setTimeout, disarm: clearTimeout });

/** The machine's wall clock, in milliseconds since the Unix epoch. */
export const systemWallClock: WallClock = () => Date.now();

/** The machine's chance. */
export const systemRandom: Random = () => Math.random();
