import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { brokenSafety } from '../../../test/simulation/check-invariants.ts';
import { attemptPlan, plannedTarget, quantiles } from '../../../test/simulation/made-up-plan.ts';
import type { Moment } from '../../../test/simulation/run-virtual.ts';
import { seededRandom } from '../../../test/support/seeded-random.ts';
import { failureClasses } from '@belay/contract';
import { failure } from '../failure/failure.ts';
import type { AttemptEvent, AttemptPlan, PlannedTarget, TimedEvent, TimerName } from './protocol.ts';
import { beginRequest, step } from './step.ts';

const anyTarget = fc.record({
  failureDomain: fc.constantFrom('x', 'y', 'z'),
  local: fc.boolean(),
  probe: fc.boolean(),
  contextTokens: fc.constantFrom(null, 4_096, 32_768),
  quantiles: fc.option(fc.integer({ min: 10, max: 5_000 }).map((q50Ms) => quantiles(q50Ms))),
});

const anyPlan: fc.Arbitrary<AttemptPlan> = fc.record({
  mode: fc.constantFrom('Sequential', 'Race'),
  latencyBudgetMs: fc.option(fc.integer({ min: 1, max: 5_000 })),
  targets: fc.array(anyTarget, { minLength: 1, maxLength: 4 }).map((all) => all.map((more, index): PlannedTarget => plannedTarget(`t${index}`, more))),
  deadlineMs: fc.integer({ min: 1_000, max: 60_000 }),
  retries: fc.integer({ min: 0, max: 3 }),
  streamsToClient: fc.boolean(),
  prefer: fc.constantFrom('Primary', 'First'),
  rateLimitWaitUpToMs: fc.constantFrom(0, 2_000),
} as const).map(({ prefer, ...more }) => attemptPlan({ ...more, race: { prefer, hedgeDelayMs: null, raceable: true } }));

const attempt = fc.integer({ min: 0, max: 5 });
const anyFailure = fc.record({ name: fc.constantFrom(...failureClasses.filter((name) => name !== 'ClientGone')), retryAfterMs: fc.option(fc.integer({ min: 0, max: 20_000 })), oversize: fc.boolean() })
  .map(({ name, ...more }) => failure(name, 'as it were', more));
/** What the shell may send in any order, and `due`: the armed timer of that place fires. */
const anyEvent: fc.Arbitrary<AttemptEvent | { readonly type: 'due'; readonly place: number }> = fc.oneof(
  fc.record({ type: fc.constantFrom('attempt-connected', 'attempt-stirred', 'attempt-reasoned', 'attempt-answered', 'attempt-completed'), attempt } as const),
  fc.record({ type: fc.constant('attempt-failed'), attempt, failure: anyFailure } as const),
  fc.record({ type: fc.constant('due'), place: fc.integer({ min: 0, max: 5 }) } as const),
  fc.constantFrom<AttemptEvent>({ type: 'hedge-granted' }, { type: 'hedge-denied', reason: 'none left' }, { type: 'request-admitted' }, { type: 'client-left' }),
  fc.record({ type: fc.constant('target-ready'), target: fc.integer({ min: 0, max: 3 }) } as const),
);

/** Plays these events, each some time after the one before it, and the deadline at last. */
function play(plan: AttemptPlan, events: readonly (readonly [number, AttemptEvent | { readonly type: 'due'; readonly place: number }])[]): Moment[] {
  const moments: Moment[] = [];
  const armed = new Set<TimerName>();
  const random = seededRandom(1);
  let state = beginRequest(plan);
  let atMs = 0;
  const send = (event: AttemptEvent): void => {
    const timed: TimedEvent = { ...event, atMs };
    if (event.type === 'timer-fired') armed.delete(event.timer);
    const next = step(plan, state, timed, random);
    state = next.state;
    moments.push({ atMs, event, effects: next.effects });
    for (const effect of next.effects) {
      if (effect.type === 'arm-timer') armed.add(effect.timer);
      if (effect.type === 'disarm-timer' && !armed.delete(effect.timer)) throw new Error(`${effect.timer} is disarmed and was not armed`);
    }
  };
  send({ type: 'request-admitted' });
  for (const [laterMs, event] of events) {
    atMs += laterMs;
    if (event.type !== 'due') send(event);
    else if (armed.size > 0) send({ type: 'timer-fired', timer: [...armed][event.place % armed.size] as TimerName });
  }
  atMs = plan.deadlineMs;
  if (armed.has('deadline')) send({ type: 'timer-fired', timer: 'deadline' });
  if (armed.size > 0) throw new Error(`still armed at the end: ${[...armed].join(', ')}`);
  return moments;
}

describe('under any interleaving', () => {
  const anyEvents = fc.array(fc.tuple(fc.integer({ min: 0, max: 900 }), anyEvent), { maxLength: 30 });

  test('one commit, one settlement an attempt, one end, nothing after it, no timer left', () => {
    fc.assert(fc.property(anyPlan, anyEvents, (plan, events) => {
      const moments = play(plan, events);
      expect(brokenSafety(plan, moments)).toEqual([]);
      expect(moments.flatMap(({ effects }) => effects).filter(({ type }) => type === 'finish')).toHaveLength(1);
    }), { numRuns: 3_000 });
  });

  test('the same events give the same effects', () => {
    fc.assert(fc.property(anyPlan, anyEvents, (plan, events) => {
      expect(play(plan, events)).toEqual(play(plan, events));
    }), { numRuns: 200 });
  });
});
