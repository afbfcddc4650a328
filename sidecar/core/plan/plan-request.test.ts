import { describe, expect, test } from '@jest/globals';
import type { ChainEntry, ProviderEntry } from '@belay/contract';
import { quantiles } from '../../../test/simulation/made-up-plan.ts';
import { chainEntry, providerEntry, routingTable, targetEntry } from '../../../test/support/made-up-table.ts';
import type { AttemptPlan } from '../attempt/protocol.ts';
import type { HealthView } from '../health/target-health.ts';
import { compileTable } from './compile-table.ts';
import type { PlanInput, PlanResult, RequestSettings, TargetNow } from './plan-types.ts';
import { planRequest } from './plan-request.ts';
import { resolveChain } from './resolve-chain.ts';

const well: HealthView = { breaker: 'closed', probing: false, returnsInMs: 0, out: null, quantiles: null };
const unset: RequestSettings = { targets: null, latencyBudgetMs: null, fallbackMode: null, egress: null, explain: false };

interface GivenTarget {
  readonly window?: number;
  readonly model?: string;
  readonly suspended?: boolean;
  readonly provider?: Partial<ProviderEntry>;
  readonly health?: Partial<HealthView>;
  readonly now?: Partial<TargetNow>;
}

interface Given {
  readonly chain?: Partial<ChainEntry>;
  readonly targets?: Record<string, GivenTarget>;
  readonly settings?: Partial<RequestSettings>;
  readonly request?: Partial<PlanInput>;
}

/** A chain `chat` of targets a, b and c, each at a provider of its own name, all well. */
function plan({ chain = {}, targets = {}, settings = {}, request = {} }: Given): PlanResult {
  const names = ['a', 'b', 'c'];
  const table = compileTable(routingTable(
    [chainEntry('chat', names.map((name) => targetEntry(name, { contextTokens: targets[name]?.window ?? null, model: targets[name]?.model ?? `model-of-${name}`, suspended: targets[name]?.suspended ?? false })), chain)],
    names.map((name) => providerEntry(name, targets[name]?.provider)),
  ), null);
  const found = table.ok ? resolveChain(table.value, 'chat') : null;
  if (found === null) throw new Error(JSON.stringify(table));
  return planRequest({
    chain: found, model: 'chat', stream: true, promptTokensEstimate: 100, maxOutputTokens: null, notRaceable: null, reasons: false,
    settings: { ...unset, ...settings }, clientTimeoutMs: null, clientRetryCount: 0,
    now: ({ entry: { name } }) => ({ health: { ...well, ...targets[name]?.health }, keyDelivered: true, endpoint: null, inFlight: 0, ...targets[name]?.now }),
    ...request,
  });
}

function planned(given: Given): Extract<PlanResult, { type: 'plan' }> {
  const result = plan(given);
  if (result.type !== 'plan') throw new Error(JSON.stringify(result));
  return result;
}

const order = (given: Given): string[] => planned(given).plan.targets.map(({ name }) => name);
const out = (name: 'Rate' | 'Auth' | 'Missing' | 'Quota', returnsInMs: number, detail = ''): GivenTarget =>
  ({ health: { out: { class: name, returnsInMs, detail } } });

