import type { ChainReport } from '@belay/contract';
import type { FallbackChainStatus } from '../resources/fallback-chain.ts';
import type { FallbackFacts, ToldFallback } from './serving-words.ts';
import { growthOf, withTraffic, type TrafficSecond } from './traffic.ts';

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
  /** Oldest first, those of the last minute; none from before a fallback was over, which decide nothing any more. */
  readonly seconds: readonly TrafficSecond[];
  readonly verdict: Verdict | null;
  /** Of each target, what its last traffic showed. */
  readonly health: ReadonlyMap<string, Health>;
}

export type Health = NonNullable<FallbackChainStatus['targets']>[number]['health'];

/** Who serves a chain: what holds until traffic says otherwise. `preferred`: the target that should, and does or does not. */
export type Verdict =
  | { readonly state: 'preferred'; readonly preferred: string }
  | {
    readonly state: 'fallback';
    readonly preferred: string;
    /** As traffic last showed it. */
    readonly facts: FallbackFacts;
    /** What the last Event said: who answers, and why the first target does not. */
    readonly told: Pick<ToldFallback, 'target' | 'fault'>;
  };

/** Totals of a sidecar that was not heard of for longer are a new start: what happened meanwhile is not of now. */
const forgetAfterMs = 30_000;
/** A chain without traffic for longer is forgotten, unless it is in a fallback; its status says on what it last said. */
const forgetChainAfterMs = 3_600_000;

/** A chain of which nothing was heard yet. */
export const untouched: ChainServing = { seconds: [], verdict: null, health: new Map() };

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

/** What each sidecar that is still heard of said last of a chain. */
export function liveReports({ namespaces }: Serving, namespace: string, chain: string, nowMs: number): readonly ChainReport[] {
  const live = [...(namespaces.get(namespace)?.sidecars.values() ?? [])].filter(({ atMs }) => nowMs - atMs <= forgetAfterMs);
  return live.flatMap(({ chains }) => chains.get(chain) ?? []);
}

function addTraffic(before: ReadonlyMap<string, ChainServing>, reports: readonly ChainReport[], last: SidecarTotals, nowMs: number): ReadonlyMap<string, ChainServing> {
  const chains = new Map([...before].filter(([, { seconds, verdict }]) => verdict?.state === 'fallback' || nowMs - (seconds.at(-1)?.second ?? 0) * 1_000 < forgetChainAfterMs));
  for (const report of reports) {
    const traffic = growthOf(report, last.chains.get(report.name));
    if (traffic === null) continue;
    const chain = chains.get(report.name) ?? untouched;
    chains.set(report.name, { ...chain, seconds: withTraffic(chain.seconds, traffic, nowMs) });
  }
  return chains;
}
