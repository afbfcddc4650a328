import type { ChainReport, FailureClass, TargetReport } from '@belay/contract';

/** What requests and attempts did within some time. */
export interface Traffic {
  /** Requests that no target answered. */
  readonly failed: number;
  readonly targets: ReadonlyMap<string, TargetTraffic>;
}

/** What the reports of one second added. */
export interface TrafficSecond extends Traffic {
  /** Of the monotonic clock. */
  readonly second: number;
}

export interface TargetTraffic {
  /** Requests that it answered. */
  readonly served: number;
  readonly attempts: number;
  readonly failures: number;
  /** Failures by the class that their report named last. */
  readonly classes: ReadonlyMap<FailureClass, number>;
}

/** How far back traffic counts. */
const windowMs = 60_000;
/** How far back it decides who serves: three reports. */
const recentMs = 15_000;
/** One report, and the second in which it is looked at. */
const latestMs = 6_000;
/** Fewer requests than this decide nothing, where looking back further finds more. */
const fewRequests = 2;
/** What an application did wrong says nothing of a target. */
const ownFaults: readonly FailureClass[] = ['Client', 'ClientGone'];
const noTraffic: TargetTraffic = { served: 0, attempts: 0, failures: 0, classes: new Map() };

/** What a chain's totals grew by since the report before; null: by nothing. Totals that fell are those of a new process. */
export function growthOf(now: ChainReport, before: ChainReport | undefined): Traffic | null {
  const base = before === undefined || fell(now, before) ? undefined : before;
  const targets = new Map(now.targets.flatMap((target) => {
    const grown = targetGrowth(target, base?.targets.find(({ name }) => name === target.name) ?? noTraffic);
    return grown.served + grown.attempts + grown.failures === 0 ? [] : [[target.name, grown] as const];
  }));
  const failed = now.failed - (base?.failed ?? 0);
  return failed === 0 && targets.size === 0 ? null : { failed, targets };
}

function targetGrowth(now: TargetReport, from: Pick<TargetTraffic, 'served' | 'attempts' | 'failures'>): TargetTraffic {
  const failures = now.failures - from.failures;
  const classes = new Map(now.lastFailure === null || failures === 0 ? [] : [[now.lastFailure, failures]]);
  return { served: now.served - from.served, attempts: now.attempts - from.attempts, failures, classes };
}

function fell(now: ChainReport, before: ChainReport): boolean {
  const targetFell = (target: TargetReport) => {
    const from = before.targets.find(({ name }) => name === target.name);
    return from !== undefined && (target.served < from.served || target.attempts < from.attempts || target.failures < from.failures);
  };
  return now.requests < before.requests || now.failed < before.failed || now.targets.some(targetFell);
}

/** With what was just reported; what is older than a minute is dropped. */
export function withTraffic(seconds: readonly TrafficSecond[], traffic: Traffic, nowMs: number): readonly TrafficSecond[] {
  const second = Math.floor(nowMs / 1_000);
  const kept = lastMinute(seconds, nowMs);
  const last = kept.at(-1);
  if (last?.second !== second) return [...kept, { second, ...traffic }];
  return [...kept.slice(0, -1), { second, ...sumOf([last, traffic]) }];
}

/** The seconds of the last minute. */
export function lastMinute(seconds: readonly TrafficSecond[], nowMs: number): readonly TrafficSecond[] {
  return within(seconds, nowMs, windowMs);
}

/** The seconds that decide who serves now: the last 15 s, or the last minute where those saw almost nothing. */
export function recentSeconds(seconds: readonly TrafficSecond[], nowMs: number): readonly TrafficSecond[] {
  const recent = within(seconds, nowMs, recentMs);
  return requestsOf(sumOf(recent)) < fewRequests ? lastMinute(seconds, nowMs) : recent;
}

/** The seconds that each sidecar's last report is of, or the last 15 s where there were no requests in those. */
export function latestSeconds(seconds: readonly TrafficSecond[], nowMs: number): readonly TrafficSecond[] {
  const latest = within(seconds, nowMs, latestMs);
  return requestsOf(sumOf(latest)) === 0 ? recentSeconds(seconds, nowMs) : latest;
}

function within(seconds: readonly TrafficSecond[], nowMs: number, ms: number): readonly TrafficSecond[] {
  return seconds.filter(({ second }) => Math.floor(nowMs / 1_000) - second < ms / 1_000);
}

/** Traffic of all of them together. */
export function sumOf(parts: readonly Traffic[]): Traffic {
  const targets = new Map<string, TargetTraffic>();
  for (const part of parts) for (const [name, traffic] of part.targets) targets.set(name, add(targets.get(name) ?? noTraffic, traffic));
  return { failed: parts.reduce((total, { failed }) => total + failed, 0), targets };
}

function add(one: TargetTraffic, other: TargetTraffic): TargetTraffic {
  const classes = new Map(one.classes);
  for (const [name, count] of other.classes) classes.set(name, (classes.get(name) ?? 0) + count);
  return { served: one.served + other.served, attempts: one.attempts + other.attempts, failures: one.failures + other.failures, classes };
}

/** Traffic of one target. */
export function trafficOf({ targets }: Traffic, target: string): TargetTraffic {
  return targets.get(target) ?? noTraffic;
}

/** Requests that no target answered, without those that failed by their application's own fault. */
export function unansweredOf({ failed, targets }: Traffic): number {
  const own = [...targets.values()].flatMap(({ classes }) => ownFaults.map((name) => classes.get(name) ?? 0)).reduce((total, count) => total + count, 0);
  return Math.max(0, failed - own);
}

/** Requests that a target answered, or should have. */
export function requestsOf(traffic: Traffic): number {
  return [...traffic.targets.values()].reduce((total, { served }) => total + served, unansweredOf(traffic));
}

/** The class of most failures, what applications did wrong aside; null: there were none. */
export function mainFailure({ classes }: TargetTraffic): FailureClass | null {
  const [main] = [...classes].filter(([name]) => !ownFaults.includes(name)).sort(([a, many], [b, more]) => more - many || (a < b ? -1 : 1));
  return main?.[0] ?? null;
}
