import { describe, expect, test } from '@jest/globals';
import { tellRun } from '../../../test/simulation/describe-run.ts';
import { attemptPlan, plannedTarget, quantiles } from '../../../test/simulation/made-up-plan.ts';
import type { World } from '../../../test/simulation/run-virtual.ts';
import { cut, fails, says, silent, worldOf } from '../../../test/simulation/upstreams.ts';
import { failure } from '../failure/failure.ts';
import type { AttemptPlan } from './protocol.ts';
import { beginRequest, step } from './step.ts';

interface Case { readonly plan?: Partial<AttemptPlan>; readonly world: World; readonly told: readonly string[] }

const [a, b, c] = [plannedTarget('a'), plannedTarget('b'), plannedTarget('c')];
const unary = (name: string) => plannedTarget(name, { streamed: false });
const whole = [{ afterMs: 20, does: 'connect' }, { afterMs: 900, does: 'complete' }] as const;

const sequences: Record<string, Case> = {
  'the first target answers: its first content commits it, and nobody else is asked': {
    world: worldOf({ a: [says(300)] }),
    told: ['0 start a Primary', '300 commit a', '400 settle a Ok Ok', '400 finish answered a'],
  },
  'a unary client gets nothing before the answer is whole': {
    plan: { streamsToClient: false },
    world: worldOf({ a: [says(300, 700)] }),
    told: ['0 start a Primary', '1000 commit a', '1000 settle a Ok Ok', '1000 finish answered a'],
  },
  'a whole answer without a stream is committed and ended at once': {
    plan: { streamsToClient: false, targets: [unary('a'), unary('b')] },
    world: worldOf({ a: [whole] }),
    told: ['0 start a Primary', '900 commit a', '900 settle a Ok Ok', '900 finish answered a'],
  },
  'a break before commit is a failed attempt, and the next target starts without a retry, since content came': {
    plan: { streamsToClient: false },
    world: worldOf({ a: [cut(300)], b: [says(100)] }),
    told: ['0 start a Primary', '400 settle a Failed Transient Failed', '400 start b Fallback', '600 commit b', '600 settle b Ok Ok', '600 finish answered b'],
  },
  'a break after commit ends the answer as broken, and nothing is started for it': {
    world: worldOf({ a: [cut(300)], b: [says(100)] }),
    told: ['0 start a Primary', '300 commit a', '400 settle a Broken Transient Failed', '400 finish broken a'],
  },
  'a stream that stalls after commit is a break once idle is over': {
    world: worldOf({ a: [[{ afterMs: 300, does: 'answer' }, { afterMs: 5_000, does: 'delta' }]] }),
    told: ['0 start a Primary', '300 commit a', '15000 cancel a', '15000 settle a Broken Timeout Failed', '15000 finish broken a'],
  },
  'a stream that stalls before a unary client has it falls back': {
    plan: { streamsToClient: false },
    world: worldOf({ a: [[{ afterMs: 300, does: 'answer' }]], b: [says(100)] }),
    told: ['0 start a Primary', '10300 cancel a', '10300 settle a Failed Timeout Failed', '10300 start b Fallback', '10500 commit b', '10500 settle b Ok Ok', '10500 finish answered b'],
  },
  'no connection within the connect timer is a failure': {
    world: worldOf({ a: [[]], b: [says(100)] }),
    told: ['0 start a Primary', '2000 cancel a', '2000 settle a Failed Timeout Failed', '2000 start b Fallback', '2100 commit b', '2200 settle b Ok Ok', '2200 finish answered b'],
  },
  'headers and role frames do not stop the first-content timer': {
    world: worldOf({ a: [silent(true)], b: [says(100)] }),
    told: ['0 start a Primary', '10000 cancel a', '10000 settle a Failed Timeout Failed', '10000 start b Fallback', '10100 commit b', '10200 settle b Ok Ok', '10200 finish answered b'],
  },
  'a reasoning delta stops the first-content timer and commits nothing': {
    world: worldOf({ a: [[{ afterMs: 20, does: 'connect' }, { afterMs: 9_000, does: 'reason' }, { afterMs: 18_000, does: 'delta' }, { afterMs: 27_000, does: 'answer' }, { afterMs: 27_100, does: 'complete' }]] }),
    told: ['0 start a Primary', '27000 commit a', '27100 settle a Ok Ok', '27100 finish answered a'],
  },
  'reasoning that stalls is given up by the idle timer': {
    world: worldOf({ a: [[{ afterMs: 20, does: 'connect' }, { afterMs: 9_000, does: 'reason' }]], b: [says(100)] }),
    told: ['0 start a Primary', '19000 cancel a', '19000 settle a Failed Timeout Failed', '19000 start b Fallback', '19100 commit b', '19200 settle b Ok Ok', '19200 finish answered b'],
  },
  'a unary attempt has 120 s while another target remains, and the deadline alone where none does': {
    plan: { streamsToClient: false, targets: [unary('a'), unary('b')], deadlineMs: 300_000 },
    world: worldOf({ a: [silent(true)], b: [silent(true)] }),
    told: ['0 start a Primary', '120000 cancel a', '120000 settle a Failed Timeout Failed', '120000 start b Fallback', '300000 cancel b', '300000 settle b Failed Timeout None', '300000 finish failed 504'],
  },
  'the last target has 60 s of silence': {
    world: worldOf({ a: [fails('Overload')], b: [silent()] }),
    told: ['0 start a Primary', '50 settle a Failed Overload Failed', '50 start b Fallback', '60050 cancel b', '60050 settle b Failed Timeout Failed', '60050 finish failed 503'],
  },
  'a local last target is bounded by the deadline alone': {
    plan: { targets: [a, plannedTarget('local', { local: true })] },
    world: worldOf({ a: [fails('Overload')], local: [says(200_000)] }),
    told: ['0 start a Primary', '50 settle a Failed Overload Failed', '50 start local Fallback', '200050 commit local', '200150 settle local Ok Ok', '200150 finish answered local'],
  },
  'a first-content time from the manifest bounds a last target too': {
    plan: { targets: [plannedTarget('a', { lastSilenceMs: 3_000 })] },
    world: worldOf({ a: [silent()] }),
    told: ['0 start a Primary', '3000 cancel a', '3000 settle a Failed Timeout Failed', '3000 finish failed 503'],
  },
  'the deadline passing before commit is a 504 that blames no target': {
    plan: { deadlineMs: 5_000 },
    world: worldOf({ a: [silent()] }),
    told: ['0 start a Primary', '5000 cancel a', '5000 settle a Failed Timeout None', '5000 finish failed 504'],
  },
  'the deadline passing after commit is a break that blames no target': {
    plan: { deadlineMs: 5_000 },
    world: worldOf({ a: [says(300, 9_000)] }),
    told: ['0 start a Primary', '300 commit a', '5000 cancel a', '5000 settle a Broken Timeout None', '5000 finish broken a'],
  },
  "a client's own timeout bounds the commit of a stream": {
    plan: { clientTimeoutMs: 4_000 },
    world: worldOf({ a: [silent()] }),
    told: ['0 start a Primary', '4000 cancel a', '4000 settle a Failed Timeout None', '4000 finish failed 504'],
  },
  "a client's own timeout does not bound a stream that has begun": {
    plan: { clientTimeoutMs: 1_000 },
    world: worldOf({ a: [says(300, 9_000)] }),
    told: ['0 start a Primary', '300 commit a', '9300 settle a Ok Ok', '9300 finish answered a'],
  },
  "a client's own timeout bounds the whole of a unary answer": {
    plan: { clientTimeoutMs: 1_000, streamsToClient: false },
    world: worldOf({ a: [says(300, 9_000)] }),
    told: ['0 start a Primary', '1000 cancel a', '1000 settle a Failed Timeout None', '1000 finish failed 504'],
  },
  'a client that leaves cancels what runs': {
    world: worldOf({ a: [silent()] }, { clientLeavesAtMs: 700 }),
    told: ['0 start a Primary', '700 cancel a', '700 settle a Cancelled ClientGone None', '700 finish client-gone'],
  },
  'a client that leaves in the middle of its answer cancels it': {
    world: worldOf({ a: [says(300, 9_000)] }, { clientLeavesAtMs: 700 }),
    told: ['0 start a Primary', '300 commit a', '700 cancel a', '700 settle a Cancelled ClientGone None', '700 finish client-gone'],
  },
  "a client that leaves during a retry's wait ends the request": {
    world: worldOf({ a: [fails('Transient')] }, { clientLeavesAtMs: 60 }),
    told: ['0 start a Primary', '50 settle a Failed Transient Failed', '60 finish client-gone'],
  },
  'no target starts with less left than its median needs, except the last': {
    plan: { deadlineMs: 3_000, targets: [a, plannedTarget('slow', { quantiles: quantiles(2_990) }), c] },
    world: worldOf({ a: [fails('Overload')], c: [says(100)] }),
    told: ['0 start a Primary', '50 settle a Failed Overload Failed', '50 start c Fallback', '150 commit c', '250 settle c Ok Ok', '250 finish answered c'],
  },
  'the last target starts even so': {
    plan: { deadlineMs: 3_000, targets: [a, plannedTarget('slow', { quantiles: quantiles(2_990) })] },
    world: worldOf({ a: [fails('Overload')], slow: [says(100)] }),
    told: ['0 start a Primary', '50 settle a Failed Overload Failed', '50 start slow Fallback', '150 commit slow', '250 settle slow Ok Ok', '250 finish answered slow'],
  },
};

