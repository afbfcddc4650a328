import { crdSchemas } from '../resources/crd-schemas.ts';
import { applyDefaults } from './apply-defaults.ts';
import type { Manifest } from './snapshot.ts';

/** Sorted, each once (the last of one name counts), with the defaults of its CRD. */
export function byName<T extends Manifest>(kind: string, manifests: readonly Manifest[]): readonly T[] {
  const schema = crdSchemas.find((crd) => crd.kind === kind)?.schema.properties?.['spec'] ?? {};
  const resources = new Map(manifests.map((manifest) => [manifest.metadata.name, { ...manifest, spec: applyDefaults(schema, manifest.spec) } as T]));
  return [...resources.values()].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
}
