import type { ExcludedTarget, ExclusionReason } from '@belay/contract';
import { describeSeconds } from '../attempt/describe-failures.ts';
import type { CompiledTarget } from './compiled-table.ts';
import type { PlanInput, TargetNow } from './plan-types.ts';

/** A target at admission. `soft`: tried all the same where nothing else is left, by soonest return (routing rule 1). */
export interface Candidate {
  readonly target: CompiledTarget;
  readonly now: TargetNow;
  readonly excluded: (ExcludedTarget & { readonly soft: boolean; readonly returnsInMs: number | null }) | null;
}

/** Looks at every target once, in the chain's order, or in that of the request where it names some. */
export function admitTargets(input: PlanInput): Candidate[] {
  const { chain: { targets }, settings } = input;
  const requested = settings.targets;
  const ordered = requested === null ? targets : [
    ...requested.flatMap((name) => targets.filter(({ entry }) => entry.name === name)),
    ...targets.filter(({ entry }) => !requested.includes(entry.name)),
  ];
  return ordered.map((target) => {
    const now = input.now(target);
    return { target, now, excluded: hardReason(input, target, now) ?? softReason(target, now) };
  });
}

type Exclusion = NonNullable<Candidate['excluded']>;

function hardReason(input: PlanInput, target: CompiledTarget, now: TargetNow): Exclusion | null {
  const { settings, chain, promptTokensEstimate, maxOutputTokens } = input;
  const { entry, provider } = target;
  const hard = (reason: ExclusionReason, detail: string, returnsInMs: number | null = null): Exclusion => ({ target: entry.name, reason, detail, soft: false, returnsInMs });
  if (settings.targets !== null && !settings.targets.includes(entry.name)) return hard('NotRequested', '');
  if (entry.suspended || provider.suspended) return hard('Suspended', entry.suspended ? '' : `provider ${provider.name}`);
  if (!provider.inCluster && (settings.egress === 'ClusterOnly' || chain.entry.egress === 'ClusterOnly')) return hard('EgressClusterOnly', 'outside the cluster');
  if (provider.needsKey && !now.keyDelivered) return hard('KeyNotDelivered', `provider ${provider.name}`);
  const needed = promptTokensEstimate + (maxOutputTokens ?? 0);
  if (entry.contextTokens !== null && needed > entry.contextTokens) return hard('ContextWindow', `about ${Math.ceil(needed)} tokens, window ${entry.contextTokens}`);
  const { out } = now.health;
  if (out === null || out.returnsInMs <= 0) return null;
  return hard(outReasons[out.class], out.detail === '' ? `for ${describeSeconds(out.returnsInMs)} more` : out.detail, out.returnsInMs);
}

const outReasons = { Rate: 'RateLimited', Auth: 'AuthFailed', Missing: 'ModelMissing', Quota: 'QuotaExhausted' } as const;

function softReason({ entry, provider }: CompiledTarget, { health, inFlight }: TargetNow): Exclusion | null {
  const soft = (reason: ExclusionReason, detail: string, returnsInMs: number): Exclusion => ({ target: entry.name, reason, detail, soft: true, returnsInMs });
  if (health.breaker === 'open') return soft('BreakerOpen', `open for ${describeSeconds(health.returnsInMs)} more`, health.returnsInMs);
  if (health.breaker === 'half-open' && health.probing) return soft('BreakerOpen', 'a probe is under way', health.returnsInMs);
  if (provider.concurrency !== null && inFlight >= provider.concurrency) return soft('ConcurrencyCap', `${inFlight} of ${provider.concurrency} under way`, 0);
  return null;
}
