import { describe, expect, test } from '@jest/globals';
import { tellRun } from '../../../test/simulation/describe-run.ts';
import { attemptPlan, plannedTarget, quantiles } from '../../../test/simulation/made-up-plan.ts';
import type { UpstreamMove, World } from '../../../test/simulation/run-virtual.ts';
import { cut, fails, limits, says, silent, worldOf } from '../../../test/simulation/upstreams.ts';
import type { AttemptPlan } from './protocol.ts';

interface Case { readonly plan?: Partial<AttemptPlan>; readonly world: World; readonly told: readonly string[] }

const [a, b, c] = [plannedTarget('a'), plannedTarget('b'), plannedTarget('c')];
const racing: Partial<AttemptPlan> = { mode: 'Race', latencyBudgetMs: 2_000 };
const first = { prefer: 'First', hedgeDelayMs: null, raceable: true } as const;
const atOnce = { prefer: 'Primary', hedgeDelayMs: 0, raceable: true } as const;

function tell({ plan, world }: Case): string[] {
  return tellRun(attemptPlan({ ...racing, ...plan }), world);
}

const refusal = { status: 400, contentType: 'application/json', body: '{"error":{}}', requestId: null };

const hedges: Record<string, Case> = {
  'the primary answers before the hedge delay: nobody is asked': {
    world: worldOf({ a: [says(900)] }),
    told: ['0 start a Primary', '900 commit a', '1000 settle a Ok Ok', '1000 finish answered a'],
  },
  'cold, the hedge starts at half of the budget': {
    plan: { race: first },
    world: worldOf({ a: [says(5_000)], b: [says(300)] }),
    told: ['0 start a Primary', '1000 ask b', '1000 start b Hedge', '1300 cancel a', '1300 settle a Cancelled LowerBound', '1300 commit b', '1400 settle b Ok Ok', '1400 finish answered b'],
  },
  'a hedge delay of the manifest is kept': {
    plan: { race: { ...first, hedgeDelayMs: 400 } },
    world: worldOf({ a: [silent()], b: [says(300)] }),
    told: ['0 start a Primary', '400 ask b', '400 start b Hedge', '700 cancel a', '700 settle a Cancelled LowerBound', '700 commit b', '800 settle b Ok Ok', '800 finish answered b'],
  },
  'inside the budget the primary wins even if the hedge answered first; the loser that answered is well': {
    world: worldOf({ a: [says(1_900)], b: [says(300)] }),
    told: ['0 start a Primary', '1000 ask b', '1000 start b Hedge', '1900 cancel b', '1900 settle b Cancelled Ok', '1900 commit a', '2000 settle a Ok Ok', '2000 finish answered a'],
  },
  'once the budget is spent the first that answered commits': {
    world: worldOf({ a: [says(2_100)], b: [says(300, 2_000)] }),
    told: ['0 start a Primary', '1000 ask b', '1000 start b Hedge', '2000 cancel a', '2000 settle a Cancelled Timeout Failed', '2000 commit b', '3300 settle b Ok Ok', '3300 finish answered b'],
  },
  'an answer that was whole while it was held goes out at once when the budget is spent': {
    world: worldOf({ a: [silent()], b: [says(300)] }),
    told: ['0 start a Primary', '1000 ask b', '1000 start b Hedge', '2000 cancel a', '2000 settle a Cancelled Timeout Failed', '2000 commit b', '2000 settle b Ok Ok', '2000 finish answered b'],
  },
  'nobody answered within the budget: both run on, and the first answer wins, whoever it is': {
    world: worldOf({ a: [says(3_000)], b: [says(1_500)] }),
    told: ['0 start a Primary', '1000 ask b', '1000 start b Hedge', '2500 cancel a', '2500 settle a Cancelled Timeout Failed', '2500 commit b', '2600 settle b Ok Ok', '2600 finish answered b'],
  },
  'nobody answered within the budget: each that fails is replaced': {
    plan: { targets: [a, b, c] },
    world: worldOf({ a: [fails('Overload', 2_500)], b: [silent()], c: [says(300)] }),
    told: ['0 start a Primary', '1000 ask b', '1000 start b Hedge', '2500 settle a Failed Overload Failed', '2500 start c Fallback',
      '2800 cancel b', '2800 settle b Cancelled LowerBound', '2800 commit c', '2900 settle c Ok Ok', '2900 finish answered c'],
  },
  'a hedge that refuses leaves the answer to the primary': {
    plan: { targets: [a, b, c] },
    world: worldOf({ a: [says(1_800)], b: [fails('Content', 100, { answer: refusal })] }),
    told: ['0 start a Primary', '1000 ask b', '1000 start b Hedge', '1100 settle b Failed Content Soft', '1800 commit a', '1900 settle a Ok Ok', '1900 finish answered a'],
  },
  'a hedge that refused is not routed around when the primary fails': {
    plan: { targets: [a, b, c] },
    world: worldOf({ a: [fails('Overload', 1_800)], b: [fails('Content', 100, { answer: refusal })] }),
    told: ['0 start a Primary', '1000 ask b', '1000 start b Hedge', '1100 settle b Failed Content Soft', '1800 settle a Failed Overload Failed', '1800 finish failed 400'],
  },
  'a primary that refuses ends the race': {
    plan: { targets: [a, b, c] },
    world: worldOf({ a: [fails('Content', 1_200, { answer: refusal })], b: [says(900)] }),
    told: ['0 start a Primary', '1000 ask b', '1000 start b Hedge', '1200 settle a Failed Content Soft', '1200 cancel b', '1200 settle b Cancelled LowerBound', '1200 finish failed 400'],
  },
  'a hedge stays out of the failure domains that run': {
    plan: { targets: [a, plannedTarget('twin', { failureDomain: 'a' }), c], race: first },
    world: worldOf({ a: [silent()], c: [says(300)] }),
    told: ['0 start a Primary', '1000 ask c', '1000 start c Hedge', '1300 cancel a', '1300 settle a Cancelled LowerBound', '1300 commit c', '1400 settle c Ok Ok', '1400 finish answered c'],
  },
  'without another failure domain the race is a sequence with its budget': {
    plan: { targets: [a, plannedTarget('twin', { failureDomain: 'a' })] },
    world: worldOf({ a: [silent()], twin: [says(300)] }),
    told: ['0 start a Primary', '2000 cancel a', '2000 settle a Failed Timeout Failed', '2000 start twin Fallback', '2300 commit twin', '2400 settle twin Ok Ok', '2400 finish answered twin'],
  },
  'a denied hedge makes the request a sequence: at the budget it falls back': {
    world: worldOf({ a: [silent()], b: [says(300)] }, { hedge: () => 'no hedge token left' }),
    told: ['0 start a Primary', '1000 ask b', '2000 cancel a', '2000 settle a Failed Timeout Failed', '2000 start b Fallback', '2300 commit b', '2400 settle b Ok Ok', '2400 finish answered b'],
  },
  'after a denied hedge a warm chain falls back early enough for the next to make it': {
    plan: { targets: [plannedTarget('a', { quantiles: quantiles(200, { q95Ms: 500, hedgeMs: 600 }) }), plannedTarget('b', { quantiles: quantiles(200, { q90Ms: 1_200 }) })] },
    world: worldOf({ a: [silent()], b: [says(300)] }, { hedge: () => 'no hedge token left' }),
    told: ['0 start a Primary', '800 ask b', '800 cancel a', '800 settle a Failed Timeout Failed', '800 start b Fallback', '1100 commit b', '1200 settle b Ok Ok', '1200 finish answered b'],
  },
  'after a denied hedge a retry is alone': {
    world: worldOf({ a: [fails('Transient', 1_200), says(100)] }, { hedge: () => 'no hedge token left' }),
    told: ['0 start a Primary', '1000 ask b', '1200 settle a Failed Transient Failed', '1225 start a Retry', '1325 commit a', '1425 settle a Ok Ok', '1425 finish answered a'],
  },
  'a denied hedge never fails a request': {
    world: worldOf({ a: [says(1_500)] }, { hedge: () => 'no hedge token left' }),
    told: ['0 start a Primary', '1000 ask b', '1500 commit a', '1600 settle a Ok Ok', '1600 finish answered a'],
  },
  'a request that may not be raced is a sequence with its budget': {
    plan: { race: { ...first, raceable: false } },
    world: worldOf({ a: [silent()], b: [says(300)] }),
    told: ['0 start a Primary', '2000 cancel a', '2000 settle a Failed Timeout Failed', '2000 start b Fallback', '2300 commit b', '2400 settle b Ok Ok', '2400 finish answered b'],
  },
  'a hedge goes to no target whose breaker is half-open': {
    plan: { targets: [a, plannedTarget('half-open', { probe: true }), c], race: first },
    world: worldOf({ a: [silent()], c: [says(300)] }),
    told: ['0 start a Primary', '1000 ask c', '1000 start c Hedge', '1300 cancel a', '1300 settle a Cancelled LowerBound', '1300 commit c', '1400 settle c Ok Ok', '1400 finish answered c'],
  },
  'a primary that reasons is not silent: it is not hedged': {
    world: worldOf({ a: [[{ afterMs: 20, does: 'connect' }, { afterMs: 500, does: 'reason' }, { afterMs: 5_000, does: 'answer' }, { afterMs: 5_100, does: 'complete' }]] }),
    told: ['0 start a Primary', '5000 commit a', '5100 settle a Ok Ok', '5100 finish answered a'],
  },
};

