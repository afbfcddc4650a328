import { expect, test } from '@jest/globals';
import type { AttemptRecord, Decision } from '@belay/contract';
import { createDecisions } from './decisions.ts';
import type { LogLine } from './sidecar-options.ts';

const attempt = (target: string, failed: boolean): AttemptRecord => ({
  target, tier: 'Primary', model: 'm', role: 'Primary', startedMs: 0, firstContentMs: failed ? null : 1, endedMs: 2, outcome: failed ? 'Failed' : 'Ok',
  failure: failed ? { class: 'Overload', status: 503, detail: '503', retryAfterMs: null } : null,
});

function decision(id: number, more: Partial<Decision> = {}): Decision {
  return {
    id: `pod.${id}`, at: '2026-11-25T00:00:00.000Z', chain: 'chat', model: 'chat', mode: 'Sequential', streamed: true, tableVersion: 'sha256:0', stale: false, outcome: 'Answered',
    status: 200, target: 'a', servedModel: 'm', reason: 'primary answered', attempts: [attempt('a', false)], excluded: [], firstContentMs: 1, totalMs: 2, usage: null, ...more,
  };
}

test('a busy hour hides no failure: both rings keep their last 256, newest first', () => {
  const { record, all, troubled, find } = createDecisions(() => undefined);
  for (let id = 1; id <= 300; id++) record(decision(id, { attempts: [attempt('a', true), attempt('b', false)] }));
  for (let id = 301; id <= 1_000; id++) record(decision(id));
  expect([all().length, all()[0]?.id, all().at(-1)?.id]).toEqual([256, 'pod.1000', 'pod.745']);
  expect([troubled().length, troubled()[0]?.id, troubled().at(-1)?.id]).toEqual([256, 'pod.300', 'pod.45']);
  expect([find('pod.999')?.id, find('pod.300')?.id, find('pod.44'), find('pod.700')]).toEqual(['pod.999', 'pod.300', null, null]);
});

test.each<[string, Partial<Decision>, string | null]>([
  ['all went well', {}, null],
  ['the client left', { outcome: 'ClientGone', attempts: [{ ...attempt('a', false), outcome: 'Cancelled' }] }, null],
  ['fell back', { target: 'b', attempts: [attempt('a', true), attempt('b', false)] }, 'request-fell-back'],
  ['failed', { outcome: 'Failed', status: 503, target: null, attempts: [attempt('a', true)] }, 'request-failed'],
  ['was refused without an attempt', { outcome: 'Failed', status: 503, target: null, attempts: [] }, 'request-failed'],
  ['broke', { outcome: 'Broken', attempts: [{ ...attempt('a', true), outcome: 'Broken' }] }, 'request-broke'],
])('one log line for each request that fell back or failed: %s', (_sentence, more, event) => {
  const lines: LogLine[] = [];
  createDecisions((line) => lines.push(line)).record(decision(1, more));
  expect(lines.map((line) => line.event)).toEqual(event === null ? [] : [event]);
  if (event !== null) expect(lines[0]).toMatchObject({ id: 'pod.1', chain: 'chat', message: expect.stringContaining('id pod.1') });
});
