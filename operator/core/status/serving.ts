import type { ChainReport } from '@belay/contract';
import type { FallbackChainStatus } from '../resources/fallback-chain.ts';
import type { FallbackFacts, ToldFallback } from './serving-words.ts';
import { growthOf, withTraffic, type TrafficSecond } from './traffic.ts';

/** What the sidecars of one namespace reported of late, and what was last concluded from it. Plain and immutable: each step gives the next. Times are monotonic. */
export interface Serving {
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
  return { sidecars: new Map(), chains: new Map() };
}

/**
 * A sidecar reported. What its totals grew by since its last report counts as traffic of now; totals of a sidecar that is new here, or back after
 * a silence, only say where it stands, and totals that fell are those of a new process.
 */
export function noteReport(before: Serving, { uid, chains }: { readonly uid: string; readonly chains: readonly ChainReport[] }, nowMs: number): Serving {
  const last = before.sidecars.get(uid);
  const known = last !== undefined && nowMs - last.atMs <= forgetAfterMs;
  return {
    sidecars: new Map(before.sidecars).set(uid, { atMs: nowMs, chains: new Map(chains.map((chain) => [chain.name, chain])) }),
    chains: known ? addTraffic(before.chains, chains, last, nowMs) : before.chains,
  };
}

/** Its connection is gone: what it said of breakers no longer counts. Traffic that it brought stays. */
export function forgetSidecar({ sidecars, chains }: Serving, uid: string): Serving {
  return { sidecars: new Map([...sidecars].filter(([other]) => other !== uid)), chains };
}

/** What each sidecar that is still heard of said last of a chain. */
export function liveReports({ sidecars }: Serving, chain: string, nowMs: number): readonly ChainReport[] {
  return [...sidecars.values()].filter(({ atMs }) => nowMs - atMs <= forgetAfterMs).flatMap(({ chains }) => chains.get(chain) ?? []);
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