describe('a race', () => {
  test.each(Object.entries(hedges))('%s', (_, one) => {
    expect(tell(one)).toEqual(one.told);
  });
});

const failures: Record<string, Case> = {
  'the next target starts at once when the primary fails, and nothing is hedged any more': {
    plan: { targets: [a, b, c] },
    world: worldOf({ a: [fails('Overload')], b: [says(1_500)] }),
    told: ['0 start a Primary', '50 settle a Failed Overload Failed', '50 start b Fallback', '1550 commit b', '1650 settle b Ok Ok', '1650 finish answered b'],
  },
  'a failure takes the next in order, of whichever failure domain': {
    plan: { targets: [a, plannedTarget('twin', { failureDomain: 'a' }), c] },
    world: worldOf({ a: [fails('Overload')], twin: [says(300)] }),
    told: ['0 start a Primary', '50 settle a Failed Overload Failed', '50 start twin Fallback', '350 commit twin', '450 settle twin Ok Ok', '450 finish answered twin'],
  },
  'the next target starts with the retry, and the first of the two to answer wins': {
    world: worldOf({ a: [fails('Transient'), says(100)], b: [says(300)] }),
    told: ['0 start a Primary', '50 settle a Failed Transient Failed', '50 start b Fallback', '75 start a Retry', '175 cancel b', '175 settle b Cancelled LowerBound', '175 commit a', '275 settle a Ok Ok', '275 finish answered a'],
  },
  "the primary's preference ends with its first failure: its retry does not hold the other's answer": {
    world: worldOf({ a: [fails('Transient'), says(1_000)], b: [says(300)] }),
    told: ['0 start a Primary', '50 settle a Failed Transient Failed', '50 start b Fallback', '75 start a Retry', '350 cancel a', '350 settle a Cancelled LowerBound', '350 commit b', '450 settle b Ok Ok', '450 finish answered b'],
  },
  'a retry that has not started yet does not when somebody answers': {
    world: worldOf({ a: [fails('Transient')], b: [says(10)] }),
    told: ['0 start a Primary', '50 settle a Failed Transient Failed', '50 start b Fallback', '60 commit b', '160 settle b Ok Ok', '160 finish answered b'],
  },
  'a held answer commits at once when the primary fails': {
    world: worldOf({ a: [fails('Transient', 1_500)], b: [says(300, 1_000)] }),
    told: ['0 start a Primary', '1000 ask b', '1000 start b Hedge', '1500 settle a Failed Transient Failed', '1500 commit b', '2300 settle b Ok Ok', '2300 finish answered b'],
  },
  'the primary fails while the hedge runs: it is not retried, and no second hedge starts': {
    plan: { targets: [a, b, c] },
    world: worldOf({ a: [fails('Transient', 1_500)], b: [says(700)] }),
    told: ['0 start a Primary', '1000 ask b', '1000 start b Hedge', '1500 settle a Failed Transient Failed', '1700 commit b', '1800 settle b Ok Ok', '1800 finish answered b'],
  },
  'a hedge that fails is replaced by the next in order while the primary runs': {
    plan: { targets: [a, b, c] },
    world: worldOf({ a: [silent()], b: [fails('Unreachable')], c: [says(100)] }),
    told: ['0 start a Primary', '1000 ask b', '1000 start b Hedge', '1050 settle b Failed Unreachable Failed', '1050 start c Fallback', '2000 cancel a', '2000 settle a Cancelled Timeout Failed', '2000 commit c', '2000 settle c Ok Ok', '2000 finish answered c'],
  },
  'a hedge that fails and has no next is tried again while the primary runs': {
    world: worldOf({ a: [silent()], b: [fails('Transient'), says(100)] }),
    told: ['0 start a Primary', '1000 ask b', '1000 start b Hedge', '1050 settle b Failed Transient Failed', '1075 start b Retry', '2000 cancel a', '2000 settle a Cancelled Timeout Failed', '2000 commit b', '2000 settle b Ok Ok', '2000 finish answered b'],
  },
  'a fallback alone has at most the budget of silence while another target remains': {
    plan: { targets: [a, b, c] },
    world: worldOf({ a: [fails('Overload')], b: [silent()], c: [says(100)] }),
    told: ['0 start a Primary', '50 settle a Failed Overload Failed', '50 start b Fallback', '2050 cancel b', '2050 settle b Failed Timeout Failed', '2050 start c Fallback', '2150 commit c', '2250 settle c Ok Ok', '2250 finish answered c'],
  },
  'Client from the primary goes back at once, whatever the hedge does': {
    world: worldOf({ a: [fails('Client', 1_500, { status: 400 })], b: [says(300)] }),
    told: ['0 start a Primary', '1000 ask b', '1000 start b Hedge', '1500 settle a Failed Client None', '1500 cancel b', '1500 settle b Cancelled Ok', '1500 finish failed 400'],
  },
  'Client from the hedge leaves the primary alone': {
    world: worldOf({ a: [says(1_500)], b: [fails('Client', 50, { status: 400 })] }),
    told: ['0 start a Primary', '1000 ask b', '1000 start b Hedge', '1050 settle b Failed Client None', '1500 commit a', '1600 settle a Ok Ok', '1600 finish answered a'],
  },
  'a half-open target is probed with the next beside it, so that no user pays': {
    plan: { targets: [plannedTarget('a', { probe: true }), b] },
    world: worldOf({ a: [fails('Overload', 200)], b: [says(300)] }),
    told: ['0 start a Probe', '0 start b Fallback', '200 settle a Failed Overload Failed', '300 commit b', '400 settle b Ok Ok', '400 finish answered b'],
  },
  'a half-open fallback is probed with the next beside it too': {
    plan: { targets: [a, plannedTarget('b', { probe: true }), c] },
    world: worldOf({ a: [fails('Overload')], b: [silent()], c: [says(300)] }),
    told: ['0 start a Primary', '50 settle a Failed Overload Failed', '50 start b Probe', '50 start c Fallback', '350 cancel b', '350 settle b Cancelled LowerBound', '350 commit c', '450 settle c Ok Ok', '450 finish answered c'],
  },
  'a limit that is waited out is waited for instead of starting the next': {
    plan: { rateLimitWaitUpToMs: 1_000 },
    world: worldOf({ a: [limits(500), says(100)] }),
    told: ['0 start a Primary', '50 settle a Failed Rate Out', '550 start a Wait', '650 commit a', '750 settle a Ok Ok', '750 finish answered a'],
  },
  'a client that leaves cancels both': {
    world: worldOf({ a: [silent()], b: [silent()] }, { clientLeavesAtMs: 1_200 }),
    told: ['0 start a Primary', '1000 ask b', '1000 start b Hedge', '1200 cancel a', '1200 settle a Cancelled ClientGone None', '1200 cancel b', '1200 settle b Cancelled ClientGone None', '1200 finish client-gone'],
  },
  'two silent ones end by their own timers, and the one that is left has 60 s': {
    world: worldOf({ a: [silent()], b: [silent()] }),
    told: ['0 start a Primary', '1000 ask b', '1000 start b Hedge', '10000 cancel a', '10000 settle a Failed Timeout Failed', '61000 cancel b', '61000 settle b Failed Timeout Failed', '61000 finish failed 503'],
  },
};