describe('a request in sequence', () => {
  test.each(Object.entries(sequences))('%s', (_, { plan, world, told }) => {
    expect(tellRun(attemptPlan(plan), world)).toEqual(told);
  });
});

const refusal = { status: 400, contentType: 'application/json', body: '{"error":{}}', requestId: null };
const moves: Record<string, Case> = {
  'Client from the first target goes back at once': {
    world: worldOf({ a: [fails('Client', 50, { status: 422 })] }),
    told: ['0 start a Primary', '50 settle a Failed Client None', '50 finish failed 422'],
  },
  'Client from a later target moves on': {
    plan: { targets: [a, b, c] },
    world: worldOf({ a: [fails('Overload')], b: [fails('Client', 50, { status: 400 })], c: [says(100)] }),
    told: ['0 start a Primary', '50 settle a Failed Overload Failed', '50 start b Fallback', '100 settle b Failed Client None', '100 start c Fallback', '200 commit c', '300 settle c Ok Ok', '300 finish answered c'],
  },
  'Client from a retry of the first target goes back at once': {
    world: worldOf({ a: [fails('Transient'), fails('Client', 50, { status: 400 })] }),
    told: ['0 start a Primary', '50 settle a Failed Transient Failed', '75 start a Retry', '125 settle a Failed Client None', '125 finish failed 400'],
  },
  'Content that a provider filtered goes back at once, from any target': {
    world: worldOf({ a: [fails('Overload')], b: [fails('Content', 50, { status: 400, answer: { status: 400, contentType: 'application/json', body: '{}', requestId: null } })] }),
    told: ['0 start a Primary', '50 settle a Failed Overload Failed', '50 start b Fallback', '100 settle b Failed Content Soft', '100 finish failed 400'],
  },
  'Content that is the model\'s fault moves on': {
    world: worldOf({ a: [fails('Content', 50, { status: 400 })], b: [says(100)] }),
    told: ['0 start a Primary', '50 settle a Failed Content Soft', '50 start b Fallback', '150 commit b', '250 settle b Ok Ok', '250 finish answered b'],
  },
  'Context moves on to a window that is larger': {
    plan: { targets: [plannedTarget('a', { contextTokens: 8_000 }), plannedTarget('small', { contextTokens: 8_000 }), plannedTarget('large', { contextTokens: 32_000 })] },
    world: worldOf({ a: [fails('Context', 50, { status: 400 })], large: [says(100)] }),
    told: ['0 start a Primary', '50 settle a Failed Context None', '50 start large Fallback', '150 commit large', '250 settle large Ok Ok', '250 finish answered large'],
  },
  'Context moves on to a window that is unknown': {
    plan: { targets: [plannedTarget('a', { contextTokens: 8_000 }), b] },
    world: worldOf({ a: [fails('Context', 50, { status: 400 })], b: [says(100)] }),
    told: ['0 start a Primary', '50 settle a Failed Context None', '50 start b Fallback', '150 commit b', '250 settle b Ok Ok', '250 finish answered b'],
  },
  'Context goes back where no window is larger': {
    plan: { targets: [plannedTarget('a', { contextTokens: 8_000 }), plannedTarget('small', { contextTokens: 4_000 })] },
    world: worldOf({ a: [fails('Context', 50, { status: 413 })] }),
    told: ['0 start a Primary', '50 settle a Failed Context None', '50 finish failed 413'],
  },
  'Missing where the app chose the model goes back, and blames no target': {
    plan: { targets: [plannedTarget('a', { modelAsAsked: true }), b] },
    world: worldOf({ a: [fails('Missing', 50, { status: 404 })] }),
    told: ['0 start a Primary', '50 settle a Failed Client None', '50 finish failed 404'],
  },
  'an empty answer is a failure before content': {
    world: worldOf({ a: [fails('Content')], b: [says(100)] }),
    told: ['0 start a Primary', '50 settle a Failed Content Soft', '50 start b Fallback', '150 commit b', '250 settle b Ok Ok', '250 finish answered b'],
  },
  'a refusal that is the provider\'s own goes back at once': {
    plan: { retries: 3 },
    world: worldOf({ a: [fails('Content', 50, { status: 400, answer: refusal })], b: [says(100)] }),
    told: ['0 start a Primary', '50 settle a Failed Content Soft', '50 finish failed 400'],
  },
  'a refusal by the target of a fallback is not routed around either': {
    plan: { targets: [a, b, plannedTarget('c')] },
    world: worldOf({ a: [fails('Overload')], b: [fails('Content', 50, { status: 400, answer: refusal })], c: [says(100)] }),
    told: ['0 start a Primary', '50 settle a Failed Overload Failed', '50 start b Fallback', '100 settle b Failed Content Soft', '100 finish failed 400'],
  },
  'an oversize Rate moves on and cools nobody down': {
    plan: { rateLimitWaitUpToMs: 5_000 },
    world: worldOf({ a: [fails('Rate', 50, { status: 429, oversize: true, retryAfterMs: 1_000 })], b: [says(100)] }),
    told: ['0 start a Primary', '50 settle a Failed Rate None', '50 start b Fallback', '150 commit b', '250 settle b Ok Ok', '250 finish answered b'],
  },
};

