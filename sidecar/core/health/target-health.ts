import type { Settlement, TargetQuantiles } from '../attempt/protocol.ts';

/** How one target looks now, to admission (routing rule 1). */
export interface HealthView {
  /** `closed`: traffic flows; `open`: it does not; `half-open`: one real request at a time probes it. */
  readonly breaker: 'closed' | 'open' | 'half-open';
  /** Half-open and the one probe is under way. */
  readonly probing: boolean;
  /** Until traffic or a probe may flow again; 0 where it may. */
  readonly returnsInMs: number;
  /** Out for a reason of its own (rule 4), not by the breaker; null: it is not. */
  readonly out: { readonly class: 'Rate' | 'Auth' | 'Missing' | 'Quota'; readonly returnsInMs: number; readonly detail: string } | null;
  /** null: fewer than 50 samples. */
  readonly quantiles: TargetQuantiles | null;
}

/**
 * Health of one target in one sidecar (routing rule 7): O(1) a request, held in memory, deterministic. All times are
 * the clock's milliseconds. The shell owns one for each provider and model, and keeps it over table swaps.
 */
export interface TargetHealth {
  /** An attempt is sent; counts at once. */
  sent(atMs: number, probe: boolean): void;
  /** First content came, `firstContentMs` after the attempt's start. */
  answered(atMs: number, firstContentMs: number): void;
  /** The attempt is over. */
  settled(atMs: number, settlement: Settlement, more: SettledAttempt): void;
  view(atMs: number): HealthView;
  /** The provider's key now has this version: an Auth or Quota failure counted against another one is over. */
  keyChanged(version: string | null): void;
  /** The provider's or target's spec changed: a Missing failure is over. */
  specChanged(): void;
}

/** What a settlement does not say of its attempt. */
export interface SettledAttempt {
  readonly probe: boolean;
  /** Of the key that was sent; null where none was. */
  readonly keyVersion: string | null;
  /** Since its start. */
  readonly elapsedMs: number;
  /** Asked for as a stream, so that silence can be blamed; default true. */
  readonly streamed?: boolean;
  /** First content had come; default: where its outcome is Broken. */
  readonly answered?: boolean;
}

/** Tokens for hedges of one chain (routing rule 5): share of admitted requests, bucket of 10 that starts with 1, floor one per 10 s. */
export interface HedgeBudget {
  /** A request was admitted. */
  admitted(atMs: number): void;
  /** An admitted request is over, however it ended: hedges in flight are held to 20 % of those that are not. */
  finished(): void;
  /** Takes a token: null where the hedge may start, else why not, e.g. `no hedge token left`. */
  take(atMs: number): string | null;
  /** The hedge that was taken is over. */
  ended(): void;
}
