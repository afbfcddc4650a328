import { groupVersion } from '@belay/contract';

export type Fields = { readonly [field: string]: unknown };

export interface ProviderManifest {
  readonly name: string;
  readonly spec: Fields;
  /** Stands in a Secret of the same name; null: the provider has no credentials. */
  readonly key?: string | null;
}

/** A ModelProvider and, where it has a key, its Secret. */
export function providerManifests({ name, spec, key = null }: ProviderManifest): readonly Fields[] {
  const credentials = key === null ? {} : { credentials: { secretKeyRef: { name, key: 'apiKey' } } };
  const provider = { apiVersion: groupVersion, kind: 'ModelProvider', metadata: { name }, spec: { ...credentials, ...spec } };
  return key === null ? [provider] : [provider, { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData: { apiKey: key } }];
}

export function chainManifest(name: string, spec: Fields): Fields {
  return { apiVersion: groupVersion, kind: 'FallbackChain', metadata: { name }, spec };
}

/** Documents of one YAML file, as JSON, which YAML reads. */
export function manifestText(documents: readonly Fields[]): string {
  return documents.map((document) => `${JSON.stringify(document, null, 2)}\n`).join('---\n');
}
