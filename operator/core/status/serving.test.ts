import { describe, expect, test } from '@jest/globals';
import type { ChainEntry, ChainReport, TargetReport } from '@belay/contract';
import { chainEntry, targetEntry } from '../../../test/support/made-up-table.ts';
import { initialServing, noteReport, type Serving } from './serving.ts';
import { viewServing, type ServingContext } from './view-serving.ts';

const midnight = Date.parse('2026-11-24T00:00:00Z');
const nothing: TargetReport = { name: '', served: 0, attempts: 0, failures: 0, lastFailure: null, breaker: 'closed', firstContentP50Ms: null };
const chain = (names: readonly string[]): ChainEntry => chainEntry('chat', names.map((name) => targetEntry(name)));

describe('a chain that changes', () => {
  const fallenBack = () => {
    const serving = [0, 5_000].reduce((state, nowMs) => noteReport(state, { uid: 'a', chains: [{ name: 'chat', requests: nowMs, failed: 0, targets: [{ ...nothing, name: 'opus', attempts: nowMs, failures: nowMs, lastFailure: 'Auth' }, { ...nothing, name: 'gemini', served: nowMs }] }] }, nowMs), initialServing());
    return viewServing(serving, chain(['opus', 'gemini']), 5_000, midnight).next;
  };
  const suspended: ServingContext = { providers: [{ name: 'opus', suspended: true, address: 'https://llm.example' } as NonNullable<ServingContext['providers']>[number]] };

  test.each<[string, readonly string[], ServingContext, string | null]>([
    ['the same targets: it holds', ['opus', 'gemini'], {}, 'gemini 100% since 00:00 (opus: Auth)'],
    ['another behind them: it holds', ['opus', 'gemini', 'local'], {}, 'gemini 100% since 00:00 (opus: Auth)'],
    ['another before them: that one has not failed', ['local', 'opus', 'gemini'], {}, null],
    ['without who answered: nothing is known', ['opus', 'local'], {}, null],
    ['the first one suspended: it is not missed', ['opus', 'gemini'], suspended, null],
  ])('after a minute without traffic, with %s', (_, names, context, text) => {
    expect(viewServing(fallenBack(), chain(names), 90_000, midnight + 90_000, context).text).toBe(text);
  });
});

test('what a sidecar did in a silence of more than 30 s is not of now, and of 30 s it is', () => {
  const textAfter = (silentMs: number): string | null => {
    const report = (opus: Partial<TargetReport>, gemini = 0): ChainReport => ({ name: 'chat', requests: 9 + gemini, failed: 0, targets: [{ ...nothing, name: 'opus', ...opus }, { ...nothing, name: 'gemini', served: gemini, attempts: gemini }] });
    const note = (serving: Serving, one: ChainReport, nowMs: number) => noteReport(serving, { uid: 'a', chains: [one] }, nowMs);
    const well = note(note(initialServing(), report({}), 0), report({ served: 9, attempts: 9 }), 5_000);
    const { next } = viewServing(well, chain(['opus', 'gemini']), 5_000, midnight);
    const late = note(next, report({ served: 9, attempts: 59, failures: 50, lastFailure: 'Overload', breaker: 'open' }, 50), 5_000 + silentMs);
    return viewServing(late, chain(['opus', 'gemini']), 5_000 + silentMs, midnight + silentMs).text;
  };
  expect([textAfter(30_001), textAfter(30_000)]).toEqual(['opus', 'gemini 100% since 00:00 (opus: Overload)']);
});

test('a chain without traffic is forgotten after an hour, but for a fallback that goes on', () => {
  const textAfter = (afterMs: number, failures: number): string | null => {
    const report = (count: number): ChainReport => ({ name: 'chat', requests: count, failed: 0, targets: [{ ...nothing, name: 'opus', served: failures === 0 ? count : 0, attempts: count, failures: failures * count, lastFailure: failures === 0 ? null : 'Auth' }, { ...nothing, name: 'gemini', served: failures * count }] });
    const note = (serving: Serving, count: number, nowMs: number) => noteReport(serving, { uid: 'a', chains: [report(count)] }, nowMs);
    const { next } = viewServing(note(note(initialServing(), 0, 0), 9, 5_000), chain(['opus', 'gemini']), 5_000, midnight);
    // Reports go on and tell of nothing new.
    const reported = Array.from({ length: Math.floor(afterMs / 20_000) }, (_, nth) => 5_000 + (nth + 1) * 20_000).reduce((serving, nowMs) => note(serving, 9, nowMs), next);
    return viewServing(reported, chain(['opus', 'gemini']), 5_000 + afterMs, midnight + afterMs).text;
  };
  expect([textAfter(3_500_000, 0), textAfter(3_700_000, 0), textAfter(3_700_000, 1)]).toEqual(['opus', null, 'gemini 100% since 00:00 (opus: Auth)']);
});
