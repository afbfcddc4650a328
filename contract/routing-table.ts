/**
 * What travels from compiler to sidecar: plain JSON, no Kubernetes types, no keys, no addresses of local targets.
 * Every default is applied and every reference resolved. Unknown fields are ignored by a reader (version skew).
 */
export interface RoutingTable {
  readonly schemaVersion: 1;
  /** `sha256:` + hex of the canonical JSON of everything else; equal content, equal version. */
  readonly version: string;
  readonly namespace: string;
  /** Sorted by name; only those that a chain uses, and all of them where a chain is unroutable and goes on in its last good form. */
  readonly providers: readonly ProviderEntry[];
  /** Sorted by name. */
  readonly chains: readonly ChainEntry[];
}

export const schemaVersion = 1;

export type Dialect = 'OpenAI';
export type Cancellation = 'StopsBilling' | 'RunsOn' | 'Unknown';
export type FallbackMode = 'Sequential' | 'Race';
export type Egress = 'Any' | 'ClusterOnly';
/** Place of a target in its chain, derived by the compiler; for status, metrics and decisions. */
export type Tier = 'Primary' | 'IntraProvider' | 'InterProvider' | 'OpenModel' | 'Local';

export interface ProviderEntry {
  /** The ModelProvider's name, `NAMESPACE/NAME` where it is another namespace's; key of the keys and endpoints resources. */
  readonly name: string;
  /** Set where the manifest names one: whose words and quirks to expect, e.g. `XAI`. */
  readonly preset: string | null;
  readonly dialect: Dialect;
  /** An absolute URL without a trailing slash, or `local:` and `name`: the address then comes as an Endpoint of that name. */
  readonly address: string;
  /** True for a cluster Service, loopback or a local tier: what `ClusterOnly` egress may use. */
  readonly inCluster: boolean;
  readonly allowInsecureHTTP: boolean;
  /** True: requests wait for a delivered key, and carry it; false: no key is ever sent. */
  readonly needsKey: boolean;
  readonly suspended: boolean;
  /** A hedge never stays inside one failure domain. */
  readonly failureDomain: string;
  readonly cancellation: Cancellation;
  /** null: the adaptive defaults of routing rule 2. */
  readonly timeouts: { readonly connectMs: number | null; readonly firstContentMs: number | null; readonly idleMs: number | null };
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  /** PEM texts trusted beside the system's roots; empty: the system's roots alone. */
  readonly caCertificates: readonly string[];
  /** Requests under way at once over the whole fleet; null: unlimited. */
  readonly concurrency: number | null;
}

export interface ChainEntry {
  readonly name: string;
  /** Names an application may ask for, after conflicts between chains were settled; `*` takes what no chain claims. */
  readonly modelNames: readonly string[];
  readonly fallbackMode: FallbackMode;
  /** Request to first content, for the whole chain; null: none. */
  readonly latencyBudgetMs: number | null;
  /** Request to last byte. */
  readonly deadlineMs: number;
  /** On the same target, for transient failures before content; 0 to 3. */
  readonly retries: number;
  readonly egress: Egress;
  /** In order of preference. Targets whose reference did not resolve are not here. */
  readonly targets: readonly TargetEntry[];
  readonly race: {
    readonly prefer: 'Primary' | 'First';
    /** null: Auto (routing rule 5). */
    readonly hedgeDelayMs: number | null;
    /** Share of admitted requests that may be hedged, 0 to 1. */
    readonly extraRequests: number;
  };
  /** A Retry-After of at most this is waited out on the same target. */
  readonly rateLimitWaitUpToMs: number;
  /** Why this chain cannot be served; a sidecar that holds a last good form serves that, marked stale. null: it can. */
  readonly unroutable: string | null;
}

export interface TargetEntry {
  readonly name: string;
  /** A `ProviderEntry.name` of the same table. */
  readonly provider: string;
  /** `*`: the name that the application asked for. */
  readonly model: string;
  readonly tier: Tier;
  /** Tokens of prompt and answer together; null: unknown, never filtered by it. */
  readonly contextTokens: number | null;
  readonly suspended: boolean;
}

/** A key as it is delivered: apart from the table, and only for the origin it names. */
export interface KeyEntry {
  readonly provider: string;
  /** `https://host:port` of the provider's address; the key is sent nowhere else, whatever table runs. */
  readonly origin: string;
  readonly secret: import('./secret.ts').Secret;
  /** Changes when the secret does; an Auth failure counts against the version that was sent. */
  readonly version: string;
}

/** Where a `local:NAME` provider answers now. Applies at once, apart from the table. */
export interface EndpointEntry {
  /** What stands behind `local:` in the provider's address: NAME, or NAMESPACE/NAME. */
  readonly name: string;
  /** `Absent`: there is nothing to wait for, as where no server program is installed; its targets are left out. */
  readonly state: 'Loading' | 'Ready' | 'Absent';
  /** Base URL with `/v1`; null while none is known. */
  readonly url: string | null;
  /** Why it is `Absent`: a clause for people. */
  readonly detail?: string;
}