describe('a failure before commit', () => {
  test.each(Object.entries(moves))('%s', (_, { plan, world, told }) => {
    expect(tellRun(attemptPlan(plan), world)).toEqual(told);
  });

  test.each([
    ['Auth', 'Out'], ['Missing', 'Out'], ['Quota', 'Out'], ['Rate', 'Out'], ['Overload', 'Failed'], ['Unreachable', 'Failed'], ['Loading', 'None'],
  ] as const)('%s moves on at once; to health it is %s', (name, health) => {
    expect(tellRun(attemptPlan(), worldOf({ a: [fails(name)], b: [says(100)] })))
      .toEqual(['0 start a Primary', `50 settle a Failed ${name} ${health}`, '50 start b Fallback', '150 commit b', '250 settle b Ok Ok', '250 finish answered b']);
  });
});

describe('events that come too late', () => {
  const plan = attemptPlan();
  const begun = step(plan, beginRequest(plan), { type: 'request-admitted', atMs: 0 }, () => 0).state;
  const moved = step(plan, begun, { type: 'attempt-failed', attempt: 0, failure: failure('Overload', '503'), atMs: 50 }, () => 0).state;

  test.each([
    ['a settled attempt answers', { type: 'attempt-answered', attempt: 0 }],
    ['a settled attempt fails again', { type: 'attempt-failed', attempt: 0, failure: failure('Overload', '503') }],
    ['an attempt that never was answers', { type: 'attempt-answered', attempt: 7 }],
    ['a timer of a settled attempt fires', { type: 'timer-fired', timer: 'first-content:0' }],
    ['a hedge is granted that nobody asked for', { type: 'hedge-granted' }],
    ['a hedge is denied that nobody asked for', { type: 'hedge-denied', reason: 'late' }],
    ['a model is ready that nobody waits for', { type: 'target-ready', target: 1 }],
    ['the request is admitted twice', { type: 'request-admitted' }],
  ] as const)('%s: nothing happens', (_, event) => {
    const next = step(plan, moved, { ...event, atMs: 60 }, () => 0);
    expect(next.effects).toEqual([]);
    expect(next.state).toEqual(moved);
  });

  test.each([
    ['an answer', { type: 'attempt-answered', attempt: 1 }],
    ['the client, leaving again', { type: 'client-left' }],
    ['the deadline', { type: 'timer-fired', timer: 'deadline' }],
  ] as const)('after the end nothing happens any more: %s', (_, event) => {
    const { state } = step(plan, moved, { type: 'client-left', atMs: 60 }, () => 0);
    expect(step(plan, state, { ...event, atMs: 70 }, () => 0)).toEqual({ state, effects: [] });
  });

  test('a step leaves the state that it was given as it was', () => {
    const before = JSON.stringify(begun);
    step(plan, begun, { type: 'attempt-failed', attempt: 0, failure: failure('Overload', '503'), atMs: 50 }, () => 0);
    expect(JSON.stringify(begun)).toBe(before);
  });
});
