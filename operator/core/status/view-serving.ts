import type { ChainEntry, TargetEntry, TargetReport } from '@belay/contract';
import { judge, trafficSince, type Judgement, type Trial } from './judge-serving.ts';
import { needsPerson } from './describe-fault.ts';
import { describeClearedEvent, describeFallback, describeFallbackEvent, parseFallback, type FallbackFacts, type ToldFallback } from './serving-words.ts';
import { liveReports, untouched, type ChainServing, type Serving, type Verdict } from './serving.ts';
import { faultOf, healthOf, isOut, isSuspended, lastingHealth, problemOf, targetStatus, type TargetEvidence, type TargetFacts, type TargetStatus } from './target-status.ts';
import { lastMinute, recentSeconds, requestsOf, sumOf, trafficOf, unansweredOf } from './traffic.ts';

/** An Event to record on the FallbackChain. */
export interface ServingEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: 'FallbackActive' | 'FallbackCleared';
  readonly message: string;
}

/** What a chain's sidecars show, and the state to go on with. */
export interface ServingView {
  readonly next: Serving;
  /** `status.serving`; null: no traffic has said yet. */
  readonly text: string | null;
  /** `status.targets`. */
  readonly targets: readonly TargetStatus[];
  readonly events: readonly ServingEvent[];
}

/** What else is known of a chain. */
export interface ServingContext extends TargetFacts {
  /** `status.serving` as it stands: an operator that was restarted goes on with it. */
  readonly before?: string | undefined;
}

/** Everything that is known of the chain at this moment. */
interface Sight {
  readonly entry: ChainEntry;
  readonly context: ServingContext;
  readonly chain: ChainServing;
  readonly evidence: readonly TargetEvidence[];
  readonly nowMs: number;
  readonly wallMs: number;
}

/**
 * Who answers a chain's requests, from what its sidecars report: call it at each report, and about every 5 s. `nowMs` is the clock of
 * `noteReport`, `wallMs` the same moment for people. With no traffic the last verdict holds. Only names of the chain's own targets and classes of
 * failure are ever said, whatever stands in the reports.
 */
export function viewServing(serving: Serving, entry: ChainEntry, nowMs: number, wallMs: number, context: ServingContext = {}): ServingView {
  const sight = sightOf(serving, entry, nowMs, wallMs, context);
  const last = lastVerdict(sight);
  const trial = trialOf(sight);
  const judgement = trial === null ? null : judge(trial, last);
  const { verdict, events } = judgement === null || trial === null ? { verdict: last, events: [] } : conclude(sight, trial, judgement, last);
  const health = new Map(sight.evidence.map((one) => [one.target.name, healthOf(one, sight.chain.health.get(one.target.name) ?? 'Unknown')] as const));
  const lasting = new Map(sight.evidence.map((one) => [one.target.name, lastingHealth(one, health.get(one.target.name) ?? 'Unknown')] as const));
  const isCleared = events.some(({ reason }) => reason === 'FallbackCleared');
  return {
    next: { ...serving, chains: new Map(serving.chains).set(entry.name, { seconds: isCleared ? [] : sight.chain.seconds, verdict, health: lasting }) },
    text: verdict === null ? null : verdict.state === 'preferred' ? verdict.preferred : describeFallback(verdict.facts, wallMs),
    targets: sight.evidence.map((one) => targetStatus(one, health.get(one.target.name) ?? 'Unknown')),
    events,
  };
}

function sightOf(serving: Serving, entry: ChainEntry, nowMs: number, wallMs: number, context: ServingContext): Sight {
  const chain = serving.chains.get(entry.name) ?? untouched;
  const reports = liveReports(serving, entry.name, nowMs);
  const recent = sumOf(recentSeconds(chain.seconds, nowMs));
  const minute = sumOf(lastMinute(chain.seconds, nowMs));
  const reportsOf = ({ name }: TargetEntry): readonly TargetReport[] => reports.flatMap(({ targets }) => targets.filter((target) => target.name === name));
  return { entry, context, chain, nowMs, wallMs, evidence: entry.targets.map((target) => ({ target, facts: context, reports: reportsOf(target), recent, minute })) };
}

/** What held until now, as long as it speaks of targets that the chain still has, and of its first. */
function lastVerdict({ entry, context, chain: { verdict } }: Sight): Verdict | null {
  if (verdict === null) return null;
  const names = entry.targets.filter((target) => !isSuspended(target, context)).map(({ name }) => name);
  const whole = verdict.preferred === names[0] && (verdict.state === 'preferred' || verdict.facts.target === null || names.includes(verdict.facts.target));
  return whole ? verdict : null;
}

