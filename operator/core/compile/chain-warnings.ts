import { formatDuration, type ChainEntry } from '@belay/contract';
import { warningFinding, type Finding } from './conditions.ts';
import type { ResolvedTarget } from './resolve-targets.ts';

/** What will hurt a chain later, though it can be served as it is. */
export function chainWarnings(
  targets: readonly ResolvedTarget[],
  { latencyBudgetMs }: Pick<ChainEntry, 'latencyBudgetMs'>,
  { hedgeDelayMs }: ChainEntry['race'],
  mode: ChainEntry['fallbackMode'],
): readonly Finding[] {
  return [...domainWarnings(targets, mode), ...windowWarnings(targets), ...suspendedWarnings(targets), ...(mode === 'Race' ? raceWarnings(targets, latencyBudgetMs, hedgeDelayMs) : [])];
}

function domainWarnings(targets: readonly ResolvedTarget[], mode: ChainEntry['fallbackMode']): readonly Finding[] {
  const [domain, ...others] = new Set(targets.map(({ provider }) => provider.entry?.failureDomain));
  if (targets.length < 2 || domain === undefined || others.length > 0) return [];
  const raced = mode === 'Race' ? ', so that an outage takes all of them and none is ever raced' : ', so that an outage takes all of them';
  return [warningFinding('SameFailureDomain', 'spec.targets', `all targets are in the failure domain ${domain}${raced}: add a target of another provider`)];
}

function windowWarnings(targets: readonly ResolvedTarget[]): readonly Finding[] {
  const [first, ...rest] = targets;
  const window = first?.provider.contextTokens(first.model) ?? null;
  if (first === undefined || window === null) return [];
  return rest.flatMap(({ index, name, model, provider }) => {
    const own = provider.contextTokens(model);
    if (own === null || own >= window) return [];
    return [warningFinding('SmallerWindow', `spec.targets[${index}].model`, `target ${name} takes ${own} tokens, ${first.name} takes ${window}: a request between the two has no fallback there`)];
  });
}

function suspendedWarnings(targets: readonly ResolvedTarget[]): readonly Finding[] {
  const allSuspended = targets.length > 0 && targets.every(({ suspended, provider }) => suspended || provider.entry?.suspended === true);
  return allSuspended ? [warningFinding('AllSuspended', 'spec.targets', 'every target is suspended: requests are answered 503 until one is set back')] : [];
}

function raceWarnings(targets: readonly ResolvedTarget[], latencyBudgetMs: number | null, hedgeDelayMs: number | null): readonly Finding[] {
  if (targets.length === 1) return [warningFinding('SingleTargetRace', 'spec.fallbackMode', 'a race needs a second target: with one, requests are served in sequence')];
  if (hedgeDelayMs === null || latencyBudgetMs === null || hedgeDelayMs < latencyBudgetMs) return [];
  return [warningFinding('HedgeNeverStarts', 'spec.race.hedgeDelay',
    `${formatDuration(hedgeDelayMs)} is not shorter than the latency budget of ${formatDuration(latencyBudgetMs)}, at which the next target starts anyway`)];
}
