import type { ChainEntry, EndpointEntry } from '@belay/contract';
import type { FallbackChainStatus } from '../resources/fallback-chain.ts';
import type { Serving } from './serving.ts';

export type TargetStatus = NonNullable<FallbackChainStatus['targets']>[number];

/** An Event to record on the FallbackChain. */
export interface ServingEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: 'FallbackActive' | 'FallbackCleared';
  readonly message: string;
}

/** What a chain's sidecars show, and the state to go on with. */
export interface ServingView {
  readonly next: Serving;
  /** `status.serving`; null: there was no traffic yet that says. */
  readonly text: string | null;
  /** `status.targets`. */
  readonly targets: readonly TargetStatus[];
  readonly events: readonly ServingEvent[];
}

/** What else is known of a chain. */
export interface ServingContext {
  /** Where local providers answer now, by the names of the table. */
  readonly endpoints?: readonly EndpointEntry[];
  /** `status.serving` as it stands, so that a restarted operator goes on with it. */
  readonly before?: string | undefined;
}

export type ViewServing = (serving: Serving, namespace: string, entry: ChainEntry, nowMs: number, wallMs: number, context?: ServingContext) => ServingView;
