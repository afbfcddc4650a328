import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createHedgeBudget } from './create-hedge-budget.ts';

const noToken = 'no hedge token left';

describe('hedges of a chain', () => {
  test('start with one token, and get one per 10 s where there is little traffic', () => {
    const budget = createHedgeBudget(0.05);
    expect([budget.take(0), budget.take(1), budget.take(9_999), budget.take(10_000), budget.take(19_999), budget.take(20_000)]).toEqual([null, noToken, noToken, null, noToken, null]);
  });

  test('get the share of admitted requests, exactly', () => {
    const budget = createHedgeBudget(0.1);
    budget.take(0);
    const taken: (string | null)[] = [];
    for (let request = 1; request <= 20; request++) {
      budget.admitted(1);
      taken.push(budget.take(1));
      if (taken.at(-1) === null) budget.ended();
    }
    expect(taken.flatMap((answer, at) => (answer === null ? [at + 1] : []))).toEqual([10, 20]);
  });

  test('save up ten tokens and no more', () => {
    const budget = createHedgeBudget(1);
    for (let request = 0; request < 100; request++) budget.admitted(0);
    let granted = 0;
    while (budget.take(0) === null) {
      granted++;
      budget.ended();
    }
    expect(granted).toBe(10);
  });

  test('are at most three at once where there are few requests, 20 % where there are many', () => {
    const budget = createHedgeBudget(1);
    for (let request = 0; request < 10; request++) budget.admitted(0);
    expect([1, 2, 3, 4].map(() => budget.take(0))).toEqual([null, null, null, '3 hedges in flight already']);
    for (let request = 0; request < 10; request++) budget.admitted(0);
    expect([budget.take(0), budget.take(0)]).toEqual([null, '4 hedges in flight already']);
    for (let request = 0; request < 20; request++) budget.finished();
    budget.ended();
    expect(budget.take(0)).toBe('3 hedges in flight already');
    budget.ended();
    expect(budget.take(0)).toBeNull();
  });

  test('never start where the share is 0', () => {
    const budget = createHedgeBudget(0);
    budget.admitted(0);
    expect(budget.take(60_000)).toBe('extraRequests is 0%');
  });

  test('never exceed 1, the share and the floor together', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 10_000 }), fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 3_000 })), { maxLength: 300 }), (share, steps) => {
      const budget = createHedgeBudget(share / 10_000);
      let atMs = 0;
      let admitted = 0;
      let granted = 0;
      for (const [asks, pauseMs] of steps) {
        atMs += pauseMs;
        budget.admitted(atMs);
        admitted++;
        if (asks && budget.take(atMs) === null) {
          granted++;
          budget.ended();
        }
        budget.finished();
        expect(granted).toBeLessThanOrEqual(1 + (admitted * share) / 10_000 + atMs / 10_000 + 1e-9);
      }
    }));
  });
});