describe('which targets, in which order', () => {
  test.each<[string, Given, string[]]>([
    ['as declared', {}, ['a', 'b', 'c']],
    ['those that the request names, in its order', { settings: { targets: ['c', 'a'] } }, ['c', 'a']],
    ['a pin is one target alone', { settings: { targets: ['b'] } }, ['b']],
    ['without a suspended target', { targets: { a: { suspended: true } } }, ['b', 'c']],
    ['without a suspended provider', { targets: { b: { provider: { suspended: true } } } }, ['a', 'c']],
    ['without one whose key has not come', { targets: { a: { provider: { needsKey: true }, now: { keyDelivered: false } } } }, ['b', 'c']],
    ['with one that needs no key', { targets: { a: { now: { keyDelivered: false } } } }, ['a', 'b', 'c']],
    ['inside the cluster where the chain says so', { chain: { egress: 'ClusterOnly' }, targets: { b: { provider: { inCluster: true } } } }, ['b']],
    ['inside the cluster where the request says so', { settings: { egress: 'ClusterOnly' }, targets: { c: { provider: { inCluster: true } } } }, ['c']],
    ['a request cannot leave a cluster that the chain keeps to', { chain: { egress: 'ClusterOnly' }, settings: { egress: 'Any' }, targets: { b: { provider: { inCluster: true } } } }, ['b']],
    ['without a window that prompt and output do not fit', { targets: { a: { window: 1_000 }, b: { window: 1_100 } }, request: { promptTokensEstimate: 900, maxOutputTokens: 200 } }, ['b', 'c']],
    ['without one that is limited', { targets: { a: out('Rate', 5_000) } }, ['b', 'c']],
    ['without one whose key was refused', { targets: { a: out('Auth', 300_000) } }, ['b', 'c']],
    ['with one that is due to be tried again', { targets: { a: out('Auth', 0) } }, ['a', 'b', 'c']],
    ['without one whose breaker is open', { targets: { a: { health: { breaker: 'open', returnsInMs: 900 } } } }, ['b', 'c']],
    ['without one that another request probes', { targets: { a: { health: { breaker: 'half-open', probing: true } } } }, ['b', 'c']],
    ['with one that is half-open and free', { targets: { a: { health: { breaker: 'half-open' } } } }, ['a', 'b', 'c']],
    ['without one at its cap', { targets: { a: { provider: { concurrency: 2 }, now: { inFlight: 2 } } } }, ['b', 'c']],
    ['with one below its cap', { targets: { a: { provider: { concurrency: 2 }, now: { inFlight: 1 } } } }, ['a', 'b', 'c']],
    ['by soonest return where only open breakers and caps are left', {
      targets: { a: { health: { breaker: 'open', returnsInMs: 900 } }, b: { health: { breaker: 'open', returnsInMs: 200 } }, c: out('Quota', 100_000) },
    }, ['b', 'a']],
    ['a pinned target is tried though its breaker is open', { settings: { targets: ['a'] }, targets: { a: { health: { breaker: 'open', returnsInMs: 900 } } } }, ['a']],
    ['without a local one that no server runs for', { targets: { a: { provider: { address: 'local:a' }, now: { endpoint: 'Absent', endpointDetail: 'no llama-server was found' } } } }, ['b', 'c']],
    ['with one whose model still loads: the attempt finds out and waits where it is the last', { targets: { a: { provider: { address: 'local:a' }, now: { endpoint: 'Loading' } } } }, ['a', 'b', 'c']],
  ])('%s', (_, given, want) => {
    expect(order(given)).toEqual(want);
  });

  test('what was left out is recorded with its reason', () => {
    const { excluded } = planned({
      settings: { targets: ['a', 'b'] },
      targets: { a: { health: { breaker: 'open', returnsInMs: 3_200 } } },
    });
    expect(excluded).toEqual([{ target: 'a', reason: 'BreakerOpen', detail: 'open for 3.2 s more' }, { target: 'c', reason: 'NotRequested', detail: '' }]);
  });

  test('compiled targets stand beside the planned ones', () => {
    expect(planned({ settings: { targets: ['c', 'a'] } }).targets.map(({ healthKey }) => healthKey)).toEqual(['c model-of-c', 'a model-of-a']);
  });

  test('in a race the second goes first, and says so, only if it keeps the budget that the first misses', () => {
    const slow = { health: { quantiles: quantiles(4_000) } };
    const quick = { health: { quantiles: quantiles(400) } };
    const race = { chain: { fallbackMode: 'Race', latencyBudgetMs: 2_000 } } as const;
    expect(planned({ ...race, targets: { a: slow, b: quick } })).toMatchObject({ note: 'b first: a p90 6.0 s > budget 2.0 s', targets: [{ healthKey: 'b model-of-b' }, { healthKey: 'a model-of-a' }, {}] });
    expect(order({ ...race, targets: { a: slow, b: slow } })).toEqual(['a', 'b', 'c']);
    expect(order({ ...race, targets: { a: quick, b: quick } })).toEqual(['a', 'b', 'c']);
    expect(order({ ...race, targets: { a: slow } })).toEqual(['a', 'b', 'c']);
    expect(planned({ chain: { latencyBudgetMs: 2_000 }, targets: { a: slow, b: quick } }).note).toBeNull();
  });
});

