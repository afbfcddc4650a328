import { expect, test } from '@jest/globals';
import { statusDelay, type ResourceStatus, type StatusCondition } from './status-delay.ts';

const ready: StatusCondition = { type: 'Ready', status: 'True', reason: 'Ready', message: 'It can answer.', observedGeneration: 1, lastTransitionTime: '2026-01-01T00:00:00Z' };
const accepted: StatusCondition = { ...ready, type: 'Accepted' };
const status = (more: object = {}): ResourceStatus => ({ observedGeneration: 1, conditions: [accepted, ready], ...more });

test.each<readonly [string, ResourceStatus | null, ResourceStatus, number, number | null]>([
  ['a first status is written at once', null, status(), 0, 0],
  ['the same status is not written', status(), status(), 99_000, null],
  ['the same conditions in another order are not written', status(), status({ conditions: [ready, accepted] }), 99_000, null],
  ['a condition that turned is written at once', status(), status({ conditions: [accepted, { ...ready, status: 'False' }] }), 0, 0],
  ['a condition with other words is written at once', status(), status({ conditions: [accepted, { ...ready, message: 'Another.' }] }), 0, 0],
  ['a condition that is no more is written at once', status(), status({ conditions: [accepted] }), 0, 0],
  ['another generation is written at once', status(), status({ observedGeneration: 2 }), 0, 0],
  ['a counter right after a write waits for the rest of 10 s', status({ sidecars: { connected: 1 } }), status({ sidecars: { connected: 2 } }), 3_000, 7_000],
  ['a fallback that begins is written at once', status({ serving: 'opus' }), status({ serving: 'gemini 100% since 02:51 (opus: Auth)' }), 0, 0],
  ['a fallback that ends is written at once', status({ serving: 'gemini 100% since 02:51 (opus: Auth)' }), status({ serving: 'opus' }), 0, 0],
  ['a fallback that nobody answers any more is written at once', status({ serving: 'gemini 100% since 02:51 (opus: Auth)' }), status({ serving: 'none since 02:51 (opus: Auth, gemini: Auth)' }), 0, 0],
  ['a share of a fallback waits as counters do', status({ serving: 'gemini 94% since 02:51 (opus: Auth)' }), status({ serving: 'opus 60%, gemini 40% since 02:51 (opus: Auth)' }), 3_000, 7_000],
  ['a counter 10 s after a write is written at once', status({ sidecars: { connected: 1 } }), status({ sidecars: { connected: 2 } }), 10_000, 0],
])('%s', (_, before, wanted, sinceMs, delayMs) => {
  expect(statusDelay(before, wanted, sinceMs)).toBe(delayMs);
});

const written = status({ serving: 'opus' });
const spoiled = status({ conditions: [{ ...ready, status: 'False', message: 'Somebody else says so.' }], serving: 'opus' });

test.each<readonly [string, ResourceStatus | null, ResourceStatus, number, number | null]>([
  ['somebody overwrote: the same again waits for the rest of 10 s', spoiled, written, 1, 9_999],
  ['somebody emptied: the same', null, written, 4_000, 6_000],
  ['somebody overwrote long after: the same again is written at once', spoiled, written, 10_000, 0],
  ['somebody overwrote the times alone: the same', status({ conditions: [accepted, { ...ready, lastTransitionTime: '2026-02-02T00:00:00Z' }], serving: 'opus' }), written, 1, 9_999],
  ['somebody overwrote, and a condition has turned since: at once', spoiled, status({ conditions: [accepted, { ...ready, status: 'False', message: 'Another.' }], serving: 'opus' }), 1, 0],
  ['nobody overwrote, and a condition turned: at once', written, status({ conditions: [accepted, { ...ready, status: 'False' }], serving: 'opus' }), 1, 0],
  ['what stands says just what is wanted, whoever wrote it: nothing', spoiled, spoiled, 1, null],
])('where this process has written already and %s', (_, before, wanted, sinceMs, delayMs) => {
  expect(statusDelay(before, wanted, sinceMs, written)).toBe(delayMs);
});
