import type { ChainReport, FailureClass, TargetReport } from '@belay/contract';

/** What sidecars reported of late, and what was last concluded from it. Plain and immutable: each step gives the next. Times are monotonic. */
export interface Serving {
  readonly namespaces: ReadonlyMap<string, NamespaceServing>;
}

export interface NamespaceServing {
  /** By pod uid. */
  readonly sidecars: ReadonlyMap<string, SidecarTotals>;
  readonly chains: ReadonlyMap<string, ChainServing>;
}

/** What one sidecar said last. Its numbers are totals since its process started. */
export interface SidecarTotals {
  readonly atMs: number;
  readonly chains: ReadonlyMap<string, ChainReport>;
}

export interface ChainServing {
  /** Oldest first, each of one second, none older than `windowMs`. */
  readonly seconds: readonly TrafficSecond[];
  readonly verdict: Verdict | null;
}

/** What the reports of one second added. */
export interface TrafficSecond {
  readonly second: number;
  /** Requests that no target answered. */
  readonly failed: number;
  readonly targets: ReadonlyMap<string, TargetTraffic>;
}

export interface TargetTraffic {
  readonly served: number;
  readonly attempts: number;
  readonly failures: number;
  /** Failures by the class that their report named last. */
  readonly classes: ReadonlyMap<FailureClass, number>;
}

/** Who serves a chain: what holds until traffic says otherwise. */
export type Verdict =
  | { readonly state: 'preferred'; readonly target: string }
  | {
    readonly state: 'fallback';
    /** Monotonic; when the first request fell back. */
    readonly sinceMs: number;
    /** The same moment for people. */
    readonly sinceWallMs: number;
    /** Who answers most; null: nobody answers. */
    readonly target: string | null;
    /** `status.serving`, as last written. */
    readonly text: string;
    /** An Event has told of it. */
    readonly told: boolean;
  };

/** How far back traffic counts. */
export const windowMs = 60_000;
/** Totals of a sidecar that was not heard of for longer are a new start: what happened meanwhile is not of now. */
const forgetAfterMs = 30_000;

export function initialServing(): Serving {
  return { namespaces: new Map() };
}

/**
 * A sidecar reported. What its totals grew by since its last report counts as traffic of now; totals of a sidecar that is new here, or back after
 * a silence, only say where it stands, and totals that fell are those of a new process.
 */
export function noteReport({ namespaces }: Serving, { uid, namespace, chains }: { readonly uid: string; readonly namespace: string; readonly chains: readonly ChainReport[] }, nowMs: number): Serving {
  const before = namespaces.get(namespace) ?? { sidecars: new Map<string, SidecarTotals>(), chains: new Map<string, ChainServing>() };
  const last = before.sidecars.get(uid);
  const known = last !== undefined && nowMs - last.atMs <= forgetAfterMs;
  const now = {
    sidecars: new Map(before.sidecars).set(uid, { atMs: nowMs, chains: new Map(chains.map((chain) => [chain.name, chain])) }),
    chains: known ? addTraffic(before.chains, chains, last, nowMs) : before.chains,
  };
  return { namespaces: new Map(namespaces).set(namespace, now) };
}

/** Its connection is gone: what it said of breakers no longer counts. Traffic that it brought stays. */
export function forgetSidecar(serving: Serving, uid: string): Serving {
  const found = [...serving.namespaces].find(([, { sidecars }]) => sidecars.has(uid));
  if (found === undefined) return serving;
  const [namespace, { sidecars, chains }] = found;
  return { namespaces: new Map(serving.namespaces).set(namespace, { sidecars: new Map([...sidecars].filter(([other]) => other !== uid)), chains }) };
}

function addTraffic(before: ReadonlyMap<string, ChainServing>, reports: readonly ChainReport[], last: SidecarTotals, nowMs: number): ReadonlyMap<string, ChainServing> {
  const chains = new Map(before);
  for (const report of reports) {
    const traffic = growth(report, last.chains.get(report.name));
    if (traffic === null) continue;
    const chain = chains.get(report.name) ?? { seconds: [], verdict: null };
    chains.set(report.name, { ...chain, seconds: withTraffic(chain.seconds, traffic, nowMs) });
  }
  return chains;
}

type Traffic = Omit<TrafficSecond, 'second'>;

/** What a chain's totals grew by; null: nothing. */
function growth(now: ChainReport, before: ChainReport | undefined): Traffic | null {
  const restarted = before !== undefined && fell(now, before);
  const base = restarted ? undefined : before;
  const targets = new Map(now.targets.flatMap((target) => {
    const from = base?.targets.find(({ name }) => name === target.name);
    const grown = { served: target.served - (from?.served ?? 0), attempts: target.attempts - (from?.attempts ?? 0), failures: target.failures - (from?.failures ?? 0) };
    const { lastFailure } = target;
    const classes = new Map(lastFailure === null || grown.failures === 0 ? [] : [[lastFailure, grown.failures]]);
    return grown.served + grown.attempts + grown.failures === 0 ? [] : [[target.name, { ...grown, classes }] as const];
  }));
  const failed = now.failed - (base?.failed ?? 0);
  return failed === 0 && targets.size === 0 ? null : { failed, targets };
}

function fell(now: ChainReport, before: ChainReport): boolean {
  const targetFell = (target: TargetReport) => {
    const from = before.targets.find(({ name }) => name === target.name);
    return from !== undefined && (target.served < from.served || target.attempts < from.attempts || target.failures < from.failures);
  };
  return now.requests < before.requests || now.failed < before.failed || now.targets.some(targetFell);
}

function withTraffic(seconds: readonly TrafficSecond[], traffic: Traffic, nowMs: number): readonly TrafficSecond[] {
  const second = Math.floor(nowMs / 1_000);
  const kept = seconds.filter((one) => (second - one.second) * 1_000 < windowMs);
  const last = kept.at(-1);
  if (last?.second !== second) return [...kept, { second, ...traffic }];
  return [...kept.slice(0, -1), { second, failed: last.failed + traffic.failed, targets: addTargets(last.targets, traffic.targets) }];
}

/** Traffic of both, target by target. */
export function addTargets(one: ReadonlyMap<string, TargetTraffic>, other: ReadonlyMap<string, TargetTraffic>): ReadonlyMap<string, TargetTraffic> {
  const sum = new Map(one);
  for (const [name, traffic] of other) {
    const before = sum.get(name);
    sum.set(name, before === undefined ? traffic : {
      served: before.served + traffic.served,
      attempts: before.attempts + traffic.attempts,
      failures: before.failures + traffic.failures,
      classes: addCounts(before.classes, traffic.classes),
    });
  }
  return sum;
}

/** Failures of both, class by class. */
function addCounts(one: ReadonlyMap<FailureClass, number>, other: ReadonlyMap<FailureClass, number>): ReadonlyMap<FailureClass, number> {
  const sum = new Map(one);
  for (const [name, count] of other) sum.set(name, (sum.get(name) ?? 0) + count);
  return sum;
}
