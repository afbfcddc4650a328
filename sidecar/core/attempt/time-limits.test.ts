import { describe, expect, test } from '@jest/globals';
import { tellRun } from '../../../test/simulation/describe-run.ts';
import { attemptPlan, plannedTarget, quantiles } from '../../../test/simulation/made-up-plan.ts';
import { runVirtual, type World } from '../../../test/simulation/run-virtual.ts';
import { fails, says, silent, worldOf } from '../../../test/simulation/upstreams.ts';
import type { PlannedTarget } from './protocol.ts';

const cold = (name: string): PlannedTarget => plannedTarget(name);
const warm = (name: string, q: Parameters<typeof quantiles>[1]): PlannedTarget => plannedTarget(name, { quantiles: quantiles(300, q) });
const everyoneSilent = worldOf({ a: [silent()], b: [silent()], c: [silent()] });

/** Who starts when, in sequence with a budget of 2 s. */
function starts(targets: readonly PlannedTarget[], world: World, latencyBudgetMs: number | null = 2_000): string[] {
  return tellRun(attemptPlan({ latencyBudgetMs, targets }), world).filter((line) => line.includes('start')).map((line) => line.replace(/ [A-Z]\w+$/, ''));
}

describe('a silent target is given up for the latency budget', () => {
  test.each<[string, readonly PlannedTarget[], string[]]>([
    ['cold: at the budget; once it is spent each further target but the last has as much again', [cold('a'), cold('b'), cold('c')], ['0 start a', '2000 start b', '4000 start c']],
    ['warm: early enough for the next to make it', [warm('a', { q95Ms: 500 }), warm('b', { q90Ms: 800 })], ['0 start a', '1200 start b']],
    ['a target that is merely usual is not cut', [warm('a', { q95Ms: 1_700 }), warm('b', { q90Ms: 800 })], ['0 start a', '1700 start b']],
    ['but never later than the budget', [warm('a', { q95Ms: 7_000 }), warm('b', { q90Ms: 800 })], ['0 start a', '2000 start b']],
    ['an unknown q90 of the next counts as nothing', [warm('a', { q95Ms: 500 }), cold('b')], ['0 start a', '2000 start b']],
    ['an unknown q95 of its own counts as the budget', [cold('a'), warm('b', { q90Ms: 800 })], ['0 start a', '2000 start b']],
    ['a next that needs more than the budget leaves the own q95', [warm('a', { q95Ms: 500 }), warm('b', { q90Ms: 9_000 })], ['0 start a', '500 start b']],
  ])('%s', (_, targets, want) => {
    expect(starts(targets, everyoneSilent)).toEqual(want);
  });

  test.each<[string, World, string[]]>([
    ['a fallback that started inside the budget gives way when it is spent', worldOf({ a: [fails('Overload', 900)], b: [silent()], c: [says(1)] }), ['0 start a', '900 start b', '2000 start c']],
    ['with hardly any of it left, a fallback has as much again', worldOf({ a: [fails('Overload', 1_900)], b: [silent()], c: [says(1)] }), ['0 start a', '1900 start b', '3900 start c']],
  ])('%s', (_, world, want) => {
    expect(starts([cold('a'), cold('b'), cold('c')], world)).toEqual(want);
  });

  test('a last target is not cut by it', () => {
    expect(tellRun(attemptPlan({ latencyBudgetMs: 2_000, targets: [cold('a')] }), worldOf({ a: [says(30_000)] })).at(-1)).toBe('30100 finish answered a');
  });

  test('without a budget the first-content timer alone moves on', () => {
    expect(starts([cold('a'), cold('b')], everyoneSilent, null)).toEqual(['0 start a', '10000 start b']);
  });

  test('first content ends it: a slow stream runs on', () => {
    expect(starts([cold('a'), cold('b')], worldOf({ a: [says(1_900, 9_000)] }))).toEqual(['0 start a']);
  });

  test('reasoning ends it too', () => {
    expect(starts([cold('a'), cold('b')], worldOf({ a: [[{ afterMs: 20, does: 'connect' }, { afterMs: 1_900, does: 'reason' }, { afterMs: 8_000, does: 'answer' }, { afterMs: 8_001, does: 'complete' }]] }))).toEqual(['0 start a']);
  });
});

describe('what health hears of a give-up', () => {
  const health = (budget: number, targets: readonly PlannedTarget[]): unknown => {
    const { moments } = runVirtual(attemptPlan({ latencyBudgetMs: budget, targets }), everyoneSilent);
    return moments.flatMap(({ effects }) => effects).find((effect) => effect.type === 'settle-attempt')?.settlement;
  };

  test.each<[string, number, readonly PlannedTarget[], string]>([
    ['cold, before 2 s it is a lower bound: a client in a hurry opens nothing for others', 1_900, [cold('a'), cold('b')], 'LowerBound'],
    ['cold, from 2 s on it is a Timeout', 2_000, [cold('a'), cold('b')], 'Failed'],
    ['warm, before its q99 it is a lower bound', 3_000, [warm('a', { q99Ms: 3_100 }), cold('b')], 'LowerBound'],
    ['warm, from its q99 on it is a Timeout', 3_000, [warm('a', { q99Ms: 2_900 }), cold('b')], 'Failed'],
  ])('%s', (_, budget, targets, word) => {
    expect(health(budget, targets)).toMatchObject({ outcome: 'Failed', failure: { class: 'Timeout', silent: true, detail: `silent ${(budget / 1000).toFixed(1)} s` }, health: word });
  });

  test('headers that came are said, and are no silence', () => {
    const { moments } = runVirtual(attemptPlan({ latencyBudgetMs: 2_000 }), worldOf({ a: [silent(true)], b: [says(1)] }));
    expect(moments.flatMap(({ effects }) => effects).find((effect) => effect.type === 'settle-attempt')?.settlement.failure)
      .toMatchObject({ silent: false, detail: 'no content in 2.0 s' });
  });
});
