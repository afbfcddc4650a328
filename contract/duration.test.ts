import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { formatDuration, parseDuration } from './duration.ts';

test.each([['2s', 2_000], ['300ms', 300], ['1m30s', 90_000], ['1h1m1s1ms', 3_661_001], ['0s', 0]])('%s is %d ms', (text, ms) => {
  expect(parseDuration(text)).toEqual({ ok: true, value: ms });
});

test.each(['', '2', 's', '-1s', '1.5s', '2 s', '123456s', '1s1s1s1s1s', 2, null])('%p is refused with what would be right', (text) => {
  const result = parseDuration(text, 'spec.deadline');
  expect(result).toMatchObject({ ok: false, problems: [{ path: 'spec.deadline', message: expect.stringContaining('such as 2s, 300ms or 1m30s') }] });
});

test('what is formatted parses back to the same number', () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 99_999 * 3_600_000 }), (ms) => {
    expect(parseDuration(formatDuration(ms))).toEqual({ ok: true, value: ms });
  }));
});
