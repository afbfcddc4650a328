import type { EndpointEntry } from '@belay/contract';
import type { ObjectMeta } from '../resources/object-meta.ts';

/** What one namespace holds at one moment, and what it may use of others; the only input of the compiler beside its tools. */
export interface Snapshot {
  readonly namespace: string;
  /** Of the namespace itself: owners of providers elsewhere may choose by them. `kubernetes.io/metadata.name` counts also where it is not listed. */
  readonly namespaceLabels: { readonly [label: string]: string };
  readonly providers: readonly Manifest[];
  /**
   * Providers of other namespaces: those that exist of `foreignReferences(namespace, chains)`, whether or not they may be used from here, which
   * the compiler judges. Others are not looked at.
   */
  readonly foreignProviders: readonly ForeignProvider[];
  readonly chains: readonly Manifest[];
  /** Those that providers refer to for certificate authorities, each in its provider's own namespace; one that is not here does not exist. */
  readonly configMaps: readonly ConfigMapFact[];
  /** What is known of the Secrets that providers refer to, never a value. One that is not here is not known yet, and not judged. */
  readonly secrets: readonly SecretFact[];
  /** Where local providers answer now, by the names of the table (`NAME`, or `NAMESPACE/NAME` of another namespace); left out: not judged. */
  readonly endpoints?: readonly EndpointEntry[];
  /** `belay run` on one machine: plain http to loopback is allowed. */
  readonly standalone: boolean;
  /** DNS domain of the cluster's Services, such as `cluster.local`. */
  readonly clusterDomain: string;
}

/** A ModelProvider and the namespace that owns it. */
export type ForeignProvider = Manifest & { readonly namespace: string };

export interface ConfigMapFact {
  readonly namespace: string;
  readonly name: string;
  /** null: the operator may not read it. */
  readonly data: { readonly [key: string]: string } | null;
}

/** `denied`: the operator may not read it, in the API server's words. `keys`: those of its data; `invalid`: no header can carry its value; a key that nobody refers to is `present`. */
export type SecretFact = { readonly namespace: string; readonly name: string } & (
  | { readonly state: 'missing' }
  | { readonly state: 'denied'; readonly message: string }
  | { readonly state: 'found'; readonly keys: { readonly [key: string]: 'present' | 'invalid' } }
);

/**
 * A resource whose spec keeps its CRD's rules: as the API server admitted it, or as `belay validate` accepted it. Defaults and nulls need not be
 * settled yet.
 */
export interface Manifest {
  readonly metadata: ObjectMeta;
  readonly spec: object;
}

/** What the compiler may not do itself. */
export interface CompileTools {
  /** Lower-case hex of the SHA-256 of the text's UTF-8. */
  readonly sha256Hex: (text: string) => string;
  /** WHATWG URL; null where the text is none. `new URL(text)` fits. */
  readonly parseURL: (text: string) => ParsedURL | null;
}

export interface ParsedURL {
  /** With its colon: `https:`. */
  readonly protocol: string;
  /** With the port, where it is not the scheme's own. */
  readonly host: string;
  /** IPv6 in brackets. */
  readonly hostname: string;
  readonly pathname: string;
}