describe('a race in which somebody fails', () => {
  test.each(Object.entries(failures))('%s', (_, one) => {
    expect(tell(one)).toEqual(one.told);
  });
});

const late = (startMs: number): readonly UpstreamMove[] => [{ afterMs: 20, does: 'connect' }, { afterMs: startMs, does: 'answer' }];

const unary: Record<string, Case> = {
  'it is won at first content and committed when whole': {
    plan: { race: first },
    world: worldOf({ a: [silent()], b: [says(300, 4_000)] }),
    told: ['0 start a Primary', '1000 ask b', '1000 start b Hedge', '1300 cancel a', '1300 settle a Cancelled LowerBound', '5300 commit b', '5300 settle b Ok Ok', '5300 finish answered b'],
  },
  'a winner that breaks is a failed attempt, and the next starts': {
    plan: { race: first, targets: [a, b, c] },
    world: worldOf({ a: [silent()], b: [cut(300)], c: [says(200)] }),
    told: ['0 start a Primary', '1000 ask b', '1000 start b Hedge', '1300 cancel a', '1300 settle a Cancelled LowerBound', '1400 settle b Failed Transient Failed', '1400 start c Fallback', '1700 commit c', '1700 settle c Ok Ok', '1700 finish answered c'],
  },
  'a loser that was cancelled for a winner that broke has another chance': {
    plan: { race: first },
    world: worldOf({ a: [silent(), says(200)], b: [cut(300)] }),
    told: ['0 start a Primary', '1000 ask b', '1000 start b Hedge', '1300 cancel a', '1300 settle a Cancelled LowerBound', '1400 settle b Failed Transient Failed', '1400 start a Fallback', '1700 commit a', '1700 settle a Ok Ok', '1700 finish answered a'],
  },
  'a winner that stalls is a failed attempt': {
    plan: { race: first, targets: [a, b, c] },
    world: worldOf({ a: [silent()], b: [late(300)], c: [says(200)] }),
    told: ['0 start a Primary', '1000 ask b', '1000 start b Hedge', '1300 cancel a', '1300 settle a Cancelled LowerBound', '11300 cancel b', '11300 settle b Failed Timeout Failed', '11300 start c Fallback', '11600 commit c', '11600 settle c Ok Ok', '11600 finish answered c'],
  },
};

