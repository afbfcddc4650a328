import type { TargetEntry } from '@belay/contract';
import type { Verdict } from './serving.ts';
import { latestSeconds, mainFailure, recentSeconds, requestsOf, sumOf, trafficOf, unansweredOf, type TargetTraffic, type Traffic, type TrafficSecond } from './traffic.ts';

/** What decides who serves a chain. */
export interface Trial {
  /** Targets that nobody suspended, in order. */
  readonly targets: readonly [TargetEntry, ...TargetEntry[]];
  /** Seconds of the last minute. */
  readonly seconds: readonly TrafficSecond[];
  /** The first target cannot be asked now. */
  readonly preferredOut: boolean;
  readonly nowMs: number;
  /** Now, by the wall clock. */
  readonly wallMs: number;
}

/** Who serves now. `sinceMs`: from when shares of a fallback are counted, on the clock of the seconds. */
export type Judgement = { readonly state: 'preferred' } | { readonly state: 'fallback'; readonly target: string | null; readonly sinceMs: number; readonly sinceWallMs: number };

/** Shares of requests that the first target did not answer: from which on it is a fallback, and up to which one is over. */
const fallbackFrom = 0.2;
const clearedUpTo = 0.05;
/** One odd request decides nothing. */
const fewest = 2;

/**
 * Who serves, as far as traffic says; null: it says nothing new, and what held goes on to hold. Hysteresis: a fallback begins at 20 % of the
 * requests of the last 15 s and ends below 5 %, never by one request alone, unless it was the only one of a minute. Where the first target cannot be asked, which took more than one failure,
 * a long silence or a key that is gone, the last report decides alone. Another target that wins a race is no fallback as long as the first one does not fail.
 */
export function judge(trial: Trial, last: Verdict | null): Judgement | null {
  const { targets: [preferred], seconds, nowMs } = trial;
  const recent = recentSeconds(seconds, nowMs);
  const traffic = sumOf(recent);
  const requests = requestsOf(traffic);
  if (requests === 0) return null;
  const own = trafficOf(traffic, preferred.name);
  if (last?.state === 'fallback') return isOver(trial, own, requests) ? { state: 'preferred' } : goingOn(trial, last, recent);
  if (hasBegun(own, requests) || isPassed(trial)) return begun(trial, recent);
  return last !== null || own.served > 0 || requests >= fewest ? { state: 'preferred' } : null;
}

/** One request is enough where it is the only one of a minute, for seconds are few then, and the first target can be asked again. */
function isOver({ preferredOut }: Trial, { served }: TargetTraffic, requests: number): boolean {
  if (served >= fewest) return requests - served <= requests * clearedUpTo;
  return served === requests && !preferredOut;
}

function hasBegun(own: TargetTraffic, requests: number): boolean {
  const lost = requests - own.served;
  const fails = own.attempts === 0 || mainFailure(own) !== null;
  return fails && lost >= fewest && lost >= requests * fallbackFrom;
}

/** The first target cannot be asked, and enough requests went past it. */
function isPassed({ targets: [preferred], seconds, preferredOut, nowMs }: Trial): boolean {
  if (!preferredOut) return false;
  const traffic = sumOf(latestSeconds(seconds, nowMs));
  const requests = requestsOf(traffic);
  const lost = requests - trafficOf(traffic, preferred.name).served;
  return lost >= 1 && lost >= requests * fallbackFrom;
}

function begun(trial: Trial, recent: readonly TrafficSecond[]): Judgement {
  const { targets: [preferred], nowMs, wallMs } = trial;
  const first = recent.find((second) => requestsOf(second) > trafficOf(second, preferred.name).served);
  const sinceMs = Math.min(nowMs, (first?.second ?? 0) * 1_000);
  return { state: 'fallback', target: mostServing(trial, trafficSince(recent, sinceMs)), sinceMs, sinceWallMs: wallMs - (nowMs - sinceMs) };
}

/** A fallback whose target changes only for one that answers most of at least two requests. */
function goingOn(trial: Trial, { facts: { target, sinceWallMs } }: Extract<Verdict, { readonly state: 'fallback' }>, recent: readonly TrafficSecond[]): Judgement | null {
  const sinceMs = trial.nowMs - (trial.wallMs - sinceWallMs);
  const traffic = trafficSince(recent, sinceMs);
  const most = mostServing(trial, traffic);
  const served = most === null ? unansweredOf(traffic) : trafficOf(traffic, most).served;
  const changed = served >= fewest && served * 2 > requestsOf(traffic);
  return { state: 'fallback', target: changed ? most : target, sinceMs, sinceWallMs };
}

/** Traffic from that moment on; the whole second counts in which it lies. */
export function trafficSince(seconds: readonly TrafficSecond[], sinceMs: number): Traffic {
  return sumOf(seconds.filter(({ second }) => (second + 1) * 1_000 > sinceMs));
}

/** The target that answers most requests, the earlier of two, the first only while it is not out; null: none answers any. */
function mostServing({ targets, preferredOut }: Trial, traffic: Traffic): string | null {
  const most = targets.slice(preferredOut ? 1 : 0).map(({ name }) => ({ name, served: trafficOf(traffic, name).served })).reduce((best, one) => (one.served > best.served ? one : best), { name: '', served: 0 });
  return most.served === 0 ? null : most.name;
}
