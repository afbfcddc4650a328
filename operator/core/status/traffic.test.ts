import { describe, expect, test } from '@jest/globals';
import type { ChainReport, TargetReport } from '@belay/contract';
import { growthOf, latestSeconds, mainFailure, recentSeconds, requestsOf, unansweredOf, withTraffic, type Traffic, type TrafficSecond } from './traffic.ts';

const target = (more: Partial<TargetReport> = {}): TargetReport => ({ name: 'opus', served: 0, attempts: 0, failures: 0, lastFailure: null, breaker: 'closed', firstContentP50Ms: null, ...more });
const report = (requests: number, failed: number, more: Partial<TargetReport> = {}): ChainReport => ({ name: 'chat', requests, failed, targets: [target(more)] });
const traffic = (served: number, failed = 0): Traffic => ({ failed, targets: new Map([['opus', { served, attempts: served, failures: 0, classes: new Map() }]]) });
const at = (second: number, served: number): TrafficSecond => ({ second, ...traffic(served) });

describe('totals that fell are those of a new process, and count from nothing:', () => {
  test.each<[string, ChainReport, ChainReport]>([
    ['requests', report(1, 0, { served: 5 }), report(9, 0, { served: 4 })],
    ['requests without an answer', report(9, 1, { served: 5 }), report(9, 2, { served: 4 })],
    ['answers of a target', report(9, 1, { served: 5 }), report(9, 1, { served: 6 })],
    ['attempts at a target', report(9, 1, { served: 5, attempts: 1 }), report(9, 1, { served: 4, attempts: 2 })],
    ['failures of a target', report(9, 1, { served: 5, failures: 1 }), report(9, 1, { served: 4, failures: 2 })],
  ])('%s', (_, now, before) => {
    expect([growthOf(now, before)?.failed, growthOf(now, before)?.targets.get('opus')?.served]).toEqual([now.failed, 5]);
  });
});

test('totals that did not change are no traffic', () => {
  expect([growthOf(report(3, 1, { served: 2 }), report(3, 1, { served: 2 })), growthOf(report(0, 0), undefined)]).toEqual([null, null]);
});

describe('who serves is decided by', () => {
  const nowMs = 100_000;
  test.each<[string, readonly TrafficSecond[], number]>([
    ['the last 15 s', [at(60, 9), at(90, 3)], 3],
    ['the last minute, where those saw one request', [at(60, 9), at(90, 1)], 10],
    ['nothing older than that', [at(39, 9), at(90, 1)], 1],
  ])('%s', (_, seconds, requests) => {
    expect(recentSeconds(seconds, nowMs).reduce((sum, one) => sum + requestsOf(one), 0)).toBe(requests);
  });

  test.each<[string, readonly TrafficSecond[], number]>([
    ['each sidecar\'s last report, where the first target is out', [at(90, 9), at(99, 3)], 3],
    ['the last 15 s, where that saw nothing', [at(90, 9)], 9],
  ])('%s', (_, seconds, requests) => {
    expect(latestSeconds(seconds, nowMs).reduce((sum, one) => sum + requestsOf(one), 0)).toBe(requests);
  });
});

test('reports of one second are added up, and what is older than a minute is dropped', () => {
  const seconds = withTraffic(withTraffic([at(39, 1), at(41, 2)], traffic(3, 1), 100_000), traffic(4), 100_900);
  expect(seconds.map((one) => [one.second, requestsOf(one)])).toEqual([[41, 2], [100, 8]]);
});

test('what applications did wrong is no failure of a chain or a target, and takes nothing off others', () => {
  const classes = new Map([['Client', 9], ['Timeout', 1]] as const);
  const one = { served: 0, attempts: 10, failures: 10, classes };
  expect([mainFailure(one), unansweredOf({ failed: 4, targets: new Map([['opus', one]]) }), unansweredOf({ failed: 11, targets: new Map([['opus', one]]) })]).toEqual(['Timeout', 0, 2]);
});

test('of two failures that are as frequent the same one is always named', () => {
  const one = (...names: readonly ('Auth' | 'Timeout')[]) => mainFailure({ served: 0, attempts: 2, failures: 2, classes: new Map(names.map((name) => [name, 1])) });
  expect([one('Auth', 'Timeout'), one('Timeout', 'Auth')]).toEqual(['Auth', 'Auth']);
});