const losers: Record<string, Case> = {
  'silent for less than the budget: a lower bound': {
    plan: { race: { ...first, hedgeDelayMs: 1_900 } },
    world: worldOf({ a: [silent()], b: [says(90)] }),
    told: ['1990 cancel a', '1990 settle a Cancelled LowerBound'],
  },
  'silent for the whole budget: given up at it, and a Timeout to health, so that a dead target does not cost every race its budget': {
    plan: { race: { ...first, hedgeDelayMs: 1_900 } },
    world: worldOf({ a: [silent()], b: [says(200)] }),
    told: ['2100 cancel a', '2100 settle a Cancelled Timeout Failed'],
  },
  'silent for the whole of a budget below 2 s: a give-up too early to blame': {
    plan: { latencyBudgetMs: 1_000 },
    world: worldOf({ a: [silent()], b: [says(200)] }),
    told: ['1000 cancel a', '1000 settle a Cancelled Timeout LowerBound'],
  },
  'reasoning past the budget: slower, not silent': {
    world: worldOf({ a: [[{ afterMs: 20, does: 'connect' }, { afterMs: 1_500, does: 'reason' }]], b: [says(200)] }),
    told: ['2000 cancel a', '2000 settle a Cancelled LowerBound'],
  },
  'given up at the budget, it has no second chance when the winner breaks': {
    plan: { streamsToClient: false, targets: [a, b, c] },
    world: worldOf({ a: [silent()], b: [cut(500, 1_000)], c: [fails('Auth')] }),
    told: ['2000 cancel a', '2000 settle a Cancelled Timeout Failed'],
  },
};

