import type { AttemptPlan } from '@belay/sidecar/core/attempt/protocol.ts';
import { readLog, type LoggedAttempt, type RequestLog } from './request-log.ts';
import type { Moment, VirtualRun } from './run-virtual.ts';

/** Failures after which the same target may be tried again in one request. */
const repeatable = ['Transient', 'Rate', 'Overload', 'Unreachable', 'Loading'];
/** Times are floats: a timer's due time is a sum. */
const slackMs = 0.001;

/** What must hold in any order of events, whatever the shell sends: true where it does. */
const safety: { readonly [sentence: string]: (log: RequestLog, plan: AttemptPlan) => boolean } = {
  'at most one attempt commits': ({ commits }) => commits.length <= 1,
  'a request ends once, and nothing is done after it': ({ ends, lastOrder }) => ends.length === 0 || (ends.length === 1 && ends[0]?.order === lastOrder),
  'an answer, and a break of it, is of the attempt that committed': ({ ends, commits }) =>
    ends.every(({ ending }) => (ending.type !== 'answered' && ending.type !== 'broken') || ending.attempt === commits[0]?.attempt),
  'an error answer means that nothing was committed': ({ ends, commits }) => ends.every(({ ending }) => ending.type !== 'failed' || commits.length === 0),
  'an error answer has the status of an error': ({ ends }) => ends.every(({ ending }) => ending.type !== 'failed' || (ending.status >= 400 && ending.status <= 599)),
  'every attempt is settled at the end': ({ ends, attempts }) => ends.length === 0 || attempts.every(({ settlement }) => settlement !== null),
  'only what committed ends Ok or Broken': ({ attempts, commits }) =>
    attempts.every(({ number, settlement }) => (settlement?.outcome !== 'Ok' && settlement?.outcome !== 'Broken') || number === commits[0]?.attempt),
  'no attempt starts after commit': ({ attempts, commits }) => commits.every(({ atMs }) => attempts.every(({ startedMs }) => startedMs <= atMs)),
  'at most two attempts run at once, and one in sequence': ({ mostAtOnce }, plan) => mostAtOnce <= (plan.mode === 'Race' && plan.race.raceable ? 2 : 1),
  'there are at most two attempts more than targets, but for the first Loading of each': ({ attempts }, plan) => {
    const loadings = new Set(attempts.filter(({ settlement }) => settlement?.failure?.class === 'Loading').map(({ index }) => index));
    return attempts.length <= plan.targets.length + 2 + loadings.size;
  },
};

/** The sentences of `safety` and of hedges and repeats that do not hold. */
export function brokenSafety(plan: AttemptPlan, moments: readonly Moment[]): string[] {
  const log = readLog(plan, moments);
  const said = Object.entries(safety).flatMap(([sentence, holds]) => (holds(log, plan) ? [] : [`not so: ${sentence}`]));
  return [...log.broken, ...said, ...brokenHedges(log), ...log.attempts.flatMap((attempt) => brokenRepeat(log.attempts, attempt))];
}

function brokenHedges({ attempts, asked, granted }: RequestLog): string[] {
  const hedges = attempts.filter(({ role }) => role === 'Hedge');
  const said = hedges.length > Math.min(1, granted, asked.length) ? [`${hedges.length} hedges, ${granted} granted`] : [];
  for (const { target, beside } of hedges) {
    if (beside.some((number) => attempts[number]?.target.failureDomain === target.failureDomain)) said.push(`${target.name} is hedged inside failure domain ${target.failureDomain}`);
    if (beside.length !== 1) said.push(`a hedge starts beside ${beside.length} attempts`);
  }
  return said;
}

/** A target is tried again only after a failure that passes, or when it was cancelled for a winner that broke. */
function brokenRepeat(attempts: readonly LoggedAttempt[], { number, index, target }: LoggedAttempt): string[] {
  const before = attempts.slice(0, number).filter((other) => other.index === index).at(-1);
  if (before === undefined) return [];
  if (before.settlement === null) return [`${target.name} is tried twice at once`];
  const { outcome, failure } = before.settlement;
  if (failure === null) return outcome === 'Cancelled' ? [] : [`${target.name} is tried again after ${outcome}`];
  if (!repeatable.includes(failure.class)) return [`${target.name} is tried again after ${failure.class}`];
  return target.probe && failure.class !== 'Loading' ? [`the probe ${target.name} is tried again`] : [];
}

