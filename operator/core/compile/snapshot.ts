import type { ObjectMeta } from '../resources/object-meta.ts';

/** What one namespace holds at one moment; the only input of the compiler beside its tools. */
export interface Snapshot {
  readonly namespace: string;
  readonly providers: readonly Manifest[];
  readonly chains: readonly Manifest[];
  /** Those that providers refer to for certificate authorities. */
  readonly configMaps: readonly { readonly name: string; readonly data: { readonly [key: string]: string } }[];
  /** Names and keys of the namespace's Secrets, never their values; left out: not known, and not judged. */
  readonly secrets?: readonly { readonly name: string; readonly keys: readonly string[] }[];
  /** `belay run` on one machine: plain http to loopback is allowed. */
  readonly standalone: boolean;
  /** DNS domain of the cluster's Services, such as `cluster.local`. */
  readonly clusterDomain: string;
}

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
