import { expect, test } from '@jest/globals';
import { appliedCopy, copyDelay, type AppliedCopy } from './copy-delay.ts';

/** The same copy, applied at each of these moments. */
const applied = (...moments: readonly number[]): AppliedCopy | undefined => moments.reduce<AppliedCopy | undefined>((last, nowMs) => appliedCopy(last, 'a', nowMs), undefined);

test.each<[string, AppliedCopy | undefined, string, number, number]>([
  ['the first is applied at once', undefined, 'a', 0, 0],
  ['one that was changed back once is', applied(0), 'a', 1, 0],
  ['and a third time', applied(0, 1, 2), 'a', 3, 0],
  ['then it waits for 10 s from the last time', applied(0, 1, 2, 3), 'a', 4, 9_999],
  ['and each time from then on', applied(0, 1, 2, 3, 10_003), 'a', 10_004, 9_999],
  ['what waited long enough waits no longer', applied(0, 1, 2, 3), 'a', 60_000, 0],
  ['another one is applied at once', applied(0, 1, 2, 3), 'b', 4, 0],
  ['and begins to count anew', appliedCopy(applied(0, 1, 2, 3), 'b', 4), 'b', 5, 0],
])('%s', (_, last, hash, nowMs, delayMs) => {
  expect(copyDelay(last, hash, nowMs)).toBe(delayMs);
});
