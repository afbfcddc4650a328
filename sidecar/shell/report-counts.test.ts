import { expect, test } from '@jest/globals';
import { encodeFrame, maxClientFrameLength, parseClientFrame, type AttemptRecord, type Decision, type FailureClass } from '@belay/contract';
import { call, chat, refuses, runSidecar, says } from '../../test/support/running-sidecar.ts';
import { createReportCounts, type ReportedChain } from './report-counts.ts';

const served: readonly ReportedChain[] = [{ name: 'chat', targets: [{ name: 'a', breaker: 'closed' }, { name: 'b', breaker: 'half-open' }] }];

function ok(target: string, firstContentMs = 10): AttemptRecord {
  return { target, tier: 'Primary', model: 'm', role: 'Primary', startedMs: 4, firstContentMs: firstContentMs + 4, endedMs: 900, outcome: 'Ok', failure: null };
}

function failed(target: string, name: FailureClass = 'Overload', more: Partial<AttemptRecord> = {}): AttemptRecord {
  return { ...ok(target), firstContentMs: null, outcome: 'Failed', failure: { class: name, status: 503, detail: '503', retryAfterMs: null }, ...more };
}

function decision(attempts: readonly AttemptRecord[], more: Partial<Decision> = {}): Decision {
  return {
    id: 'pod.1', at: '2026-11-25T00:00:00.000Z', chain: 'chat', model: 'chat', mode: 'Sequential', streamed: true, tableVersion: 'sha256:0', stale: false, outcome: 'Answered',
    status: 200, target: attempts.at(-1)?.target ?? null, servedModel: 'm', reason: '', attempts, excluded: [], firstContentMs: 1, totalMs: 2, usage: null, ...more,
  };
}

const nothing = { served: 0, attempts: 0, failures: 0, lastFailure: null, firstContentP50Ms: null };

test.each<[string, readonly Decision[], object, object, object]>([
  ['nothing', [], { requests: 0, failed: 0 }, nothing, nothing],
  ['an answer of the first', [decision([ok('a')])], { requests: 1, failed: 0 }, { ...nothing, served: 1, attempts: 1, firstContentP50Ms: 10 }, nothing],
  ['a fallback', [decision([failed('a'), ok('b', 30)])], { requests: 1, failed: 0 }, { ...nothing, attempts: 1, failures: 1, lastFailure: 'Overload' }, { ...nothing, served: 1, attempts: 1, firstContentP50Ms: 30 }],
  ['a failure that is over', [decision([failed('a'), ok('b')]), decision([ok('a')])], { requests: 2, failed: 0 }, { ...nothing, served: 1, attempts: 2, failures: 1, firstContentP50Ms: 10 }, { ...nothing, served: 1, attempts: 1, firstContentP50Ms: 10 }],
  ['a request that nobody answered', [decision([failed('a', 'Auth'), failed('b', 'Timeout')], { outcome: 'Failed', status: 503, target: null })], { requests: 1, failed: 1 }, { ...nothing, attempts: 1, failures: 1, lastFailure: 'Auth' }, { ...nothing, attempts: 1, failures: 1, lastFailure: 'Timeout' }],
  ['a request for which every target was left out', [decision([], { outcome: 'Failed', status: 503 })], { requests: 1, failed: 1 }, nothing, nothing],
  ['all at their rate limit', [decision([], { outcome: 'Failed', status: 429 })], { requests: 1, failed: 1 }, nothing, nothing],
  ['a bad request of the client', [decision([failed('a', 'Client')], { outcome: 'Failed', status: 400, target: null })], { requests: 1, failed: 0 }, { ...nothing, attempts: 1 }, nothing],
  ['a client that left', [decision([{ ...ok('a'), outcome: 'Cancelled', firstContentMs: null }], { outcome: 'ClientGone', status: 0, target: null })], { requests: 1, failed: 0 }, { ...nothing, attempts: 1 }, nothing],
  ['a stream that broke', [decision([failed('a', 'Transient', { outcome: 'Broken', firstContentMs: 24 })], { outcome: 'Broken' })], { requests: 1, failed: 0 }, { ...nothing, served: 1, attempts: 1, failures: 1, lastFailure: 'Transient', firstContentP50Ms: 20 }, nothing],
  ['a hedge that lost', [decision([{ ...ok('b'), outcome: 'Cancelled', firstContentMs: null }, ok('a')])], { requests: 1, failed: 0 }, { ...nothing, served: 1, attempts: 1, firstContentP50Ms: 10 }, { ...nothing, attempts: 1 }],
])('%s is told in totals', (_sentence, decisions, chain, a, b) => {
  const counts = createReportCounts();
  decisions.forEach((one) => counts.requestEnded(one));
  expect(counts.report(served)).toEqual([{ name: 'chat', ...chain, targets: [{ name: 'a', breaker: 'closed', ...a }, { name: 'b', breaker: 'half-open', ...b }] }]);
});

test('the median is of late answers', () => {
  const counts = createReportCounts();
  for (let nth = 0; nth < 500; nth += 1) counts.requestEnded(decision([ok('a', 1_000)]));
  for (let nth = 0; nth < 64; nth += 1) counts.requestEnded(decision([ok('a', nth)]));
  expect(counts.report(served)[0]?.targets[0]).toMatchObject({ served: 564, firstContentP50Ms: 31 });
});

test('a chain that is gone is forgotten, and one that comes back counts anew', () => {
  const counts = createReportCounts();
  counts.requestEnded(decision([ok('a')]));
  expect(counts.report([])).toEqual([]);
  expect(counts.report(served)).toMatchObject([{ requests: 0 }]);
});

test('of more chains than one frame carries the busiest are told', () => {
  const counts = createReportCounts();
  const many = Array.from({ length: 1_000 }, (_, nth) => ({ name: `chain-${nth}`, targets: Array.from({ length: 8 }, (_target, place) => ({ name: `target-${place}`, breaker: 'closed' as const })) }));
  counts.requestEnded({ ...decision([]), chain: 'chain-999' });
  const chains = counts.report(many);
  const line = encodeFrame({ frame: 'report', chains });
  expect(line.length).toBeLessThanOrEqual(maxClientFrameLength);
  expect(chains.length).toBeGreaterThan(100);
  expect(chains[0]?.name).toBe('chain-999');
  expect(parseClientFrame(line)).toEqual({ ok: true, value: { frame: 'report', chains } });
});

test('a target whose key was refused is reported as one that no traffic flows to', async () => {
  const { sidecar, port, close } = await runSidecar({ a: { handler: refuses(401) }, b: { handler: says('hi') } });
  try {
    expect(await call(port, { body: chat() })).toMatchObject({ status: 200 });
    expect(sidecar.report()[0]?.targets.map(({ name, breaker, lastFailure }) => [name, breaker, lastFailure])).toEqual([['a', 'open', 'Auth'], ['b', 'closed', null]]);
  } finally {
    await close();
  }
});
