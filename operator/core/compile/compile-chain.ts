import { parseShare, type ChainEntry, type TargetEntry, type Tier } from '@belay/contract';
import type { FallbackChain, FallbackChainSpec } from '../resources/fallback-chain.ts';
import { chainWarnings } from './chain-warnings.ts';
import { valueOr } from './compile-provider.ts';
import { errorFinding, warningFinding, type Finding } from './conditions.ts';
import type { ClaimedNames } from './model-names.ts';
import { parseTimeLimit } from './parse-time-limit.ts';
import { resolveTargets, withoutOutsiders, type KnownProviders, type ResolvedTarget } from './resolve-targets.ts';

/** A chain as it travels, and what was found on the way. */
export interface CompiledChainEntry {
  readonly entry: ChainEntry;
  readonly findings: readonly Finding[];
  /** Why no target can answer now: one clause a target. null: one may. */
  readonly obstacles: readonly string[] | null;
}

/** What a chain takes when neither it nor its CRD says otherwise. */
const raceLatencyBudgetMs = 2_000;
const rateLimitWaitMs = 2_000;
const deadlineMs = 600_000;
const extraRequestsShare = 0.05;

/** One FallbackChain, its defaults applied, to its entry in the table. */
export function compileChain({ metadata: { name }, spec }: FallbackChain, claimed: ClaimedNames, providers: KnownProviders, namespace: string): CompiledChainEntry {
  const findings: Finding[] = [...nameFindings(claimed)];
  const times = timesOf(spec, findings);
  const race = raceOf(spec, findings);
  const resolved = resolveTargets(spec, providers, namespace, findings);
  const allowed = spec.egress === 'ClusterOnly' ? withoutOutsiders(resolved, findings) : resolved;
  if (allowed.length === 0 && findings.every(({ severity }) => severity === 'Warning')) {
    findings.push(errorFinding('Accepted', 'NoUsableTarget', 'spec.targets', 'is empty: name at least one target'));
  }
  const unroutable = unroutableText(name, claimed, allowed, findings);
  findings.push(...chainWarnings(allowed, times, race, spec.fallbackMode));
  return {
    entry: {
      name, modelNames: claimed.names, fallbackMode: spec.fallbackMode, ...times, retries: spec.retries, egress: spec.egress,
      targets: allowed.map((target) => targetEntry(target, allowed)), race, unroutable,
    },
    findings,
    obstacles: obstaclesOf(allowed),
  };
}

function nameFindings({ names, lost }: ClaimedNames): readonly Finding[] {
  return lost.map(({ name, owner, index }) => {
    const path = index === null ? 'spec.modelNames' : `spec.modelNames[${index}]`;
    const text = `model name "${name}" belongs to chain ${owner}`;
    return index === null && names.length > 0
      ? warningFinding('DefaultNameTaken', path, `${text}: this chain is asked for as ${names.join(' or ')}`)
      : errorFinding('Accepted', 'NameTaken', path, `${text}: give this chain another name for it in spec.modelNames`);
  });
}

function timesOf(spec: FallbackChainSpec, findings: Finding[]): Pick<ChainEntry, 'latencyBudgetMs' | 'deadlineMs' | 'rateLimitWaitUpToMs'> {
  const given = spec.latencyBudget === undefined ? null : valueOr(null, parseTimeLimit(spec.latencyBudget, 'spec.latencyBudget', 1), findings);
  const latencyBudgetMs = given ?? (spec.fallbackMode === 'Race' ? raceLatencyBudgetMs : null);
  const waitUpTo = spec.triggers?.rateLimit?.waitUpTo;
  return {
    latencyBudgetMs,
    deadlineMs: valueOr(deadlineMs, parseTimeLimit(spec.deadline, 'spec.deadline', 1), findings),
    rateLimitWaitUpToMs: waitUpTo === undefined
      ? (latencyBudgetMs === null ? rateLimitWaitMs : 0)
      : valueOr(0, parseTimeLimit(waitUpTo, 'spec.triggers.rateLimit.waitUpTo', 0), findings),
  };
}

function raceOf({ race }: FallbackChainSpec, findings: Finding[]): ChainEntry['race'] {
  if (race === undefined) return { prefer: 'Primary', hedgeDelayMs: null, extraRequests: extraRequestsShare };
  return {
    prefer: race.prefer,
    hedgeDelayMs: race.hedgeDelay === 'Auto' ? null : valueOr(null, parseTimeLimit(race.hedgeDelay, 'spec.race.hedgeDelay', 0), findings),
    extraRequests: valueOr(extraRequestsShare, parseShare(race.extraRequests, 'spec.race.extraRequests'), findings),
  };
}

function obstaclesOf(targets: readonly ResolvedTarget[]): readonly string[] | null {
  const obstacles = targets.flatMap(({ name, suspended, provider: { obstacle } }) => (suspended ? [`${name} is suspended`] : obstacle === null ? [] : [`${name} ${obstacle}`]));
  return obstacles.length < targets.length ? null : obstacles;
}

/** Why the chain cannot be served at all; null: it can, with what is left of it. */
function unroutableText(chain: string, claimed: ClaimedNames, targets: readonly ResolvedTarget[], findings: readonly Finding[]): string | null {
  const errors = findings.filter(({ severity }) => severity === 'Error');
  const fatal = errors.filter(({ reason }) => reason === 'EgressForbidden' || reason === 'InvalidValue' || reason === 'NoUsableTarget' || (reason === 'NameTaken' && claimed.names.length === 0));
  const why = fatal.length > 0 ? fatal : targets.length === 0 ? errors : [];
  return why.length === 0 ? null : `chain ${chain} cannot be served: ${why.map(clauseOf).join('; ')}.`;
}

/** What the other reasons are about stands in their messages. */
function clauseOf({ reason, path, message }: Finding): string {
  return `${reason === 'InvalidValue' ? `${path} ` : ''}${message.replace(/\.$/, '')}`;
}

function targetEntry(target: ResolvedTarget, targets: readonly ResolvedTarget[]): TargetEntry {
  return {
    name: target.name,
    provider: target.provider.name,
    model: target.model,
    tier: tierOf(target, targets[0] ?? target),
    contextTokens: target.provider.contextTokens(target.model),
    suspended: target.suspended,
  };
}

function tierOf(target: ResolvedTarget, first: ResolvedTarget): Tier {
  if (target === first) return 'Primary';
  if (target.provider.local) return 'Local';
  if (target.provider === first.provider) return 'IntraProvider';
  return target.provider.openModel ? 'OpenModel' : 'InterProvider';
}
