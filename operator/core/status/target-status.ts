import type { EndpointEntry, FailureClass, KeyEntry, ProviderEntry, TargetEntry, TargetReport } from '@belay/contract';
import type { FallbackChainStatus } from '../resources/fallback-chain.ts';
import { cutText } from './cut-text.ts';
import { describeFault, type Fault, type FaultPlace, type KeyRef } from './describe-fault.ts';
import type { Health } from './serving.ts';
import { mainFailure, trafficOf, type TargetTraffic, type Traffic } from './traffic.ts';

export type TargetStatus = NonNullable<FallbackChainStatus['targets']>[number];

/** What is known of a chain's targets beside what sidecars report; what is left out is not judged. */
export interface TargetFacts {
  /** Of the chain's table. */
  readonly providers?: readonly ProviderEntry[];
  /** Where local providers answer now, by the names of the table. */
  readonly endpoints?: readonly EndpointEntry[];
  /** Providers whose key can be delivered. */
  readonly keys?: readonly Pick<KeyEntry, 'provider'>[];
  /** Where providers of the chain's own namespace have their keys from. */
  readonly keyRefs?: ReadonlyMap<string, KeyRef>;
}

/** What is known of one target. */
export interface TargetEvidence {
  readonly target: TargetEntry;
  readonly facts: TargetFacts;
  /** What each live sidecar reported of it last. */
  readonly reports: readonly TargetReport[];
  /** Traffic of the last seconds, and of the last minute. */
  readonly recent: Traffic;
  readonly minute: Traffic;
}

const degradedBelow = 0.9;
const unhealthyBelow = 0.5;
const faulty: readonly Health[] = ['Degraded', 'Unhealthy', 'Loading', 'Absent'];
/** `maxLength` of the CRD. */
const longestProblem = 1_024;
/** `int32` of the CRD: the API server would refuse the whole status for a sidecar that reports more. */
const longestMedianMs = 2_147_483_647;
/** What traffic alone can show. */
const lastSeen: readonly Health[] = ['Healthy', 'Degraded', 'Unhealthy'];

/** A person took it out. */
export function isSuspended(target: TargetEntry, { providers = [] }: TargetFacts): boolean {
  return target.suspended || providers.some(({ name, suspended }) => name === target.provider && suspended);
}

/** Why it cannot be asked, whatever it answered before; null: nothing is known against it. */
function absenceOf({ provider }: TargetEntry, { providers = [], endpoints = [], keys }: TargetFacts): Extract<Fault, 'Loading' | 'Absent' | 'KeyNotDelivered'> | null {
  const state = endpoints.find(({ name }) => name === provider)?.state;
  if (state === 'Loading' || state === 'Absent') return state;
  const needsKey = providers.some(({ name, needsKey: needed }) => name === provider && needed);
  return needsKey && keys !== undefined && keys.every((key) => key.provider !== provider) ? 'KeyNotDelivered' : null;
}

/** Why a target does not answer: what is known against it, else what happened last. */
export function faultOf({ target, facts, reports, recent, minute }: TargetEvidence): Fault {
  return absenceOf(target, facts)
    ?? mainFailure(trafficOf(recent, target.name))
    ?? mainFailure(trafficOf(minute, target.name))
    ?? mostOf(reports.filter(({ breaker }) => breaker !== 'closed'))
    ?? mostOf(reports)
    ?? 'NotTried';
}

/** `faultOf` with what to do. */
export function problemOf(evidence: TargetEvidence): string {
  return describeFault(faultOf(evidence), placeOf(evidence));
}

function placeOf({ target: { provider, model }, facts: { providers = [], endpoints = [], keyRefs } }: TargetEvidence): FaultPlace {
  const local = providers.some(({ name, address }) => name === provider && address.startsWith('local:'));
  const keyRef = keyRefs === undefined || provider.includes('/') ? undefined : keyRefs.get(provider) ?? null;
  return { provider, model, local, keyRef, detail: endpoints.find(({ name }) => name === provider)?.detail ?? '' };
}

/** The last failure that most of them name. */
function mostOf(reports: readonly TargetReport[]): FailureClass | null {
  const counts = new Map<FailureClass, number>();
  for (const { lastFailure } of reports) if (lastFailure !== null) counts.set(lastFailure, (counts.get(lastFailure) ?? 0) + 1);
  const [most] = [...counts].sort(([a, many], [b, more]) => more - many || (a < b ? -1 : 1));
  return most?.[0] ?? null;
}

/** It cannot be asked now: its key or its server is not there, or most sidecars keep their breakers from it. */
export function isOut({ target, facts, reports }: TargetEvidence): boolean {
  return absenceOf(target, facts) !== null || mostBreakersOpen(reports);
}

/** Of the sidecars that ever asked it. */
function mostBreakersOpen(reports: readonly TargetReport[]): boolean {
  const asked = reports.filter(({ breaker, attempts }) => breaker !== 'closed' || attempts > 0);
  return asked.length > 0 && asked.filter(({ breaker }) => breaker !== 'closed').length * 2 >= asked.length;
}

/** Health by what sidecars saw; where they saw nothing, `last` holds. */
export function healthOf({ target, facts, reports, recent }: TargetEvidence, last: Health): Health {
  if (isSuspended(target, facts)) return 'Suspended';
  const absence = absenceOf(target, facts);
  if (absence === 'KeyNotDelivered') return 'Unhealthy';
  return absence ?? seenHealth(trafficOf(recent, target.name), reports, last);
}

/** What holds while no traffic says otherwise: never what is known against it now, which is over when it is no longer known. */
export function lastingHealth({ target, facts }: TargetEvidence, health: Health): Health {
  return absenceOf(target, facts) === null ? health : 'Unknown';
}

function seenHealth({ attempts, failures }: TargetTraffic, reports: readonly TargetReport[], last: Health): Health {
  const success = attempts === 0 ? 1 : 1 - failures / attempts;
  if (success < unhealthyBelow || mostBreakersOpen(reports)) return 'Unhealthy';
  if (success < degradedBelow || reports.some(({ breaker }) => breaker !== 'closed')) return 'Degraded';
  return attempts > 0 ? 'Healthy' : lastSeen.includes(last) ? last : 'Unknown';
}

/** One line of `status.targets`. */
export function targetStatus(evidence: TargetEvidence, health: Health): TargetStatus {
  const { target, reports, recent } = evidence;
  const { attempts, failures } = trafficOf(recent, target.name);
  const medians = reports.flatMap(({ firstContentP50Ms }) => firstContentP50Ms ?? []).sort((a, b) => a - b);
  const median = medians[Math.floor((medians.length - 1) / 2)];
  return {
    name: target.name,
    tier: target.tier,
    health,
    ...(faulty.includes(health) && faultOf(evidence) !== 'NotTried' ? { problem: cutText(problemOf(evidence), longestProblem) } : {}),
    // What it did before it went out of use would belie that.
    ...(attempts === 0 || isOut(evidence) ? {} : { successRate: `${Math.floor(Math.max(0, 1 - failures / attempts) * 1_000) / 10}%` }),
    ...(median === undefined ? {} : { firstContentP50Ms: Math.min(Math.round(median), longestMedianMs) }),
  };
}