describe('how it is sent', () => {
  const of = (given: Given): AttemptPlan => planned(given).plan;

  test.each<[string, Given, Partial<AttemptPlan>]>([
    ['mode, budget, deadline and retries are the chain\'s', { chain: { fallbackMode: 'Race', latencyBudgetMs: 1_000, deadlineMs: 5_000, retries: 2, rateLimitWaitUpToMs: 700 } },
      { mode: 'Race', latencyBudgetMs: 1_000, deadlineMs: 5_000, retries: 2, rateLimitWaitUpToMs: 700, pinned: false }],
    ["the request's own mode and budget win", { chain: { fallbackMode: 'Race', latencyBudgetMs: 1_000 }, settings: { fallbackMode: 'Sequential', latencyBudgetMs: 300 } }, { mode: 'Sequential', latencyBudgetMs: 300 }],
    ['a request that races a chain without a budget has 2 s', { settings: { fallbackMode: 'Race' } }, { mode: 'Race', latencyBudgetMs: 2_000 }],
    ['no budget in sequence without one', {}, { latencyBudgetMs: null }],
    ['a client that retries has no retries of ours', { request: { clientRetryCount: 1 } }, { retries: 0 }],
    ["a client's timeout is passed on", { request: { clientTimeoutMs: 9_000 } }, { clientTimeoutMs: 9_000 }],
    ['one named target is a pin', { settings: { targets: ['b'] } }, { pinned: true }],
    ['two named targets are none', { settings: { targets: ['b', 'a'] } }, { pinned: false }],
  ])('%s', (_, given, want) => {
    expect(of(given)).toMatchObject(want);
  });

  test.each<[string, Given, boolean]>([
    ['an ordinary request may be raced', {}, true],
    ['n > 1 may not', { request: { notRaceable: 'n > 1' } }, false],
    ['a prompt above 8192 tokens may not', { request: { promptTokensEstimate: 8_193 } }, false],
    ['targets of last resort are not', { targets: Object.fromEntries(['a', 'b', 'c'].map((name) => [name, { health: { breaker: 'open', returnsInMs: 1 } }])) }, false],
  ])('%s', (_, given, raceable) => {
    expect(of({ chain: { fallbackMode: 'Race' }, ...given }).race.raceable).toBe(raceable);
  });

  test.each<[string, Given, boolean]>([
    ['unary for a unary client, in sequence, without a budget', { request: { stream: false } }, false],
    ['streamed for a client that streams', { request: { stream: true } }, true],
    ['streamed in a race', { chain: { fallbackMode: 'Race' }, request: { stream: false } }, true],
    ['streamed under a budget', { chain: { latencyBudgetMs: 1_000 }, request: { stream: false } }, true],
    ['streamed to llama.cpp', { targets: { a: { provider: { preset: 'LlamaCpp' } } }, request: { stream: false } }, true],
    ['streamed to a local tier', { targets: { a: { provider: { address: 'local:a' } } }, request: { stream: false } }, true],
  ])('%s', (_, given, streamed) => {
    expect(of(given).targets[0]).toMatchObject({ streamed });
  });

  test.each<[string, Given, object]>([
    ['cold', {}, { connectMs: 2_000, firstContentMs: 10_000, idleMs: 10_000 }],
    ['a model that reasons has 60 s to first content', { request: { reasons: true } }, { firstContentMs: 60_000 }],
    ['warm: twice its q99', { targets: { a: { health: { quantiles: quantiles(3_000, { q99Ms: 6_000 }) } } } }, { firstContentMs: 12_000 }],
    ['warm: at least 5 s', { targets: { a: { health: { quantiles: quantiles(100) } } } }, { firstContentMs: 5_000 }],
    ['warm: at most 30 s', { targets: { a: { health: { quantiles: quantiles(20_000) } } } }, { firstContentMs: 30_000 }],
    ["the manifest's own times", { targets: { a: { provider: { timeouts: { connectMs: 1, firstContentMs: 2, idleMs: 3 } } } }, request: { reasons: true } }, { connectMs: 1, firstContentMs: 2, idleMs: 3 }],
  ])('timers, %s', (_, given, timers) => {
    expect(of(given).targets[0]?.timers).toMatchObject(timers);
  });

  test("silence of a last target is the manifest's first-content time where there is one", () => {
    expect(of({ targets: { a: { provider: { timeouts: { connectMs: null, firstContentMs: 700, idleMs: null } } } } }).targets.map(({ lastSilenceMs }) => lastSilenceMs)).toEqual([700, undefined, undefined]);
  });

  test('model * is the name that the app asked for', () => {
    expect(of({ targets: { a: { model: '*' } }, request: { model: 'gpt-9' } }).targets.slice(0, 2)).toMatchObject([{ model: 'gpt-9', modelAsAsked: true }, { model: 'model-of-b', modelAsAsked: false }]);
  });

  test.each<[string, Partial<HealthView>, boolean]>([
    ['closed', {}, false],
    ['half-open', { breaker: 'half-open' }, true],
    ['a refused key whose time has come', { out: { class: 'Auth', returnsInMs: 0, detail: '' } }, true],
    ['a rate limit that is over', { out: { class: 'Rate', returnsInMs: 0, detail: '' } }, false],
  ])('%s: a probe or none', (_, health, probe) => {
    expect(of({ targets: { a: { health } } }).targets[0]?.probe).toBe(probe);
  });

  test('a local target is known by its address', () => {
    expect(of({ targets: { b: { provider: { address: 'local:b', inCluster: true } } } }).targets.map(({ local }) => local)).toEqual([false, true, false]);
  });
});

