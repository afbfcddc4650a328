import type { FallbackChain } from '@belay/operator/core/resources/fallback-chain.ts';
import type { ModelProvider } from '@belay/operator/core/resources/model-provider.ts';

/** What `belay status` read, and when. */
export interface ClusterState {
  readonly chains: readonly FallbackChain[];
  readonly providers: readonly ModelProvider[];
  /** Those with a sidecar; null: they may not be read. */
  readonly pods: readonly InjectedPod[] | null;
  readonly operator: OperatorState;
}

export type OperatorState =
  /** It may not be looked at; a clause says what. */
  | { readonly kind: 'unknown'; readonly detail: string }
  | { readonly kind: 'missing' }
  | {
    readonly kind: 'found';
    readonly namespace: string;
    readonly name: string;
    /** Pods of its two Deployments; null: not known. */
    readonly controller: PodCount | null;
    readonly webhook: PodCount | null;
    /** The webhook's certificate authority has been published. */
    readonly trusted: boolean;
    /** null: not known. */
    readonly lease: LeaseState | null;
  };

export interface PodCount {
  readonly ready: number;
  readonly wanted: number;
}

export interface LeaseState {
  /** null: nobody. */
  readonly holder: string | null;
  readonly renewedAgoMs: number;
  readonly durationMs: number;
}

export interface InjectedPod {
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly status?: {
    readonly initContainerStatuses?: readonly {
      readonly name: string;
      readonly ready?: boolean;
      readonly restartCount?: number;
      readonly state?: { readonly waiting?: { readonly reason?: string } };
    }[];
  };
}
