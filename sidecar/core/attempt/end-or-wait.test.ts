import { expect, test } from '@jest/globals';
import { tellRun } from '../../../test/simulation/describe-run.ts';
import { attemptPlan, plannedTarget } from '../../../test/simulation/made-up-plan.ts';
import type { World } from '../../../test/simulation/run-virtual.ts';
import { fails, limits, says, silent, worldOf } from '../../../test/simulation/upstreams.ts';
import type { AttemptPlan } from './protocol.ts';

const [a, local] = [plannedTarget('a'), plannedTarget('local', { local: true })];
const starts = (plan: Partial<AttemptPlan>, world: World): string[] =>
  tellRun(attemptPlan(plan), world).filter((line) => / (start|poll|finish) /.test(line));

test.each<[string, Partial<AttemptPlan>, World, string[]]>([
  ['where all failed by what passes, the target that returns first is waited for and tried again',
    {}, worldOf({ a: [limits(5_000)], b: [limits(3_000), says(100)] }),
    ['0 start a Primary', '50 start b Fallback', '3100 start b Wait', '3300 finish answered b']],
  ['a Retry-After runs from when it was told',
    {}, worldOf({ a: [limits(3_000), says(100)], b: [fails('Unreachable', 1_000)] }),
    ['0 start a Primary', '50 start b Fallback', '3050 start a Wait', '3250 finish answered a']],
  ['one second is waited where nobody said when',
    {}, worldOf({ a: [fails('Overload'), says(100)], b: [fails('Unreachable')] }),
    ['0 start a Primary', '50 start b Fallback', '1100 start a Wait', '1300 finish answered a']],
  ['a return in more than 10 s is not waited for',
    {}, worldOf({ a: [limits(10_101)], b: [limits(60_000)] }),
    ['0 start a Primary', '50 start b Fallback', '100 finish failed 429 retry-after 10051']],
  ['a target that did not say when is waited for where the others are too far off',
    {}, worldOf({ a: [limits(60_000)], b: [fails('Overload'), says(100)] }),
    ['0 start a Primary', '50 start b Fallback', '1100 start b Wait', '1300 finish answered b']],
  ["it is not waited past the client's own timeout",
    { clientTimeoutMs: 1_000 }, worldOf({ a: [fails('Overload')], b: [fails('Overload')] }),
    ['0 start a Primary', '50 start b Fallback', '100 finish failed 503']],
  ['it is not waited past the deadline',
    { deadlineMs: 1_000 }, worldOf({ a: [fails('Overload')], b: [fails('Overload')] }),
    ['0 start a Primary', '50 start b Fallback', '100 finish failed 503']],
  ['it is waited once',
    {}, worldOf({ a: [fails('Overload')], b: [fails('Overload')] }),
    ['0 start a Primary', '50 start b Fallback', '1100 start a Wait', '1150 finish failed 503']],
  ['nothing is waited for where one failed by what does not pass',
    {}, worldOf({ a: [fails('Overload')], b: [fails('Auth', 50, { status: 401 })] }),
    ['0 start a Primary', '50 start b Fallback', '100 finish failed 503']],
  ['a target that timed out is never tried again',
    { latencyBudgetMs: 1_000 }, worldOf({ a: [silent()], b: [fails('Overload')] }),
    ['0 start a Primary', '1000 start b Fallback', '1050 finish failed 503']],
  ['an oversize Rate is not waited for: the request stays as large as it is',
    {}, worldOf({ a: [fails('Rate', 50, { status: 429, oversize: true })], b: [fails('Overload'), says(100)] }),
    ['0 start a Primary', '50 start b Fallback', '1100 start b Wait', '1300 finish answered b']],
  ['a probe is not what is waited for',
    { targets: [plannedTarget('a', { probe: true }), plannedTarget('b')] }, worldOf({ a: [fails('Overload')], b: [fails('Overload'), says(100)] }),
    ['0 start a Probe', '50 start b Fallback', '1100 start b Wait', '1300 finish answered b']],
  ['one target alone has a retry and the wait: three attempts, as an SDK would make',
    { targets: [a] }, worldOf({ a: [fails('Transient'), fails('Transient'), says(100)] }),
    ['0 start a Primary', '75 start a Retry', '1125 start a Wait', '1325 finish answered a']],
  ['a model that loads is polled where it is the last, and goes on when it is ready',
    { targets: [a, local] }, worldOf({ a: [fails('Overload')], local: [fails('Loading'), says(100)] }, { readyAtMs: 5_000 }),
    ['0 start a Primary', '50 start local Fallback', '100 poll local', '5000 start local Wait', '5200 finish answered local']],
  ['a model that loads is waited for also where it was not the last in order',
    { targets: [local, a] }, worldOf({ a: [fails('Overload')], local: [fails('Loading'), says(100)] }, { readyAtMs: 5_000 }),
    ['0 start local Primary', '50 start a Fallback', '100 poll local', '5000 start local Wait', '5200 finish answered local']],
  ['retries elsewhere never cost a loading model its turn',
    { targets: [a, plannedTarget('b'), local], retries: 3 },
    worldOf({ a: [fails('Auth')], b: [fails('Transient')], local: [fails('Loading'), says(100)] }, { readyAtMs: 5_000 }),
    ['0 start a Primary', '50 start b Fallback', '125 start b Retry', '225 start b Retry', '275 start local Fallback', '325 poll local', '5000 start local Wait', '5200 finish answered local']],
  ['a model that loads for ever is bounded by the deadline',
    { targets: [local], deadlineMs: 20_000 }, worldOf({ local: [fails('Loading')] }),
    ['0 start local Primary', '50 poll local', '20000 finish failed 504']],
  ['a model that keeps loading after it said it was ready is not asked for ever',
    { targets: [local] }, worldOf({ local: [fails('Loading')] }, { readyAtMs: 1_000 }),
    ['0 start local Primary', '50 poll local', '1000 start local Wait', '1050 poll local', '1050 start local Wait', '1100 poll local', '1100 start local Wait', '1150 finish failed 503']],
])('%s', (_, plan, world, told) => {
  expect(starts(plan, world)).toEqual(told);
});
