import { expect, test } from '@jest/globals';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { createAcceptLimiter } from './accept-limiter.ts';

function limiting(longestQueue = 100) {
  const clock = new ManualClock();
  const accepted: number[] = [];
  const refused: number[] = [];
  const limiter = createAcceptLimiter<number>({ clock, perSecond: 10, burst: 2, longestQueue, accept: (one) => accepted.push(one), refuse: (one) => refused.push(one) });
  return { clock, limiter, accepted, refused };
}

test('a burst passes, the rest at the steady rate and in order', async () => {
  const { clock, limiter, accepted } = limiting();
  for (let n = 0; n < 30; n++) limiter.take(n);
  expect(accepted).toEqual([0, 1]);
  await clock.advance(1_000);
  expect(accepted).toEqual(Array.from({ length: 12 }, (_, n) => n));
  await clock.advance(10_000);
  expect(accepted).toHaveLength(30);
  expect(clock.armed).toBe(0);
});

test('who comes after a quiet time waits for nobody', async () => {
  const { clock, limiter, accepted } = limiting();
  for (let n = 0; n < 2; n++) limiter.take(n);
  await clock.advance(200);
  for (let n = 2; n < 5; n++) limiter.take(n);
  expect(accepted).toEqual([0, 1, 2, 3]);
});

test('more than the queue holds are refused at once, and all that wait when it closes', () => {
  const { clock, limiter, accepted, refused } = limiting(3);
  for (let n = 0; n < 7; n++) limiter.take(n);
  expect([accepted, refused]).toEqual([[0, 1], [5, 6]]);
  limiter.close();
  expect([refused, clock.armed]).toEqual([[5, 6, 2, 3, 4], 0]);
});
