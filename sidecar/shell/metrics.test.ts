import { expect, test } from '@jest/globals';
import type { AttemptRecord, Decision, FailureClass } from '@belay/contract';
import { createMetrics } from './metrics.ts';

const attempt = (target: string, startedMs: number, more: Partial<AttemptRecord> & { failed?: FailureClass } = {}): AttemptRecord => ({
  target, tier: 'Primary', model: 'm', role: 'Primary', startedMs, firstContentMs: more.failed === undefined ? startedMs + 300 : null, endedMs: startedMs + 500, outcome: more.failed === undefined ? 'Ok' : 'Failed',
  failure: more.failed === undefined ? null : { class: more.failed, status: null, detail: '', retryAfterMs: null }, ...more,
});

function decision(more: Partial<Decision>): Decision {
  return {
    id: 'pod.1', at: '', chain: 'chat', model: 'a name of the application', mode: 'Sequential', streamed: true, tableVersion: '', stale: false, outcome: 'Answered', status: 200, target: 'b',
    servedModel: 'm', reason: '', attempts: [], excluded: [], firstContentMs: 1, totalMs: 2_000, usage: null, ...more,
  };
}

async function textOf(...decisions: Decision[]): Promise<string> {
  const metrics = createMetrics(() => ({ tableVersion: 'sha256:1', breakers: [{ chain: 'chat', target: 'a', state: 'open' }, { chain: 'chat', target: 'b', state: 'half-open' }] }));
  for (const each of decisions) metrics.requestEnded(each, new Map([['b', 'model-b']]));
  return metrics.text();
}

test('a retry is no fallback; a move to another target is one, by its reason', async () => {
  const text = await textOf(decision({ attempts: [attempt('a', 0, { failed: 'Transient' }), attempt('a', 500, { failed: 'Timeout', role: 'Retry' }), attempt('b', 1_000, { role: 'Fallback' })] }));
  expect(text.match(/^belay_fallbacks_total.*$/gm)).toEqual(['belay_fallbacks_total{chain="chat",from="a",to="b",reason="Timeout"} 1']);
  expect(text).toContain('belay_attempts_total{chain="chat",target="a",outcome="Timeout",role="Retry"} 1');
});

test('failover is timed from the first fault to the first content that made it good', async () => {
  const text = await textOf(decision({ attempts: [attempt('a', 0, { failed: 'Overload' }), attempt('b', 500, { role: 'Fallback' })] }));
  expect(text).toContain('belay_failover_seconds_sum{chain="chat"} 0.3');
});

test('a hedge that won is no fallback, and nothing failed over', async () => {
  const text = await textOf(decision({ attempts: [{ ...attempt('a', 0), outcome: 'Cancelled' }, attempt('b', 500, { role: 'Hedge' })] }));
  expect(text).not.toMatch(/^belay_fallbacks_total\{/m);
  expect(text).not.toMatch(/^belay_failover_seconds_sum\{/m);
});

test('no label holds what a request said', async () => {
  expect(await textOf(decision({ attempts: [attempt('b', 0)] }))).not.toContain('a name of the application');
});

test('breakers and the table are read at the scrape', async () => {
  const text = await textOf();
  expect(text).toContain('belay_breaker_state{chain="chat",target="a"} 2');
  expect(text).toContain('belay_breaker_state{chain="chat",target="b"} 1');
  expect(text).toContain('belay_table_version_info{version="sha256:1"} 1');
});