describe('a loser', () => {
  test.each(Object.entries(losers))('%s', (_, one) => {
    expect(tell(one).filter((line) => /(cancel|settle) a/.test(line))).toEqual(one.told);
  });
});

describe('a race for a unary client', () => {
  test.each(Object.entries(unary))('%s', (_, one) => {
    expect(tell({ ...one, plan: { ...one.plan, streamsToClient: false } })).toEqual(one.told);
  });
});

describe('when the hedge starts', () => {
  const asked = (plan: Partial<AttemptPlan>): string | undefined =>
    tell({ plan, world: worldOf({ a: [silent()], b: [says(10)] }), told: [] }).find((line) => line.includes('ask'));
  const warm = (hedgeMs: number, q90OfB: number): Partial<AttemptPlan> =>
    ({ targets: [plannedTarget('a', { quantiles: quantiles(300, { hedgeMs }) }), plannedTarget('b', { quantiles: quantiles(300, { q90Ms: q90OfB }) })] });

  test.each<[string, Partial<AttemptPlan>, string]>([
    ["warm, at the primary's own quantile", { ...warm(900, 1_500), race: first }, '900 ask b'],
    ['never before 250 ms', { ...warm(90, 1_900), race: first }, '250 ask b'],
    ['never after the budget', { ...warm(9_000, 500), race: first }, '2000 ask b'],
    ['under prefer Primary not before b would be ready at the end of the budget', warm(300, 500), '1500 ask b'],
    ['under prefer Primary at the quantile where b is slow', warm(900, 1_500), '900 ask b'],
    ['cold b: half of the budget', { targets: [plannedTarget('a', { quantiles: quantiles(300) }), b] }, '1000 ask b'],
    ['a delay of the manifest is cut to the budget', { race: { ...first, hedgeDelayMs: 5_000 } }, '2000 ask b'],
    ['a delay of 0s races both from the start', { race: atOnce }, '0 ask b'],
    ['without a budget after 1 s', { latencyBudgetMs: null }, '1000 ask b'],
  ])('%s', (_, plan, line) => {
    expect(asked(plan)).toBe(line);
  });
});
