import type { ExcludedTarget, FallbackMode, ProviderEntry } from '@belay/contract';
import { describeSeconds } from '../attempt/describe-failures.ts';
import type { AttemptPlan, PlannedTarget } from '../attempt/protocol.ts';
import { admitTargets, type Candidate } from './exclude-targets.ts';
import type { PlanInput, PlanResult } from './plan-types.ts';
import { rejectRequest } from './reject-request.ts';

/** `latencyBudget` where a request asks a chain without one to race (the CRD's default for Race). */
const raceBudgetMs = 2_000;
/** A larger prompt is not hedged: its copy would cost as much as the whole answer (routing rule 5). */
const maxHedgedTokens = 8_192;
const cold = { connectMs: 2_000, firstContentMs: 10_000, reasoningMs: 60_000, idleMs: 10_000 };
/** First content: twice its q99, between these (routing rule 2). */
const adaptive = { leastMs: 5_000, mostMs: 30_000 };

/**
 * Admission of one request (routing rule 1): which targets, in which order, with which timers; or why none. Pure: what
 * changes from moment to moment comes in through `input.now`.
 */
export function planRequest(input: PlanInput): PlanResult {
  const candidates = admitTargets(input);
  const rejection = rejectRequest(input, candidates);
  if (rejection !== null) return rejection;
  const usable = candidates.filter(({ excluded }) => excluded === null);
  const lastResort = usable.length === 0;
  const chosen = lastResort ? bySoonestReturn(candidates) : usable;
  const excluded = candidates.flatMap((candidate) => (chosen.includes(candidate) ? [] : recordOf(candidate)));
  const { entry } = input.chain;
  const { mode, latencyBudgetMs } = modeAndBudget(input);
  const { ordered, note } = backupFirst(chosen, mode, latencyBudgetMs);
  const plan: AttemptPlan = {
    mode,
    targets: ordered.map((candidate) => planTarget(input, candidate, mode === 'Race' || latencyBudgetMs !== null)),
    latencyBudgetMs,
    deadlineMs: entry.deadlineMs,
    clientTimeoutMs: input.clientTimeoutMs,
    retries: input.clientRetryCount > 0 ? 0 : entry.retries,
    streamsToClient: input.stream,
    race: {
      prefer: entry.race.prefer,
      hedgeDelayMs: entry.race.hedgeDelayMs,
      // A hedge needs a closed breaker: targets of last resort are tried one at a time.
      raceable: input.notRaceable === null && !lastResort && input.promptTokensEstimate <= maxHedgedTokens,
    },
    rateLimitWaitUpToMs: entry.rateLimitWaitUpToMs,
    pinned: input.settings.targets?.length === 1,
  };
  return { type: 'plan', plan, targets: ordered.map(({ target }) => target), excluded, note };
}

/** The request's own settings win over the chain's. */
function modeAndBudget({ settings, chain: { entry } }: PlanInput): { mode: FallbackMode; latencyBudgetMs: number | null } {
  const mode = settings.fallbackMode ?? entry.fallbackMode;
  return { mode, latencyBudgetMs: settings.latencyBudgetMs ?? entry.latencyBudgetMs ?? (mode === 'Race' ? raceBudgetMs : null) };
}

/** Soft exclusions alone are left: they are tried all the same. */
function bySoonestReturn(candidates: readonly Candidate[]): Candidate[] {
  return candidates
    .filter(({ excluded }) => excluded?.soft === true)
    .sort((a, b) => (a.excluded?.returnsInMs ?? 0) - (b.excluded?.returnsInMs ?? 0));
}

function recordOf({ excluded }: Candidate): ExcludedTarget[] {
  return excluded === null ? [] : [{ target: excluded.target, reason: excluded.reason, detail: excluded.detail }];
}

/** In a race the second goes first, and says so, only if the first would miss the budget that the second keeps (routing rule 5). */
function backupFirst(chosen: readonly Candidate[], mode: FallbackMode, budget: number | null): { ordered: readonly Candidate[]; note: string | null } {
  const [a, b, ...rest] = chosen;
  if (mode !== 'Race' || budget === null || a === undefined || b === undefined) return { ordered: chosen, note: null };
  const [slowMs, quickMs] = [q90Of(a), q90Of(b)];
  if (slowMs === null || quickMs === null || slowMs <= budget || quickMs > budget) return { ordered: chosen, note: null };
  return { ordered: [b, a, ...rest], note: `${b.target.entry.name} first: ${a.target.entry.name} p90 ${describeSeconds(slowMs)} > budget ${describeSeconds(budget)}` };
}

function q90Of({ now }: Candidate): number | null {
  return now.health.quantiles?.q90Ms ?? null;
}

function planTarget(input: PlanInput, { target: { entry, provider }, now: { health } }: Candidate, mustStream: boolean): PlannedTarget {
  const local = provider.address.startsWith('local:');
  const { firstContentMs } = provider.timeouts;
  return {
    name: entry.name,
    tier: entry.tier,
    model: entry.model === '*' ? input.model : entry.model,
    failureDomain: provider.failureDomain,
    local,
    probe: isProbe(health),
    modelAsAsked: entry.model === '*',
    // llama.cpp finishes a unary request that nobody waits for any more (routing rule 3).
    streamed: mustStream || input.stream || local || provider.preset === 'LlamaCpp',
    contextTokens: entry.contextTokens,
    timers: planTimers(provider.timeouts, input.reasons, health.quantiles?.q99Ms),
    // Where the provider's own spec bounds silence, it does so for a last target too.
    ...(firstContentMs === null ? {} : { lastSilenceMs: firstContentMs }),
    quantiles: health.quantiles,
  };
}

function planTimers({ connectMs, firstContentMs, idleMs }: ProviderEntry['timeouts'], reasons: boolean, q99Ms: number | undefined): PlannedTarget['timers'] {
  return {
    connectMs: connectMs ?? cold.connectMs,
    firstContentMs: firstContentMs ?? (reasons ? cold.reasoningMs : usualFirstContentMs(q99Ms)),
    idleMs: idleMs ?? cold.idleMs,
  };
}

function usualFirstContentMs(q99Ms: number | undefined): number {
  return q99Ms === undefined ? cold.firstContentMs : Math.min(Math.max(2 * q99Ms, adaptive.leastMs), adaptive.mostMs);
}

/** Half-open, or back from an outage of its own: this request finds out, and is not retried. */
function isProbe({ breaker, probing, out }: Candidate['now']['health']): boolean {
  return (breaker === 'half-open' && !probing) || (out !== null && out.class !== 'Rate' && out.returnsInMs <= 0);
}
