import { expect, test } from '@jest/globals';
import { leafStep, type LeafSituation } from './leaf-step.ts';
import type { CertificateFacts } from './lifetimes.ts';

const day = 24 * 60 * 60_000;
const ours = authority('ours');
const leaf = { issuer: ours, notBeforeMs: 0, notAfterMs: 9 * day };

test.each<[string, Partial<LeafSituation>, object]>([
  ['a replica without a leaf signs at once', { leaf: null }, { kind: 'sign' }],
  ['a leaf is used for two thirds of its life', { nowMs: 5 * day }, { kind: 'wait', untilMs: 6 * day }],
  ['and renewed then', { nowMs: 6 * day }, { kind: 'sign' }],
  ['a CA that has come in is waited for until others can have seen it', { signing: authority('other'), settledMs: day + 100, nowMs: day + 99 }, { kind: 'wait', untilMs: day + 100 }],
  ['and signs then', { signing: authority('other'), settledMs: day + 100, nowMs: day + 100 }, { kind: 'sign' }],
  ['a CA that has been known for long signs as soon as it is its turn', { signing: authority('other'), settledMs: 100, nowMs: day }, { kind: 'sign' }],
  ['but a leaf that expires meanwhile waits for nobody', { signing: authority('other'), settledMs: 9 * day + 99, nowMs: 9 * day - 1 }, { kind: 'wait', untilMs: 9 * day }],
  ['a leaf of a clock that was ahead, and was set back, is replaced at once', { leaf: { ...leaf, notBeforeMs: 100 }, nowMs: 99 }, { kind: 'sign' }],
  ['and serves from the moment on at which it is valid', { leaf: { ...leaf, notBeforeMs: 100 }, nowMs: 100 }, { kind: 'wait', untilMs: 100 + (9 * day - 100) * 2 / 3 }],
  ['and is renewed when it has', { signing: authority('other'), settledMs: 9 * day + 99, nowMs: 9 * day }, { kind: 'sign' }],
])('%s', (_, situation, step) => {
  expect(leafStep({ nowMs: 0, leaf, signing: ours, settledMs: 100, ...situation })).toEqual(step);
});

function authority(id: string): CertificateFacts {
  return { id, notBeforeMs: 0, notAfterMs: 365 * day };
}
