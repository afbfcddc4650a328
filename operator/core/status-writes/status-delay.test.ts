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
