import { expect, test } from '@jest/globals';
import { systemClock } from './system-clock.ts';

const aMoment = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

test('a delay of months does not fire at once', async () => {
  let fired = false;
  const disarm = systemClock.after(99_999 * 3_600_000, () => (fired = true));
  await aMoment();
  expect(fired).toBe(false);
  disarm();
});

test('a timer fires once, not before its time, and not after it was disarmed', async () => {
  const began = systemClock.nowMs();
  const late: number[] = [];
  const delays = [0, 0.4, 1, 2.3, 5, 5.9];
  for (const delay of delays) systemClock.after(delay, () => late.push(systemClock.nowMs() - began - delay));
  systemClock.after(5, () => late.push(-100))();
  await aMoment();
  await aMoment();
  expect(late).toHaveLength(delays.length);
  expect(Math.min(...late)).toBeGreaterThanOrEqual(0);
});
