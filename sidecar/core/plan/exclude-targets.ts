import type { ExcludedTarget, ExclusionReason } from '@belay/contract';
import { describeSeconds } from '../attempt/describe-failures.ts';
import type { CompiledTarget } from './compiled-table.ts';
import type { PlanInput, TargetNow } from './plan-types.ts';

/** A target at admission. */
export interface Candidate {
  readonly target: CompiledTarget;
  readonly now: TargetNow;
  readonly excluded: Exclusion | null;
}

/** `soft`: tried all the same where nothing else is left, by soonest return (routing rule 1). */
export interface Exclusion extends ExcludedTarget {
  readonly soft: boolean;
  readonly returnsInMs: number | null;
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

function hardReason(input: PlanInput, target: CompiledTarget, now: TargetNow): Exclusion | null {
  return configured(input, target) ?? unfit(input, target, now) ?? outOfOrder(target, now);
}

/** Left out by the manifests or by the request itself. */
function configured({ settings, chain }: PlanInput, { entry, provider }: CompiledTarget): Exclusion | null {
  if (settings.targets !== null && !settings.targets.includes(entry.name)) return hard(entry.name, 'NotRequested', '');
  if (entry.suspended) return hard(entry.name, 'Suspended', '');
  if (provider.suspended) return hard(entry.name, 'Suspended', `provider ${provider.name}`);
  const staysInside = settings.egress === 'ClusterOnly' || chain.entry.egress === 'ClusterOnly';
  return staysInside && !provider.inCluster ? hard(entry.name, 'EgressClusterOnly', 'outside the cluster') : null;
}

/** Cannot serve this request as things are. */
function unfit({ promptTokensEstimate, maxOutputTokens }: PlanInput, { entry, provider }: CompiledTarget, { keyDelivered, endpoint, endpointDetail = '' }: TargetNow): Exclusion | null {
  if (provider.needsKey && !keyDelivered) return hard(entry.name, 'KeyNotDelivered', `provider ${provider.name}`);
  if (endpoint === 'Absent') return hard(entry.name, 'ServerAbsent', endpointDetail);
  const needed = Math.ceil(promptTokensEstimate + (maxOutputTokens ?? 0));
  if (entry.contextTokens === null || needed <= entry.contextTokens) return null;
  return hard(entry.name, 'ContextWindow', `about ${needed} tokens, window ${entry.contextTokens}`);
}

/** Out for a reason of its own (routing rule 4). One that is due to return is tried, as a probe. */
function outOfOrder({ entry }: CompiledTarget, { health: { out } }: TargetNow): Exclusion | null {
  if (out === null || out.returnsInMs <= 0) return null;
  return hard(entry.name, outReasons[out.class], out.detail === '' ? `for ${describeSeconds(out.returnsInMs)} more` : out.detail, out.returnsInMs);
}

function hard(target: string, reason: ExclusionReason, detail: string, returnsInMs: number | null = null): Exclusion {
  return { target, reason, detail, soft: false, returnsInMs };
}

const outReasons = { Rate: 'RateLimited', Auth: 'AuthFailed', Missing: 'ModelMissing', Quota: 'QuotaExhausted' } as const;

function softReason({ entry, provider }: CompiledTarget, { health, inFlight }: TargetNow): Exclusion | null {
  const soft = (reason: ExclusionReason, detail: string, returnsInMs: number): Exclusion => ({ target: entry.name, reason, detail, soft: true, returnsInMs });
  if (health.breaker === 'open') return soft('BreakerOpen', `open for ${describeSeconds(health.returnsInMs)} more`, health.returnsInMs);
  if (health.breaker === 'half-open' && health.probing) return soft('BreakerOpen', 'a probe is under way', health.returnsInMs);
  if (provider.concurrency !== null && inFlight >= provider.concurrency) return soft('ConcurrencyCap', `${inFlight} of ${provider.concurrency} under way`, 0);
  return null;
}
