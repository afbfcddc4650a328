import type { ChainEntry, ProviderEntry, TargetEntry } from '@belay/contract';

/** A routing table made ready to serve: frozen, every lookup done, every number checked. */
export interface CompiledTable {
  readonly version: string;
  readonly namespace: string;
  /** By chain name. */
  readonly chains: ReadonlyMap<string, CompiledChain>;
  /** By every exact model name that a chain claims. */
  readonly byModel: ReadonlyMap<string, CompiledChain>;
  /** The chain that claims `*`; null where none does. */
  readonly catchAll: CompiledChain | null;
}

export interface CompiledChain {
  readonly entry: ChainEntry;
  readonly targets: readonly CompiledTarget[];
  /** True: a last good form of a chain that arrived unroutable. */
  readonly stale: boolean;
}

export interface CompiledTarget {
  /** Provider and model with a space between, which stands in neither: targets of several chains that are one model at one provider share their health. */
  readonly healthKey: string;
  readonly entry: TargetEntry;
  readonly provider: ProviderEntry;
}
