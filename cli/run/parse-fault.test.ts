import { expect, test } from '@jest/globals';
import { describeFault, parseFault } from './parse-fault.ts';

test.each([
  ['opus=500', { target: 'opus', kind: '500', share: 1 }, 'opus answers 500 in every attempt'],
  ['gemini=silent@50%', { target: 'gemini', kind: 'silent', share: 0.5 }, 'gemini stays silent in 50% of attempts'],
  ['a=429@0.5%', { target: 'a', kind: '429', share: 0.005 }, 'a answers 429 in 0.5% of attempts'],
  ['a=b=cut', { target: 'a=b', kind: 'cut', share: 1 }, 'a=b breaks off in mid-answer in every attempt'],
])('%s is understood and said back', (text, fault, sentence) => {
  const result = parseFault(text);
  expect(result).toEqual({ ok: true, value: fault });
  expect(result.ok && describeFault(result.value)).toBe(sentence);
});

test.each([
  ['opus', 'must be TARGET=KIND or TARGET=KIND@SHARE, such as opus=500 or opus=silent@50%, not "opus"'],
  ['=500', 'must be TARGET=KIND'],
  ['opus=502', 'knows no fault "502" for target opus: it must be one of 500, 429, refused, silent, stall, cut'],
  ['opus=', 'knows no fault ""'],
  ['opus=500@2', 'must be a percentage such as 5% or 99.8%, not "2"'],
  ['opus=500@5%@6%', 'must be TARGET=KIND'],
])('%s is refused with what would be right', (text, message) => {
  expect(parseFault(text)).toMatchObject({ ok: false, problems: [{ message: expect.stringContaining(message) }] });
});
