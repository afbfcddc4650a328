import { expect, test } from '@jest/globals';
import { tellRun } from '../../../test/simulation/describe-run.ts';
import { attemptPlan, plannedTarget, quantiles } from '../../../test/simulation/made-up-plan.ts';
import type { World } from '../../../test/simulation/run-virtual.ts';
import { fails, limits, says, worldOf } from '../../../test/simulation/upstreams.ts';
import type { AttemptPlan } from './protocol.ts';

const [a, b, c] = [plannedTarget('a'), plannedTarget('b'), plannedTarget('c')];
const starts = (plan: Partial<AttemptPlan>, world: World): string[] =>
  tellRun(attemptPlan(plan), world).filter((line) => / (start|finish) /.test(line));

test.each<[string, Partial<AttemptPlan>, World, string[]]>([
  ['a transient failure is tried again on the same target within 50 ms, then the next one starts',
    {}, worldOf({ a: [fails('Transient')], b: [says(100)] }),
    ['0 start a Primary', '75 start a Retry', '125 start b Fallback', '325 finish answered b']],
  ['full jitter may be nothing at all',
    {}, worldOf({ a: [fails('Transient'), says(100)] }, { random: () => 0 }),
    ['0 start a Primary', '50 start a Retry', '250 finish answered a']],
  ['retries: 0 moves on at once',
    { retries: 0 }, worldOf({ a: [fails('Transient')], b: [says(100)] }),
    ['0 start a Primary', '50 start b Fallback', '250 finish answered b']],
  ['the jitter doubles with each retry, once no wait can follow',
    { retries: 2, targets: [a, b, c] },
    worldOf({ a: [fails('Auth')], b: [fails('Transient'), fails('Transient'), says(100)] }),
    ['0 start a Primary', '50 start b Fallback', '125 start b Retry', '225 start b Retry', '425 finish answered b']],
  ['the cap of two more than targets shortens retries, never a first try, and keeps one for the wait',
    { retries: 3, targets: [a, b, c] },
    worldOf({ a: [fails('Transient')], b: [fails('Transient')], c: [fails('Transient')] }),
    ['0 start a Primary', '75 start a Retry', '125 start b Fallback', '175 start c Fallback', '1225 start b Wait', '1275 finish failed 503']],
  ['a probe is never retried',
    { targets: [plannedTarget('a', { probe: true }), b] }, worldOf({ a: [fails('Transient')], b: [says(100)] }),
    ['0 start a Probe', '50 start b Fallback', '250 finish answered b']],
  ['there is no retry without time for the target to answer, while another one remains',
    { deadlineMs: 900, targets: [plannedTarget('a', { quantiles: quantiles(860) }), b] },
    worldOf({ a: [fails('Transient')], b: [says(100)] }),
    ['0 start a Primary', '50 start b Fallback', '250 finish answered b']],
  ['a Retry-After of at most waitUpTo is waited out on the same target',
    { rateLimitWaitUpToMs: 2_000 }, worldOf({ a: [limits(2_000), says(100)] }),
    ['0 start a Primary', '2050 start a Wait', '2250 finish answered a']],
  ['a longer Retry-After moves on',
    { rateLimitWaitUpToMs: 2_000 }, worldOf({ a: [limits(2_001)], b: [says(100)] }),
    ['0 start a Primary', '50 start b Fallback', '250 finish answered b']],
  ['a Rate that does not say when it ends moves on',
    { rateLimitWaitUpToMs: 2_000 }, worldOf({ a: [limits()], b: [says(100)] }),
    ['0 start a Primary', '50 start b Fallback', '250 finish answered b']],
  ['a limit is waited out only with a retry left',
    { rateLimitWaitUpToMs: 2_000, retries: 0 }, worldOf({ a: [limits(1_000)], b: [says(100)] }),
    ['0 start a Primary', '50 start b Fallback', '250 finish answered b']],
  ['a limit is not waited out past the budget while another target could keep it',
    { rateLimitWaitUpToMs: 2_000, latencyBudgetMs: 1_500 }, worldOf({ a: [limits(1_500)], b: [says(100)] }),
    ['0 start a Primary', '50 start b Fallback', '250 finish answered b']],
  ['a limit is not waited out past the deadline',
    { rateLimitWaitUpToMs: 2_000, deadlineMs: 1_500 }, worldOf({ a: [limits(1_500)], b: [says(100)] }),
    ['0 start a Primary', '50 start b Fallback', '250 finish answered b']],
])('%s', (_, plan, world, told) => {
  expect(starts(plan, world)).toEqual(told);
});
