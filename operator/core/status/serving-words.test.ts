import { describe, expect, test } from '@jest/globals';
import { cutText } from './cut-text.ts';
import { describeFallback, describeFallbackEvent, parseFallback, servingState, type FallbackFacts } from './serving-words.ts';

const at = (text: string): number => Date.parse(`${text}:00Z`);
const facts = (more: Partial<FallbackFacts> = {}): FallbackFacts => ({ chain: 'chat', preferred: 'opus', target: 'gemini', shares: [{ target: 'gemini', share: 1 }], faults: [{ target: 'opus', fault: 'Auth', problem: 'Auth (it refuses the key)' }], sinceWallMs: at('2026-11-24T02:51'), ...more });

describe('whole percents, and 100 or 0 only where it is just that', () => {
  test.each([[1, '100%'], [0.999, '99%'], [0.994, '99%'], [0.5, '50%'], [0.004, '1%']])('%d: %s', (share, text) => {
    expect(describeFallback(facts({ shares: [{ target: 'gemini', share }] }), at('2026-11-24T03:00'))).toBe(`gemini ${text} since 02:51 (opus: Auth)`);
  });
});

test('a time says its date from a minute before it could be of today', () => {
  const text = (now: string): string => describeFallback(facts(), at(now));
  expect([text('2026-11-25T02:49'), text('2026-11-25T02:50')]).toEqual(['gemini 100% since 02:51 (opus: Auth)', 'gemini 100% since 2026-11-24 02:51 (opus: Auth)']);
});

describe('what a status said is read', () => {
  test.each<[string, string, string, ReturnType<typeof parseFallback>]>([
    ['of today', 'gemini 94% since 02:51 (opus: Auth)', '2026-11-24T09:00', { target: 'gemini', fault: 'Auth', sinceWallMs: at('2026-11-24T02:51') }],
    ['of yesterday, where that time is still to come', 'gemini 94% since 23:51 (opus: Auth)', '2026-11-24T09:00', { target: 'gemini', fault: 'Auth', sinceWallMs: at('2026-11-23T23:51') }],
    ['of its date', 'opus 60%, gemini 40% since 2026-11-01 02:51 (opus: Rate)', '2026-11-24T09:00', { target: 'opus', fault: 'Rate', sinceWallMs: at('2026-11-01T02:51') }],
    ['of nobody', 'none since 02:51 (opus: Auth, gemini: Timeout)', '2026-11-24T09:00', { target: null, fault: 'Auth', sinceWallMs: at('2026-11-24T02:51') }],
    ['of no fallback', 'opus', '2026-11-24T09:00', null],
    ['that somebody else wrote', 'all is well since 99:99 (', '2026-11-24T09:00', null],
    ['of the future, as after a clock was set back', 'gemini 1% since 2026-11-25 02:51 (opus: Auth)', '2026-11-24T09:00', null],
    ['with a date that is none', 'gemini 1% since 2026-99-99 02:51 (opus: Auth)', '2026-11-24T09:00', null],
  ])('%s', (_, text, now, told) => {
    expect(parseFallback(text, at(now))).toEqual(told);
  });
});

test('that nobody answers any more is another state, a share is not', () => {
  const [some, more, none, preferred] = ['gemini 94% since 02:51 (opus: Auth)', 'gemini 60%, unanswered 1% since 02:51 (opus: Rate)', 'none since 02:51 (opus: Auth)', 'opus'].map(servingState);
  expect([some === more, some === none, some === preferred]).toEqual([true, false, false]);
});

test('requests that nobody answers are told beside who answers', () => {
  const shares = [{ target: 'gemini', share: 0.9 }, { target: null, share: 0.1 }];
  expect(describeFallbackEvent(facts({ shares }), at('2026-11-24T03:00'))).toBe('gemini answers requests to chain chat in place of opus since 02:51 UTC (90% of them so far, 10% are not answered). opus: Auth (it refuses the key).');
});

test.each([['abc', 3, 'abc'], ['abcd', 3, 'ab…'], ['😀😀😀', 3, '😀😀😀'], ['😀😀😀😀', 3, '😀😀…']])('%s fits into %i characters as %s', (text, most, cut) => {
  expect(cutText(text, most)).toBe(cut);
});
