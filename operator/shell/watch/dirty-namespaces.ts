import type { KubeObject } from '../kube/kube-object.ts';
import type { Change, Store } from '../kube/store.ts';
import type { ChainObject } from './belay-objects.ts';

/** Namespaces with a chain that refers to a provider of `owner`; `owner` itself first. Sorted, each once. */
export function consumersOf(owner: string, chains: Store<ChainObject>): readonly string[] {
  const others = new Set<string>();
  for (const chain of chains.list()) {
    const { namespace } = chain.metadata;
    if (namespace !== undefined && namespace !== owner && refersTo(chain, owner)) others.add(namespace);
  }
  return [owner, ...[...others].sort()];
}

/**
 * What a chain or provider says has changed; its status, which the operator writes itself, has not. Of an etcd that was restored another spec can
 * have the generation of the one that was lost.
 */
export function changesSpec(change: Change<KubeObject & { readonly spec?: unknown }>): boolean {
  if (change.type !== 'modified') return true;
  const { object, before } = change;
  if (object.metadata.generation === undefined || object.metadata.generation !== before.metadata.generation) return true;
  return JSON.stringify(object.spec) !== JSON.stringify(before.spec);
}

/** A namespace has come, gone, begun to go, or has other labels: what it may use of others may have changed. */
export function changesNamespace(change: Change<KubeObject>): boolean {
  if (change.type !== 'modified') return true;
  const { object: { metadata }, before } = change;
  return metadata.deletionTimestamp !== before.metadata.deletionTimestamp || JSON.stringify(sorted(metadata.labels)) !== JSON.stringify(sorted(before.metadata.labels));
}

/** What the CRDs of another release let in may lack anything: that is for its own namespace to be told, and must not hide the changes of all others. */
function refersTo({ spec }: { readonly spec?: { readonly targets?: unknown } | null }, owner: string): boolean {
  const targets: readonly unknown[] = Array.isArray(spec?.targets) ? spec.targets : [];
  return targets.some((target) => (target as { readonly providerRef?: { readonly namespace?: unknown } | null } | null)?.providerRef?.namespace === owner);
}

function sorted(labels: { readonly [name: string]: string } = {}): readonly (readonly [string, string])[] {
  return Object.entries(labels).sort(([one], [other]) => (one < other ? -1 : 1));
}
