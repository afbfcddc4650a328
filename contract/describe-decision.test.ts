import { expect, test } from '@jest/globals';
import type { AttemptRecord, Decision, FailureRecord } from './decision.ts';
import { attemptsHeader, describeDecision, describeFailure } from './describe-decision.ts';

const attempt = (target: string, more: Partial<AttemptRecord> = {}): AttemptRecord => ({ target, tier: 'Primary', model: 'm', role: 'Primary', startedMs: 0, firstContentMs: null, endedMs: 900, outcome: 'Failed', failure: null, ...more });
const failure = (more: Partial<FailureRecord> = {}): FailureRecord => ({ class: 'Overload', status: 503, detail: '', retryAfterMs: null, ...more });
const decision = (more: Partial<Decision> = {}): Decision => ({
  id: 'web-1.7', at: '2026-11-25T00:00:00.000Z', chain: 'chat', model: 'chat', mode: 'Sequential', streamed: true, tableVersion: 'sha256:0', stale: false, outcome: 'Answered', status: 200,
  target: 'b', servedModel: 'm', reason: 'a: Overload', attempts: [], excluded: [], firstContentMs: 1_100, totalMs: 2_040, usage: null, ...more,
});

test.each<[string, Partial<Decision>, string]>([
  ['an answer', {}, 'chat: b answered in 2.0 s (a: Overload). id web-1.7'],
  ['a quick one', { totalMs: 16.4 }, 'chat: b answered in 16 ms (a: Overload). id web-1.7'],
  ['one after failures, with what was left out', { attempts: [attempt('a', { failure: failure({ detail: '503 (resets in 12 s)' }) }), attempt('b', { outcome: 'Ok' })], excluded: [{ target: 'c', reason: 'KeyNotDelivered', detail: 'no key' }, { target: 'd', reason: 'Suspended', detail: '' }] },
    'chat: b answered in 2.0 s (a: Overload); a 503 (resets in 12 s); c left out (KeyNotDelivered, no key); d left out (Suspended). id web-1.7'],
  ['one that broke off', { outcome: 'Broken', reason: 'connection lost' }, 'chat: b broke off after 2.0 s (connection lost). id web-1.7'],
  ['a client that left', { outcome: 'ClientGone', target: null }, 'chat: the client left after 2.0 s. id web-1.7'],
  ['a failure', { outcome: 'Failed', status: 503, target: null, reason: 'all failed', attempts: [attempt('a', { failure: failure() }), attempt('b', { failure: failure({ class: 'Timeout', status: null }) })] }, 'chat: failed with 503 after 2.0 s (all failed); a 503, b timeout. id web-1.7'],
])('%s in one sentence', (_sentence, more, sentence) => {
  expect(describeDecision(decision(more))).toBe(sentence);
});

test('attempts as a header: times run from the attempt\'s start, to first content where it answered', () => {
  expect(attemptsHeader([
    attempt('a', { failure: failure({ class: 'Rate' }), endedMs: 12.4 }), attempt('b', { startedMs: 10, firstContentMs: 621, outcome: 'Ok' }),
    attempt('c', { startedMs: 10, endedMs: 30, outcome: 'Ok' }), attempt('d', { outcome: 'Cancelled' }), attempt('e', { outcome: 'Broken' }),
  ])).toBe('a=rate:12ms,b=ok:611ms,c=ok:20ms,d=cancelled:900ms,e=broken:900ms');
});

test.each([[failure({ detail: 'silent 2.0 s' }), 'silent 2.0 s'], [failure(), '503'], [failure({ status: null }), 'overload']])('%j is said in words', (one, words) => {
  expect(describeFailure(one)).toBe(words);
});
