import type { KeyEntry, RoutingTable } from '@belay/contract';
import type { LocalModel } from '../local-tier/local-model.ts';

/** All that is served, out of manifests and environment. */
export interface Configuration {
  readonly table: RoutingTable;
  readonly keys: readonly KeyEntry[];
  readonly localModels: readonly LocalModel[];
  /** What is served with a loss: sentences, each with its place. */
  readonly warnings: readonly string[];
}

/** `problems`: lines for people, each with file, line and column where there is one. */
export type LoadedConfiguration =
  | { readonly ok: true; readonly value: Configuration }
  | { readonly ok: false; readonly problems: readonly string[] };

export type LoadConfiguration = () => Promise<LoadedConfiguration>;