describe('when nothing is left', () => {
  const all = (each: GivenTarget): Record<string, GivenTarget> => ({ a: each, b: each, c: each });

  test.each<[string, Given, object]>([
    ['429 where all are limited, with the soonest return', { targets: { a: out('Rate', 20_000, '429, resets in 20 s'), b: out('Rate', 40_000), c: out('Quota', 90_000) } },
      { type: 'rejected', status: 429, retryAfterMs: 20_000, message: 'no target can serve this request: a RateLimited (429, resets in 20 s), b RateLimited (for 40 s more), c QuotaExhausted (for 90 s more)' }],
    ['at most 60 s are told', { targets: all(out('Quota', 900_000)) }, { status: 429, retryAfterMs: 60_000 }],
    ['503 where keys have not come', { targets: all({ provider: { needsKey: true }, now: { keyDelivered: false } }) }, { status: 503, retryAfterMs: null }],
    ['503 where one is out otherwise', { targets: { a: out('Rate', 20_000), b: out('Auth', 300_000), c: out('Auth', 300_000) } }, { status: 503, retryAfterMs: 20_000 }],
    ['429 where the rest is suspended by hand', { targets: { a: out('Rate', 20_000), b: { suspended: true }, c: { suspended: true } } }, { status: 429 }],
    ['400 where the prompt fits no window', { targets: all({ window: 50 }) }, { status: 400, message: 'no target can serve this request: a ContextWindow (about 100 tokens, window 50), b ContextWindow (about 100 tokens, window 50), c ContextWindow (about 100 tokens, window 50)' }],
    ['503 where the request must stay in a cluster that has none', { settings: { egress: 'ClusterOnly' } }, { status: 503 }],
    ['targets that were not asked for are not told', { settings: { targets: ['a'] }, targets: { a: { suspended: true } } }, { status: 503, message: 'no target can serve this request: a Suspended' }],
    ['400 where the request names a target that there is not', { settings: { targets: ['gemni', 'a'] } }, { status: 400, message: '"gemni" is no target of this chain; its targets are a, b, c' }],
    ['503 with the words of a chain that cannot be routed', { chain: { targets: [], unroutable: 'target c: no provider "c"' } }, { status: 503, message: 'target c: no provider "c"' }],
    ['a limit that is over within 10 s is waited for', { targets: all(out('Rate', 10_000)) }, { type: 'wait', afterMs: 10_000 }],
    ['also where others are out for longer', { targets: { a: out('Auth', 300_000), b: out('Rate', 3_000), c: out('Quota', 9_000) } }, { type: 'wait', afterMs: 3_000 }],
    ['once', { targets: all(out('Rate', 3_000)), request: { waited: true } }, { type: 'rejected', status: 429, retryAfterMs: 3_000 }],
    ["not past the client's timeout", { targets: all(out('Rate', 3_000)), request: { clientTimeoutMs: 3_000 } }, { type: 'rejected', status: 429 }],
    ['not past the deadline', { chain: { deadlineMs: 3_000 }, targets: all(out('Rate', 3_000)) }, { type: 'rejected', status: 429 }],
    ['no wait for a quota', { targets: all(out('Quota', 3_000)) }, { type: 'rejected', status: 429, retryAfterMs: 3_000 }],
  ])('%s', (_, given, want) => {
    expect(plan(given)).toMatchObject(want);
  });
});
