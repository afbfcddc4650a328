import { setImmediate } from 'node:timers/promises';
import type { ManualClock } from '../support/manual-clock.ts';

/** Moves time on in slices of a tenth of a second, letting every promise settle between two: loops of many awaits. */
export async function passTime(clock: ManualClock, ms: number): Promise<void> {
  await setImmediate();
  for (let left = ms; left > 0; left -= 100) {
    await clock.advance(Math.min(left, 100));
    await setImmediate();
  }
}
