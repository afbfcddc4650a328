import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseGoDuration, returnsInMs, type AnswerHeaders } from './retry-after.ts';

const nowMs = Date.parse('2026-11-25T12:00:00Z');

describe('when an upstream may be asked again', () => {
  test.each<[string, AnswerHeaders, number | null]>([
    ['seconds', { 'retry-after': '12' }, 12_000],
    ['parts of seconds', { 'retry-after': '0.5' }, 500],
    ['an HTTP date', { 'retry-after': 'Wed, 25 Nov 2026 12:00:30 GMT' }, 30_000],
    ['a date that has passed says nothing', { 'retry-after': 'Wed, 25 Nov 2026 11:00:00 GMT' }, null],
    ['words say nothing', { 'retry-after': 'soon' }, null],
    ['0 says nothing', { 'retry-after': '0' }, null],
    ['negatives say nothing', { 'retry-after': '-5' }, null],
    ['milliseconds', { 'retry-after-ms': '250' }, 250],
    ['milliseconds go before seconds', { 'retry-after-ms': '250', 'retry-after': '1' }, 250],
    ['0 ms leaves the seconds standing', { 'retry-after-ms': '0', 'retry-after': '1' }, 1_000],
    ['no header', {}, null],
    ['a reset of an exhausted limit', { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '6m0s' }, 360_000],
    ['a reset of a limit that has something left says nothing', { 'x-ratelimit-remaining-requests': '1', 'x-ratelimit-reset-requests': '6m0s' }, null],
    ['a reset without a remaining says nothing', { 'x-ratelimit-reset-requests': '6m0s' }, null],
    ['a negative remaining says nothing', { 'x-ratelimit-remaining-tokens': '-1', 'x-ratelimit-reset-tokens': '3s' }, null],
    ['the later of two exhausted limits', { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '2s', 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '1.5s' }, 2_000],
    ['Retry-After goes before a later reset', { 'retry-after': '1', 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '9s' }, 1_000],
    ['a reset in seconds', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '7' }, 7_000],
    ['a reset as an epoch in milliseconds', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(nowMs + 4_000) }, 4_000],
    ['a reset as an epoch in seconds', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(nowMs / 1000 + 4) }, 4_000],
    ['a reset as an instant', { 'anthropic-ratelimit-tokens-remaining': '0', 'anthropic-ratelimit-tokens-reset': '2026-11-25T12:01:00Z' }, 60_000],
    ['a reset of 0 says nothing', { 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '0s' }, null],
  ])('%s', (_, headers, expected) => {
    expect(returnsInMs(headers, nowMs)).toBe(expected);
  });

  test('is never 0, negative or no number, whatever stands there', () => {
    const value = fc.oneof(fc.string(), fc.double().map(String), fc.constantFrom('0s', '-1', 'NaN', 'Infinity', '1h', ''));
    fc.assert(fc.property(value, value, value, (after, ms, reset) => {
      const result = returnsInMs({ 'retry-after': after, 'retry-after-ms': ms, 'x-ratelimit-remaining-x': '0', 'x-ratelimit-reset-x': reset }, nowMs);
      if (result !== null) expect(result).toBeGreaterThan(0);
      if (result !== null) expect(Number.isFinite(result)).toBe(true);
    }));
  });
});

test.each([['34.4s', 34_400], ['1h2m3s', 3_723_000], ['120ms', 120], ['0s', null], ['4', null], ['', null], ['5 s', null]])('the duration %s is %p ms', (text, expected) => {
  expect(parseGoDuration(text)).toBe(expected);
});
