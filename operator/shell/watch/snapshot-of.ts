import type { EndpointEntry, KeyEntry } from '@belay/contract';
import { foreignReferences } from '../../core/compile/foreign-providers.ts';
import { requiredKeys } from '../../core/compile/required-keys.ts';
import type { CompileTools, ConfigMapFact, ForeignProvider, Snapshot } from '../../core/compile/snapshot.ts';
import type { ProviderObject } from './belay-objects.ts';
import type { Caches } from './create-caches.ts';
import { keysOf } from './keys.ts';
import type { NamedObjects } from './named-objects.ts';

/** Where a snapshot is taken from. */
export interface SnapshotSources {
  readonly caches: Caches;
  readonly secrets: NamedObjects;
  readonly configMaps: NamedObjects;
  /** Of the local providers of one namespace, by their names. */
  readonly endpoints: (namespace: string) => readonly EndpointEntry[];
  /** What `endpoints` says is what there is. */
  readonly endpointsKnown: () => boolean;
  readonly tools: CompileTools;
  readonly clusterDomain: string;
}

/** One namespace as it is now, for the compiler and for its sidecars. `endpoints` are named as in its table. */
export interface NamespaceView {
  readonly snapshot: Snapshot;
  readonly keys: readonly KeyEntry[];
  readonly endpoints: readonly EndpointEntry[];
  /** Of what is referred to by name, something has not been answered for yet. */
  readonly waits: boolean;
}

/** Takes the snapshot, and has watched by name what it refers to: Secrets and ConfigMaps, each in its provider's own namespace. */
export function viewNamespace(namespace: string, sources: SnapshotSources): NamespaceView {
  const { caches, secrets, tools } = sources;
  const chains = caches.chains.inNamespace(namespace);
  const references = foreignReferences(namespace, chains);
  for (const owner of new Set([namespace, ...references.map((reference) => reference.namespace)])) watchReferences(owner, sources);
  const providers = caches.providers.inNamespace(namespace);
  const foreign = references.flatMap((reference) => caches.providers.get(`${reference.namespace}/${reference.name}`) ?? []);
  const certificates = [...providers, ...foreign].flatMap((provider) => certificatesOf(provider, sources));
  const endpoints = [
    ...sources.endpoints(namespace),
    ...references.flatMap(({ namespace: owner, name }) => sources.endpoints(owner).filter((entry) => entry.name === name).map((entry) => ({ ...entry, name: `${owner}/${name}` }))),
  ];
  const base: Snapshot = {
    namespace, namespaceLabels: caches.namespaces.get(namespace)?.metadata.labels ?? {},
    chains, providers, foreignProviders: foreign.map((provider): ForeignProvider => ({ ...provider, namespace: provider.metadata.namespace ?? '' })),
    configMaps: certificates.flatMap(({ fact }) => fact ?? []), secrets: [], endpoints, standalone: false, clusterDomain: sources.clusterDomain,
  };
  const required = requiredKeys(base, tools);
  const { keys, secrets: facts } = keysOf(required, (key) => secrets.state(key.namespace, key.secretName));
  const waits = (endpoints.length > 0 && !sources.endpointsKnown()) || certificates.some(({ known }) => !known)
    || required.some((key) => secrets.state(key.namespace, key.secretName).kind === 'unknown');
  return { snapshot: { ...base, secrets: facts }, keys, endpoints, waits };
}

/** Only what providers refer to is watched, each by its name (control-plane: Security promises, 9). */
function watchReferences(namespace: string, { caches, secrets, configMaps }: SnapshotSources): void {
  const providers = caches.providers.inNamespace(namespace);
  secrets.require(namespace, new Set(providers.flatMap(({ spec }) => spec.credentials?.secretKeyRef.name ?? [])));
  configMaps.require(namespace, new Set(providers.flatMap(certificateNames)));
}

function certificateNames({ spec }: ProviderObject): readonly string[] {
  return (spec.tls?.caCertificateRefs ?? []).map(({ name }) => name);
}

function certificatesOf(provider: ProviderObject, { configMaps }: SnapshotSources): readonly { readonly known: boolean; readonly fact: ConfigMapFact | null }[] {
  const namespace = provider.metadata.namespace ?? '';
  return certificateNames(provider).map((name) => {
    const state = configMaps.state(namespace, name);
    switch (state.kind) {
      case 'found': return { known: true, fact: { namespace, name, data: state.object.data ?? {} } };
      case 'denied': return { known: true, fact: { namespace, name, data: null } };
      case 'missing': return { known: true, fact: null };
      case 'unknown': return { known: false, fact: null };
    }
  });
}
