import type { RoutingTable } from '@belay/contract';
import { byName } from '@belay/operator/core/compile/by-name.ts';
import type { Manifest, Snapshot } from '@belay/operator/core/compile/snapshot.ts';
import type { ModelProvider } from '@belay/operator/core/resources/model-provider.ts';
import type { LocalModel } from '../local-tier/local-model.ts';

/** The local models that a table's chains use and that are not suspended, its own namespace's and others': one server each, whoever refers to it. */
export function localModelsOf({ providers, foreignProviders }: Pick<Snapshot, 'providers' | 'foreignProviders'>, table: RoutingTable): readonly LocalModel[] {
  const used = new Set(table.providers.filter(({ suspended }) => !suspended).map(({ name }) => name));
  const owned = (prefix: string, some: readonly Manifest[]) => byName<ModelProvider>('ModelProvider', some).map(({ metadata, spec }) => ({ name: `${prefix}${metadata.name}`, local: spec.local }));
  const owners = [...new Set(foreignProviders.map(({ namespace }) => namespace))].sort();
  const all = [...owned('', providers), ...owners.flatMap((owner) => owned(`${owner}/`, foreignProviders.filter(({ namespace }) => namespace === owner)))];
  return all.flatMap(({ name, local }) => {
    if (local === undefined || !used.has(name)) return [];
    return [{ name, path: local.model.persistentVolumeClaim.path, contextTokens: local.contextTokens, parallel: local.parallel }];
  });
}
