import { expect, test } from '@jest/globals';
import { systemClock } from './system-clock.ts';

test('no timer fires before its time, by the clock that says when that is', async () => {
  const early: number[] = [];
  for (let count = 0; count < 40; count++) {
    const beganMs = systemClock.nowMs();
    await new Promise<void>((resolve) => void systemClock.after(2.9, resolve));
    const tookMs = systemClock.nowMs() - beganMs;
    if (tookMs < 2.9) early.push(tookMs);
  }
  expect(early).toEqual([]);
});

test('a timer that is disarmed never fires', async () => {
  let fired = false;
  systemClock.after(1.5, () => (fired = true))();
  await new Promise<void>((resolve) => void systemClock.after(10, resolve));
  expect(fired).toBe(false);
});
