import { expect, test } from '@jest/globals';
import { judge, type Trial } from './judge-serving.ts';
import type { Verdict } from './serving.ts';
import type { TrafficSecond } from './traffic.ts';

const targets = ['opus', 'gemini'].map((name) => ({ name })) as unknown as Trial['targets'];
const facts = { chain: 'chat', preferred: 'opus', target: 'gemini', shares: [{ target: 'gemini', share: 1 }], faults: [], sinceWallMs: 0 };
const fallback: Verdict = { state: 'fallback', preferred: 'opus', facts, told: { target: 'gemini', fault: 'Overload' } };

/** Requests that each target answered in a second of the clock. */
function second(at: number, served: Readonly<Record<string, number>>): TrafficSecond {
  const entries = Object.entries(served).map(([name, count]) => [name, { served: count, attempts: count, failures: 0, classes: new Map() }] as const);
  return { second: at, failed: 0, targets: new Map(entries) };
}

test.each<[string, readonly TrafficSecond[], boolean, string]>([
  ['is over by the only request of a minute, which the first target answered', [second(999, { opus: 1 })], false, 'preferred'],
  ['is not, while the first target cannot be asked', [second(999, { opus: 1 })], true, 'fallback'],
  ['is not by one request, where another one of the minute fell back', [second(960, { gemini: 1 }), second(999, { opus: 1 })], false, 'fallback'],
  ['is over by two', [second(990, { opus: 1 }), second(999, { opus: 1 })], false, 'preferred'],
])('a fallback %s', (_, seconds, preferredOut, state) => {
  expect(judge({ targets, seconds, preferredOut, nowMs: 1_000_000, wallMs: 1_000_000 }, fallback)).toMatchObject({ state });
});