function trialOf({ entry, context, chain, evidence, nowMs, wallMs }: Sight): Trial | null {
  const [first, ...rest] = entry.targets.filter((target) => !isSuspended(target, context));
  if (first === undefined) return null;
  const preferredOut = evidence.some((one) => one.target === first && isOut(one));
  return { targets: [first, ...rest], seconds: lastMinute(chain.seconds, nowMs), preferredOut, nowMs, wallMs };
}

interface Conclusion {
  readonly verdict: Verdict;
  readonly events: readonly ServingEvent[];
}

/** The verdict to go on with, and the Events of what changed. */
function conclude(sight: Sight, trial: Trial, judgement: Judgement, last: Verdict | null): Conclusion {
  const earlier = earlierFallback(sight, last);
  if (judgement.state === 'fallback') return fallenBack(sight, trial, judgement, last, earlier);
  const preferred = trial.targets[0].name;
  const verdict = { state: 'preferred', preferred } as const;
  if (earlier === null) return { verdict, events: [] };
  return { verdict, events: [{ type: 'Normal', reason: 'FallbackCleared', message: describeClearedEvent(sight.entry.name, preferred, earlier.target, earlier.sinceWallMs, sight.wallMs) }] };
}

function fallenBack(sight: Sight, trial: Trial, judgement: Fallback, last: Verdict | null, earlier: ToldFallback | null): Conclusion {
  const { target } = judgement;
  const preferred = trial.targets[0].name;
  const facts = fallbackFacts(sight, trial, judgement, earlier?.sinceWallMs ?? judgement.sinceWallMs, last);
  // Traffic of a fallback that is long over says nothing of who answers it now.
  if (last?.state === 'fallback' && !facts.shares.some((one) => one.target === target)) return { verdict: last, events: [] };
  const fault = facts.faults[0]?.fault ?? '';
  const verdict = { state: 'fallback', preferred, facts } as const;
  if (earlier !== null && !isNews({ target, fault }, earlier, preferred)) return { verdict: { ...verdict, told: earlier }, events: [] };
  return { verdict: { ...verdict, told: { target, fault } }, events: [{ type: 'Warning', reason: 'FallbackActive', message: describeFallbackEvent(facts, sight.wallMs) }] };
}

type Fallback = Extract<Judgement, { readonly state: 'fallback' }>;

/**
 * That the first target's part grows as it recovers is no news until the fallback is over; that it fails in another way is, where only a person's
 * doing ends that.
 */
function isNews({ target, fault }: Pick<ToldFallback, 'target' | 'fault'>, earlier: ToldFallback, preferred: string): boolean {
  return (target !== earlier.target && target !== preferred) || (fault !== earlier.fault && needsPerson(fault));
}

/** The fallback that an Event has told of and that is not over; null: none. */
function earlierFallback({ context, wallMs }: Sight, last: Verdict | null): ToldFallback | null {
  if (last === null) return parseFallback(context.before ?? '', wallMs);
  return last.state === 'fallback' ? { ...last.told, sinceWallMs: last.facts.sinceWallMs } : null;
}

function fallbackFacts({ entry, evidence }: Sight, { targets, seconds }: Trial, { target, sinceMs }: Fallback, sinceWallMs: number, last: Verdict | null): FallbackFacts {
  const traffic = trafficSince(seconds, sinceMs);
  const requests = requestsOf(traffic);
  const counts = [...targets.map(({ name }) => ({ target: name, count: trafficOf(traffic, name).served })), { target: null, count: unansweredOf(traffic) }];
  const shares = counts.filter(({ count }) => count > 0).map((one) => ({ target: one.target, share: one.count / requests })).sort((a, b) => b.share - a.share);
  const [preferred] = targets;
  const before = target === null ? targets : targets.slice(0, Math.max(1, targets.findIndex(({ name }) => name === target)));
  const faults = before.flatMap(({ name }) => evidence.filter((one) => one.target.name === name)).map((one) => knownFault(one, last));
  return { chain: entry.name, preferred: preferred.name, target, shares, faults, sinceWallMs };
}

/** What was wrong with a target that is coming back stays said until the fallback is over. */
function knownFault(one: TargetEvidence, last: Verdict | null): FallbackFacts['faults'][number] {
  const now = { target: one.target.name, fault: faultOf(one), problem: problemOf(one) };
  const before = last?.state === 'fallback' ? last.facts.faults.find(({ target }) => target === now.target) : undefined;
  return now.fault === 'NotTried' ? before ?? now : now;
}
