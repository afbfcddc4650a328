import type { AttemptPlan, PlannedTarget, TargetQuantiles } from '@belay/sidecar/core/attempt/protocol.ts';

/** A target with cold timers, in a failure domain of its own. */
export function plannedTarget(name: string, more: Partial<PlannedTarget> = {}): PlannedTarget {
  return {
    name,
    tier: 'InterProvider',
    model: `model-of-${name}`,
    failureDomain: name,
    local: false,
    probe: false,
    streamed: true,
    contextTokens: null,
    timers: { connectMs: 2_000, firstContentMs: 10_000, idleMs: 10_000 },
    quantiles: null,
    ...more,
  };
}

/** A streaming request to two cold targets, `a` and `b`, in sequence, without a latency budget. */
export function attemptPlan(more: Partial<AttemptPlan> = {}): AttemptPlan {
  return {
    mode: 'Sequential',
    targets: [plannedTarget('a'), plannedTarget('b')],
    latencyBudgetMs: null,
    deadlineMs: 600_000,
    clientTimeoutMs: null,
    retries: 1,
    streamsToClient: true,
    race: { prefer: 'Primary', hedgeDelayMs: null, raceable: true },
    rateLimitWaitUpToMs: 0,
    pinned: false,
    ...more,
  };
}

/** Quantiles of a target whose first content usually takes `q50Ms`. */
export function quantiles(q50Ms: number, more: Partial<TargetQuantiles> = {}): TargetQuantiles {
  return { q50Ms, q90Ms: q50Ms * 1.5, q95Ms: q50Ms * 2, q99Ms: q50Ms * 3, hedgeMs: q50Ms * 2, ...more };
}
