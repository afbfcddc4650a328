import { describe, expect, test } from '@jest/globals';
import { attemptPlan, plannedTarget } from '../../../test/simulation/made-up-plan.ts';
import { runVirtual, type World } from '../../../test/simulation/run-virtual.ts';
import { fails, limits, silent, worldOf } from '../../../test/simulation/upstreams.ts';
import { describeChainFailed, describeSeconds } from './describe-failures.ts';
import type { AttemptPlan } from './protocol.ts';

const targets = ['opus', 'gemini', 'local'].map((name) => plannedTarget(name));
const answer = { status: 400, contentType: 'application/json', body: '{"error":{}}', requestId: 'req-1' };
const ending = (world: World, plan: Partial<AttemptPlan> = {}): unknown => runVirtual(attemptPlan({ targets, ...plan }), world).ending;

describe('when all targets failed', () => {
  test.each<[string, World, object]>([
    ['each is named with its reason, in order of trial',
      worldOf({ opus: [limits(12_000)], gemini: [fails('Timeout', 50, { detail: 'silent 2.0 s' })], local: [fails('Unreachable', 50, { detail: 'connection refused' })] }),
      { status: 503, answer: null, reason: '3 of 3 targets failed: opus 429 (resets in 12 s), gemini silent 2.0 s, local connection refused' }],
    ['it is 429 where all are Rate or Quota, with the soonest reset',
      worldOf({ opus: [limits(20_000)], gemini: [fails('Quota', 50, { status: 402 })], local: [limits(40_000)] }),
      { status: 429, retryAfterMs: 19_900 }],
    ['a reset is told for at most 60 s',
      worldOf({ opus: [limits(300_000)], gemini: [limits(200_000)], local: [limits(100_000)] }),
      { status: 429, retryAfterMs: 60_000 }],
    ['it is 429 without a reset where none is known',
      worldOf({ opus: [fails('Quota')], gemini: [fails('Quota')], local: [fails('Quota')] }),
      { status: 429, retryAfterMs: null }],
    ['it is 503 where one failed otherwise; a known reset is told all the same',
      worldOf({ opus: [limits(20_000)], gemini: [fails('Auth', 50, { status: 401 })], local: [fails('Auth')] }),
      { status: 503, retryAfterMs: 19_900 }],
    ['it is the status of the first informative failure, in words that name each target',
      worldOf({ opus: [fails('Auth', 50, { status: 401 })], gemini: [fails('Client', 50, { status: 400, answer })], local: [fails('Content')] }),
      { status: 400, answer: null, retryAfterMs: null, reason: '3 of 3 targets failed: opus auth, gemini client, local content' }],
    ["it is the upstream's own answer where every failure is informative",
      worldOf({ opus: [fails('Content', 50, { answer })], gemini: [fails('Client', 50, { status: 422 })], local: [fails('Client', 50, { status: 422 })] }),
      { status: 400, answer }],
    ['it is 503 where the informative failure came with a good status',
      worldOf({ opus: [fails('Content', 50, { status: 200, detail: 'empty answer' })], gemini: [fails('Auth')], local: [fails('Auth')] }),
      { status: 503 }],
  ])('%s', (_, world, want) => {
    expect(ending(world)).toMatchObject({ type: 'failed', ...want });
  });

  test('targets that were not tried are counted, not named', () => {
    const small = plannedTarget('small', { contextTokens: 1_000 });
    expect(ending(worldOf({ large: [fails('Context', 50, { status: 400, answer })] }), { targets: [plannedTarget('large', { contextTokens: 8_000 }), small] }))
      .toMatchObject({ status: 400, answer, reason: '1 of 2 targets failed: large context' });
  });

  test('the last failure of a target that was tried twice is told', () => {
    expect(ending(worldOf({ opus: [fails('Transient', 50, { status: 500, detail: '500' }), fails('Overload', 50, { status: 503, detail: '503' })] }), { targets: targets.slice(0, 1), clientTimeoutMs: 1_000 }))
      .toMatchObject({ status: 503, reason: '1 of 1 targets failed: opus 503' });
  });
});

describe('what goes back at once', () => {
  test("Client from the first target, with the upstream's own answer", () => {
    expect(ending(worldOf({ opus: [fails('Client', 50, { status: 400, answer })] }))).toMatchObject({ status: 400, answer, reason: '1 of 3 targets failed: opus client' });
  });

  test.each([
    ['Auth', { status: 401, answer: { ...answer, status: 401 } }, 401],
    ['Transient', { status: 500 }, 500],
    ['Unreachable', {}, 503],
    ['Missing', { status: 404 }, 404],
  ] as const)('a pinned target gives its own error: %s', (name, more, status) => {
    expect(ending(worldOf({ opus: [fails(name, 50, more)] }), { pinned: true, targets: targets.slice(0, 1), retries: 0, clientTimeoutMs: 1_000 }))
      .toMatchObject({ status, answer: 'answer' in more ? more.answer : null });
  });

  test('a pinned target that is limited tells when it returns', () => {
    expect(ending(worldOf({ opus: [limits(30_000)] }), { pinned: true, targets: targets.slice(0, 1) })).toMatchObject({ status: 429, retryAfterMs: 30_000 });
  });
});

test('the deadline names what had failed before it', () => {
  expect(ending(worldOf({ opus: [fails('Overload', 50, { detail: '503' })], gemini: [silent()] }), { deadlineMs: 5_000 }))
    .toMatchObject({ status: 504, reason: 'the deadline of 5.0 s passed; opus 503' });
});

test("the client's timeout is told as such", () => {
  expect(ending(worldOf({ opus: [silent()] }), { clientTimeoutMs: 4_000 })).toMatchObject({ status: 504, reason: "the client's timeout of 4.0 s passed" });
});

test('a whole sentence names chain and request', () => {
  expect(describeChainFailed('chat', 'chain chat cannot be served: there is no ModelProvider "a".', 'pod.7')).toBe('chat: chain chat cannot be served: there is no ModelProvider "a". id pod.7');
  expect(describeChainFailed('support-chat', '1 of 1 targets failed: opus 503', 'pod.7')).toBe('support-chat: 1 of 1 targets failed: opus 503. id pod.7');
});

test.each([[0, '0.0 s'], [1_960, '2.0 s'], [9_949, '9.9 s'], [9_950, '10 s'], [12_400, '12 s']])('%d ms is told as %s', (ms, told) => {
  expect(describeSeconds(ms)).toBe(told);
});
