import { describe, expect, test } from '@jest/globals';
import type { FailureClass } from '@belay/contract';
import { targetEntry } from '../../../test/support/made-up-table.ts';
import { judge, type Trial } from './judge-serving.ts';
import type { Verdict } from './serving.ts';
import type { TargetTraffic, TrafficSecond } from './traffic.ts';

const nowMs = 100_000;
const did = (served: number, failures = 0, failure: FailureClass = 'Timeout'): TargetTraffic => ({ served, attempts: served + failures, failures, classes: new Map(failures === 0 ? [] : [[failure, failures]]) });
const second = (targets: { readonly [name: string]: TargetTraffic }, failed = 0, atSecond = 99): TrafficSecond => ({ second: atSecond, failed, targets: new Map(Object.entries(targets)) });
const trial = (seconds: readonly TrafficSecond[], more: Partial<Trial> = {}): Trial => ({ targets: [targetEntry('opus'), targetEntry('gemini'), targetEntry('local')], seconds, preferredOut: false, nowMs, wallMs: nowMs, ...more });
const preferred: Verdict = { state: 'preferred', preferred: 'opus' };
const fallback = (target: string | null): Verdict => ({ state: 'fallback', preferred: 'opus', facts: { chain: 'chat', preferred: 'opus', target, shares: [], faults: [], sinceWallMs: 90_000 }, told: { target, fault: '' } });
const wordOf = (one: Trial, last: Verdict | null = null): string | null => {
  const judgement = judge(one, last);
  return judgement === null ? null : judgement.state === 'preferred' ? 'preferred' : `fallback to ${judgement.target}`;
};

describe('before anything was said', () => {
  test.each<[string, readonly TrafficSecond[], string | null]>([
    ['one request that the first target answered is enough', [second({ opus: did(1) })], 'preferred'],
    ['one that another answered is not', [second({ opus: did(0, 1), gemini: did(1) })], null],
    ['two that another answered, as the first failed, are', [second({ opus: did(0, 2), gemini: did(2) })], 'fallback to gemini'],
    ['two that another answered, as the first was never asked, too', [second({ gemini: did(2) })], 'fallback to gemini'],
    ['races that another won are no fallback', [second({ opus: { ...did(0), attempts: 2 }, gemini: did(2) })], 'preferred'],
  ])('%s', (_, seconds, word) => {
    expect(wordOf(trial(seconds))).toBe(word);
  });
});

describe('while the first target serves', () => {
  test.each<[string, readonly TrafficSecond[], string]>([
    ['a fifth of the requests that it lost begin a fallback', [second({ opus: did(8, 2), gemini: did(2) })], 'fallback to opus'],
    ['fewer do not', [second({ opus: did(9, 2), gemini: did(2) })], 'preferred'],
    ['one does not, of however few', [second({ opus: did(1, 1), gemini: did(1) })], 'preferred'],
  ])('%s', (_, seconds, word) => {
    expect(wordOf(trial(seconds), preferred)).toBe(word);
  });

  test.each<[string, readonly TrafficSecond[], string]>([
    ['one request that went past it begins a fallback', [second({ opus: did(9) }, 0, 86), second({ gemini: did(1) })], 'fallback to gemini'],
    ['none that went past it begins none', [second({ opus: did(9) })], 'preferred'],
    ['it is not named as who answers', [second({ opus: did(9), gemini: did(4) })], 'fallback to gemini'],
  ])('and then cannot be asked, %s', (_, seconds, word) => {
    expect(wordOf(trial(seconds, { preferredOut: true }), preferred)).toBe(word);
  });

  test('a fallback counts from its first request, and never from the future', () => {
    expect(judge(trial([second({ opus: did(5) }, 0, 97), second({ opus: did(0, 5), gemini: did(5) }, 0, 98)]), preferred)).toMatchObject({ sinceMs: 98_000, sinceWallMs: 98_000 });
    expect(judge(trial([second({ opus: did(0, 5), gemini: did(5) }, 0, 101)]), preferred)).toMatchObject({ sinceMs: nowMs, sinceWallMs: nowMs });
  });
});

describe('while another serves', () => {
  test.each<[string, string | null, readonly TrafficSecond[], string]>([
    ['it is over at a twentieth that the first target loses', 'gemini', [second({ opus: did(19), gemini: did(1) })], 'preferred'],
    ['not at more', 'gemini', [second({ opus: did(94), gemini: did(6) })], 'fallback to opus'],
    ['by the only request of a minute, which the first target answered', 'gemini', [second({ opus: did(1) })], 'preferred'],
    ['not by one, where another of the minute went past it', 'gemini', [second({ gemini: did(1) }, 0, 60), second({ opus: did(1) })], 'fallback to gemini'],
    ['who answers most of at least two takes over', 'gemini', [second({ gemini: did(1), local: did(3) })], 'fallback to local'],
    ['who answers one does not', 'gemini', [second({ local: did(1) })], 'fallback to gemini'],
    ['who answers half does not', 'gemini', [second({ gemini: did(2), local: did(2) })], 'fallback to gemini'],
    ['nor the earlier of two that do', 'local', [second({ gemini: did(2), local: did(2) })], 'fallback to local'],
    ['nobody does, where nobody answers', 'gemini', [second({ gemini: did(0, 3) }, 3)], 'fallback to null'],
  ])('%s', (_, target, seconds, word) => {
    expect(wordOf(trial(seconds), fallback(target))).toBe(word);
  });

  test('the only request of a minute ends nothing while the first target cannot be asked', () => {
    expect(wordOf(trial([second({ opus: did(1) })], { preferredOut: true }), fallback('gemini'))).toBe('fallback to gemini');
  });

  test('what came before it counts no more', () => {
    expect(wordOf(trial([second({ local: did(9) }, 0, 88), second({ gemini: did(2) })]), fallback('gemini'))).toBe('fallback to gemini');
  });
});
