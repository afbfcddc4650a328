// Generated from crds/ by `npm run generate`: change the CRD, never this file.
import type { ObjectMeta } from './object-meta.ts';

/** A model name that applications ask for, and the targets that answer it, in order of preference. */
export interface FallbackChain {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly spec: FallbackChainSpec;
  readonly status?: FallbackChainStatus;
}

/** What applications may ask for, and who answers it. */
export interface FallbackChainSpec {
  /** Names that an application may ask for. Default: the chain's name and the first target's model. "*" takes what no other chain claims. */
  readonly modelNames?: readonly string[];
  /** Sequential: the next target starts when one has failed. Race: it also starts while one is late, and one of both answers. */
  readonly fallbackMode: 'Sequential' | 'Race';
  /** From the request to first content, for the whole chain. Default: 2s in Race, none in Sequential, where a provider that says nothing holds an answer that is not streamed for two minutes before the next target is tried. */
  readonly latencyBudget?: string;
  /** From the request to the last byte of the answer. */
  readonly deadline: string;
  /** On the same target, for transient failures before content. */
  readonly retries: number;
  /** ClusterOnly: no request of this chain leaves the cluster; a target outside it is refused. */
  readonly egress: 'Any' | 'ClusterOnly';
  /** In order of preference. */
  readonly targets: readonly {
    /** Default: the name of the provider; needed where a provider stands twice. */
    readonly name?: string;
    /** A ModelProvider. */
    readonly providerRef: {
      /** Where it is: one of another namespace must allow this one in its allowedNamespaces. Default: the namespace of the chain. */
      readonly namespace?: string;
      /** Its name. */
      readonly name: string;
    };
    /** The model, as the provider spells it; "*": the name that the application asked for. */
    readonly model: string;
    /** true: out of this chain until it is set back. */
    readonly suspend?: boolean;
  }[];
  /** How a race is run; also for a request that asks for one. */
  readonly race?: {
    /** Primary: within the latency budget the first target wins even if it is slower. First: who answers first wins. */
    readonly prefer: 'Primary' | 'First';
    /** How long the first target runs alone: Auto, or a duration. */
    readonly hedgeDelay: string;
    /** Share of requests that may be sent to a second target while the first still runs. */
    readonly extraRequests: string;
  };
  /** What may move a request on to the next target, beyond outages. */
  readonly triggers?: {
    /** What is done about a 429. */
    readonly rateLimit?: {
      /** A Retry-After of at most this is waited out on the same target. Default: 2s without a latencyBudget, 0s with one. */
      readonly waitUpTo?: string;
    };
  };
}

/** Written by the operator. */
export interface FallbackChainStatus {
  /** Generation of the spec that this status tells of. */
  readonly observedGeneration?: number;
  /** Accepted, ResolvedRefs, Programmed and Ready; PartiallyInvalid only where it is True. */
  readonly conditions: readonly {
    /** What it tells of. */
    readonly type: string;
    /** Whether it holds. */
    readonly status: 'True' | 'False' | 'Unknown';
    /** Why, in one word. */
    readonly reason: string;
    /** Why, in a sentence: what, where, and what would be right. */
    readonly message: string;
    /** Generation of the spec that it tells of. */
    readonly observedGeneration?: number;
    /** When status changed last. */
    readonly lastTransitionTime: string;
  }[];
  /** The targets in order, such as opus > gemini > local. */
  readonly summary?: string;
  /** Who serves now and, where it is not the first target, since when and why. */
  readonly serving?: string;
  /** Content hash of the routing table that this chain last travelled in. */
  readonly tableVersion?: string;
  /** Sidecars that asked for this chain. */
  readonly sidecars?: {
    /** Those that are connected now. */
    readonly connected: number;
    /** Of these, those that run what is published. */
    readonly current: number;
    /** Of these, those that refused it. */
    readonly rejected: number;
    /** In the words of the sidecar that refused last; empty where none did. */
    readonly lastError: string;
  };
  /** Targets that can be routed to, in order, as sidecars see them. */
  readonly targets?: readonly {
    /** As the chain names it. */
    readonly name: string;
    /** Place of the target in its chain. */
    readonly tier: 'Primary' | 'IntraProvider' | 'InterProvider' | 'OpenModel' | 'Local';
    /** Unhealthy: it answers nothing, or breakers are open. Degraded: in part. Loading, Absent: a local model that is not there yet, or not at all. Unknown: nothing was sent to it of late. */
    readonly health: 'Healthy' | 'Degraded' | 'Unhealthy' | 'Loading' | 'Absent' | 'Suspended' | 'Unknown';
    /** Why it is not healthy, and what to do; left out where nothing is wrong. */
    readonly problem?: string;
    /** Share of attempts that succeeded in the last 15 s, or in the last minute where those saw almost none, such as 99.8%; left out where there were none. */
    readonly successRate?: string;
    /** Median of the sidecars' medians from request to first content. */
    readonly firstContentP50Ms?: number;
  }[];
}
