import type { RoutingTable } from '@belay/contract';
import { byName } from '@belay/operator/core/compile/by-name.ts';
import type { Manifest } from '@belay/operator/core/compile/snapshot.ts';
import type { ModelProvider } from '@belay/operator/core/resources/model-provider.ts';
import type { LocalModel } from '../local-tier/local-model.ts';

/** The local models that a table's chains use and that are not suspended: one server each, whoever refers to it. */
export function localModelsOf(providers: readonly Manifest[], table: RoutingTable): readonly LocalModel[] {
  const used = new Set(table.providers.filter(({ suspended }) => !suspended).map(({ name }) => name));
  return byName<ModelProvider>('ModelProvider', providers).flatMap(({ metadata: { name }, spec: { local } }) => {
    if (local === undefined || !used.has(name)) return [];
    return [{ name, path: local.model.persistentVolumeClaim.path, contextTokens: local.contextTokens, parallel: local.parallel }];
  });
}
