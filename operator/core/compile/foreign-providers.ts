import type { FallbackChainSpec } from '../resources/fallback-chain.ts';
import type { ModelProvider, ModelProviderSpec } from '../resources/model-provider.ts';
import { byName } from './by-name.ts';
import type { Manifest, Snapshot } from './snapshot.ts';

/** A ModelProvider of another namespace. */
export interface ForeignReference {
  readonly namespace: string;
  readonly name: string;
}

/** The providers of other namespaces that chains of this one refer to, each once, sorted. */
export function foreignReferences(namespace: string, chains: readonly Manifest[]): readonly ForeignReference[] {
  const references = chains.flatMap(({ spec }) => (spec as Partial<FallbackChainSpec>).targets ?? [])
    .flatMap(({ providerRef }) => (isForeign(providerRef.namespace, namespace) ? [{ namespace: providerRef.namespace, name: providerRef.name }] : []));
  return [...new Map(references.map((reference) => [`${reference.namespace}/${reference.name}`, reference])).entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1)).map(([, reference]) => reference);
}

/** A provider of another namespace that a chain here refers to, its defaults applied. */
export interface SharedProvider {
  readonly namespace: string;
  readonly resource: ModelProvider;
  /** Its owner lets this namespace use it. */
  readonly permitted: boolean;
}

/** Those that exist, by `NAMESPACE/NAME`. */
export function sharedProviders(snapshot: Snapshot): ReadonlyMap<string, SharedProvider> {
  const shared = foreignReferences(snapshot.namespace, snapshot.chains).flatMap(({ namespace, name }) => {
    const [resource] = byName<ModelProvider>('ModelProvider', snapshot.foreignProviders.filter((one) => one.namespace === namespace && one.metadata.name === name));
    return resource === undefined ? [] : [[`${namespace}/${name}`, { namespace, resource, permitted: isPermitted(resource.spec.allowedNamespaces, snapshot) }] as const];
  });
  return new Map(shared);
}

function isForeign(namespace: string | undefined, own: string): namespace is string {
  return namespace !== undefined && namespace !== own;
}

type AllowedNamespaces = ModelProviderSpec['allowedNamespaces'];
type Requirement = NonNullable<NonNullable<AllowedNamespaces['selector']>['matchExpressions']>[number];

/** Whether the owner's rule lets the snapshot's namespace, which is another than the owner's, use the provider (Kubernetes: LabelSelector). */
function isPermitted({ from, selector }: AllowedNamespaces, { namespace, namespaceLabels }: Snapshot): boolean {
  if (from !== 'Selector') return from === 'All';
  if (selector === undefined) return false;
  const labels = new Map([...Object.entries(namespaceLabels), ['kubernetes.io/metadata.name', namespace]]);
  return Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels.get(key) === value)
    && (selector.matchExpressions ?? []).every((requirement) => meets(requirement, labels));
}

function meets({ key, operator, values = [] }: Requirement, labels: ReadonlyMap<string, string>): boolean {
  const value = labels.get(key);
  switch (operator) {
    case 'In': return value !== undefined && values.includes(value);
    case 'NotIn': return value === undefined || !values.includes(value);
    case 'Exists': return value !== undefined;
    case 'DoesNotExist': return value === undefined;
  }
}
