import type { Random } from '@belay/contract';
import type { AttemptPlan, PlannedTarget } from '@belay/sidecar/core/attempt/protocol.ts';
import { failure } from '@belay/sidecar/core/failure/failure.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { attemptPlan, plannedTarget, quantiles } from './made-up-plan.ts';
import type { UpstreamMove, World } from './run-virtual.ts';
import { cut, fails, limits, says, silent } from './upstreams.ts';

/** A plan and a world out of one number: the same number gives the same request, on every machine. */
export function randomRequest(seed: number): { plan: AttemptPlan; world: World } {
  const random = seededRandom(seed);
  const plan = randomPlan(random);
  return { plan, world: randomWorld(random) };
}

function randomPlan(random: Random): AttemptPlan {
  const mode = chance(random, 0.6) ? 'Race' : 'Sequential';
  const latencyBudgetMs = chance(random, mode === 'Race' ? 0.95 : 0.6) ? between(random, 200, 6_000) : null;
  const streamsToClient = chance(random, 0.5);
  const streamed = mode === 'Race' || latencyBudgetMs !== null || streamsToClient;
  const targets = Array.from({ length: 1 + Math.floor(random() * 5) }, (_, index) => randomTarget(random, index, streamed));
  return attemptPlan({
    mode,
    targets,
    latencyBudgetMs,
    streamsToClient,
    deadlineMs: pick(random, [between(random, 500, 5_000), 60_000, 600_000]),
    clientTimeoutMs: chance(random, 0.25) ? between(random, 500, 30_000) : null,
    retries: Math.floor(random() * 4),
    race: { prefer: chance(random, 0.6) ? 'Primary' : 'First', hedgeDelayMs: chance(random, 0.3) ? between(random, 0, 3_000) : null, raceable: chance(random, 0.9) },
    rateLimitWaitUpToMs: pick(random, [0, 0, 2_000]),
    pinned: targets.length === 1 && chance(random, 0.3),
  });
}

function randomTarget(random: Random, index: number, streamed: boolean): PlannedTarget {
  const local = chance(random, 0.15);
  return plannedTarget(`t${index}`, {
    failureDomain: `domain-${Math.floor(random() * 3)}`,
    local,
    probe: chance(random, 0.1),
    modelAsAsked: chance(random, 0.1),
    streamed: streamed || local,
    contextTokens: chance(random, 0.4) ? pick(random, [4_096, 32_768, 200_000]) : null,
    quantiles: chance(random, 0.4) ? quantiles(between(random, 50, 4_000)) : null,
    ...(chance(random, 0.1) ? { lastSilenceMs: between(random, 1_000, 20_000) } : {}),
  });
}

function randomWorld(random: Random): World {
  // A bad day, an ordinary day, a day on which nothing works.
  const goodShare = pick(random, [0.7, 0.35, 0]);
  return {
    upstream: (target) => (chance(random, goodShare) ? goodUpstream(random, target) : badUpstream(random, target)),
    hedge: () => (chance(random, 0.8) ? null : 'no hedge token left'),
    readyAtMs: chance(random, 0.7) ? between(random, 0, 20_000) : null,
    clientLeavesAtMs: chance(random, 0.1) ? between(random, 0, 8_000) : null,
    random,
  };
}

function goodUpstream(random: Random, { streamed }: PlannedTarget): readonly UpstreamMove[] {
  const firstMs = pick(random, [between(random, 20, 800), between(random, 200, 4_000), between(random, 1_000, 25_000)]);
  const restMs = between(random, 0, 15_000);
  if (!streamed) return [{ afterMs: 20, does: 'connect' }, { afterMs: firstMs + restMs, does: 'complete' }];
  const thinks: readonly UpstreamMove[] = chance(random, 0.2) ? [{ afterMs: firstMs * 0.4, does: 'reason' }] : [];
  const flows = Array.from({ length: Math.floor(restMs / 5_000) }, (_, nth): UpstreamMove => ({ afterMs: firstMs + (nth + 1) * 4_000, does: 'delta' }));
  return [{ afterMs: Math.min(20, firstMs), does: 'connect' }, ...thinks, { afterMs: firstMs, does: 'answer' }, ...flows, { afterMs: firstMs + restMs, does: 'complete' }];
}

function badUpstream(random: Random, { local, streamed }: PlannedTarget): readonly UpstreamMove[] {
  const soonMs = pick(random, [0, between(random, 1, 300), between(random, 300, 3_000)]);
  const anyway: readonly (() => readonly UpstreamMove[])[] = [
    () => fails('Unreachable', soonMs, { detail: 'connection refused' }),
    () => fails('Transient', soonMs, { status: 500, detail: '500' }),
    () => fails('Overload', soonMs, { status: 503, detail: '503', retryAfterMs: chance(random, 0.3) ? between(random, 100, 20_000) : null }),
    () => limits(null, soonMs),
    () => limits(pick(random, [between(random, 50, 3_000), between(random, 1_000, 60_000)]), soonMs),
    () => fails('Rate', soonMs, { status: 429, oversize: true }),
    () => [],
    () => silent(),
    () => silent(true),
    () => fails(pick(random, ['Client', 'Context', 'Auth', 'Missing', 'Quota']), soonMs, { status: 400 }),
    () => (local ? fails('Loading', soonMs, { detail: 'loading' }) : fails('Transient', soonMs, { status: 502, detail: '502' })),
  ];
  const inStream: readonly (() => readonly UpstreamMove[])[] = [
    () => [...silent(true), { afterMs: 900, does: 'stir' }, { afterMs: 5_000, does: 'stir' }],
    () => fails('Content', soonMs, { status: 200, detail: 'empty answer' }),
    () => cut(between(random, 20, 3_000), between(random, 0, 5_000)),
    () => says(between(random, 20, 3_000), 5_000).slice(0, 2),
    () => [{ afterMs: 20, does: 'connect' }, { afterMs: between(random, 100, 2_000), does: 'reason' }],
    () => [{ afterMs: 20, does: 'connect' }, { afterMs: 1_000, does: 'reason' }, { afterMs: 2_000, does: failure('Overload', 'overloaded in the stream') }],
  ];
  return pick(random, streamed ? [...anyway, ...inStream] : anyway)();
}

function chance(random: Random, share: number): boolean {
  return random() < share;
}

function between(random: Random, least: number, most: number): number {
  return Math.round(least + random() * (most - least));
}

function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[Math.floor(random() * choices.length)] as T;
}