/** What must hold of a whole run beside that: it ends in time, leaves nothing behind, keeps the budget, and gives up on nobody too early. */
export function brokenInvariants(plan: AttemptPlan, run: VirtualRun, clientLeavesAtMs: number | null): string[] {
  const log = readLog(plan, run.moments);
  const said = brokenSafety(plan, run.moments);
  const must = (holds: boolean, otherwise: string): void => {
    if (!holds) said.push(otherwise);
  };
  must(run.ending !== null, 'the request never ends');
  must(run.leakedTimers.length === 0, `timers are left: ${run.leakedTimers.join(', ')}`);
  must(run.leakedAttempts.length === 0, `attempts are left: ${run.leakedAttempts.join(', ')}`);
  must(run.endedMs <= plan.deadlineMs + slackMs, `it ends at ${run.endedMs} ms, the deadline is ${plan.deadlineMs} ms`);
  const uncommittedUntil = log.commits[0]?.atMs ?? run.endedMs;
  must(uncommittedUntil <= (plan.clientTimeoutMs ?? Infinity) + slackMs, `nothing is committed by ${uncommittedUntil} ms, the client's timeout is ${plan.clientTimeoutMs} ms`);
  if (clientLeavesAtMs !== null) must(run.endedMs <= clientLeavesAtMs + slackMs, `it goes on until ${run.endedMs} ms, the client left at ${clientLeavesAtMs} ms`);
  return [...said, ...brokenBudget(plan, log), ...leftUntried(plan, log, run)];
}

/** Which targets could still have been started at that time: not tried, and no window known to be too small. */
function untriedAt(plan: AttemptPlan, { attempts }: RequestLog, atMs: number): string[] {
  const floor = Math.max(0, ...attempts.filter(({ settlement, endedMs }) => settlement?.failure?.class === 'Context' && (endedMs ?? Infinity) <= atMs).map(({ target }) => target.contextTokens ?? 0));
  return plan.targets.filter((target, index) => (target.contextTokens === null || target.contextTokens > floor)
    && !attempts.some((attempt) => attempt.index === index && attempt.startedMs <= atMs)).map(({ name }) => name);
}

/** A silent attempt that runs alone gives way by the end of the budget, or of as much silence, while another target could be tried. */
function brokenBudget(plan: AttemptPlan, log: RequestLog): string[] {
  const budget = plan.latencyBudgetMs;
  if (budget === null) return [];
  return log.attempts.flatMap((attempt) => {
    const { startedMs, endedMs, spokeMs, target, number } = attempt;
    const untilMs = spokeMs ?? endedMs ?? Infinity;
    const dueMs = startedMs === 0 && plan.mode === 'Sequential' ? budget : startedMs + budget;
    const alone = log.attempts.every((other) => other.number === number || (other.endedMs ?? Infinity) <= dueMs || other.startedMs > dueMs);
    const passed = Math.max(dueMs, ...log.attempts.filter((other) => other.number !== number).map((other) => other.endedMs ?? 0));
    if (!target.streamed || !alone || untilMs <= passed + slackMs) return [];
    const untried = untriedAt(plan, log, passed);
    return untried.length === 0 ? [] : [`${target.name} is silent until ${untilMs} ms, past ${passed} ms, while ${untried.join(', ')} could be tried`];
  });
}

/** An error answer means that every target was tried, but for the deadline and for Client from the first. */
function leftUntried(plan: AttemptPlan, log: RequestLog, run: VirtualRun): string[] {
  if (run.ending?.type !== 'failed' || run.ending.status === 504) return [];
  const first = log.attempts[0]?.index;
  if (log.attempts.some(({ index, settlement }) => index === first && settlement?.failure?.class === 'Client')) return [];
  const untried = untriedAt(plan, log, run.endedMs);
  // What has less left than its median needs is passed over for the last, which starts whatever is left.
  return untried.filter((name) => plan.targets.find((target) => target.name === name)?.quantiles === null).map((name) => `it fails with ${run.ending?.type === 'failed' ? run.ending.status : ''} and ${name} was not tried`);
}
