import { bootstrapName, type Clock, type Random } from '@belay/contract';
import type { InjectionSettings } from '../../core/inject/sidecar-container.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { createReflector, type Reflector, type ReflectorOptions } from '../kube/reflector.ts';
import type { Resource } from '../kube/resource-path.ts';
import type { Change, Store } from '../kube/store.ts';
import type { Log } from '../log.ts';
import { resources, type ChainObject, type ProviderObject } from './belay-objects.ts';
import { changesNamespace, changesSpec, consumersOf } from './dirty-namespaces.ts';
import { keepConfigMap, keepDeployment, keepNamespace, keepPod, type KeptConfigMap, type KeptDeployment, type KeptPod } from './kept-objects.ts';

export interface CachesOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** For a controller: pods, Deployments and bootstrap ConfigMaps are watched too. */
  readonly workloads: { readonly injection: InjectionSettings } | null;
  readonly listeners: CacheListeners;
}

/** Each is told of a namespace, after the stores have changed. */
export interface CacheListeners {
  /** What it serves may be another now. */
  readonly onDirty: (namespace: string) => void;
  /** The status of one of its chains or providers was written, by whomever. */
  readonly onStatus: (namespace: string) => void;
  /** Its annotated pods, or Deployments, have changed. */
  readonly onWorkload: (namespace: string) => void;
  /** Its bootstrap ConfigMap was written, or is gone. */
  readonly onBootstrap: (namespace: string) => void;
}

/** Everything that the operator knows of the cluster without asking. */
export interface Caches {
  readonly chains: Store<ChainObject>;
  readonly providers: Store<ProviderObject>;
  readonly namespaces: Store<KubeObject>;
  readonly pods: Store<KeptPod>;
  readonly deployments: Store<KeptDeployment>;
  readonly bootstraps: Store<KeptConfigMap>;
  /** Chains, providers and namespaces are all known: before that nothing may be concluded from what is absent. */
  hasSynced(): boolean;
  readonly synced: Promise<void>;
  /** Pods and Deployments are all known as well. Their absence holds up nothing but what is said of them. */
  workloadsSynced(): boolean;
  /** False once the loop of a reflector has ended: a failed liveness probe. */
  alive(): boolean;
  /** Milliseconds since the API server last said anything, by kind. */
  silence(): ReadonlyMap<string, number>;
  close(): Promise<void>;
}

/** Watches the cluster; without `workloads` the stores of those stay empty. */
export function createCaches(options: CachesOptions): Caches {
  const { listeners, workloads } = options;
  const watch = watcher(options);
  const namespaced = (tell: (namespace: string) => void) => ({ object }: Change<KubeObject>) => tell(object.metadata.namespace ?? '');
  const chains: Reflector<ChainObject> = watch(resources.chains, {
    onChange: (change) => (changesSpec(change) ? chainChanged(change, listeners) : namespaced(listeners.onStatus)(change)),
  });
  const providers: Reflector<ProviderObject> = watch(resources.providers, {
    onChange: (change) => {
      if (!changesSpec(change)) return namespaced(listeners.onStatus)(change);
      for (const namespace of consumersOf(change.object.metadata.namespace ?? '', chains.store)) listeners.onDirty(namespace);
    },
  });
  const namespaces: Reflector<KubeObject> = watch(resources.namespaces, {
    keep: keepNamespace,
    onChange: (change) => (changesNamespace(change) ? listeners.onDirty(change.object.metadata.name) : undefined),
  });
  const belayKinds: readonly Reflector<KubeObject>[] = [chains, providers, namespaces].map(widened);
  const watched = workloads === null ? null : watchWorkloads(watch, workloads.injection, listeners);
  const all = [...belayKinds, ...(watched === null ? [] : [watched.pods, watched.deployments, watched.bootstraps].map(widened))];
  return {
    chains: chains.store, providers: providers.store, namespaces: namespaces.store,
    pods: watched?.pods.store ?? nothing(), deployments: watched?.deployments.store ?? nothing(), bootstraps: watched?.bootstraps.store ?? nothing(),
    hasSynced: () => belayKinds.every((reflector) => reflector.hasSynced()),
    synced: Promise.all(belayKinds.map(({ synced }) => synced)).then(() => undefined),
    workloadsSynced: () => watched !== null && watched.pods.hasSynced() && watched.deployments.hasSynced(),
    alive: () => all.every((reflector) => reflector.alive()),
    silence: () => new Map(all.map((reflector, index) => [kinds[index] ?? '', reflector.silentMs()])),
    async close() { await Promise.all(all.map((reflector) => reflector.close())); },
  };
}

const kinds = ['fallbackchains', 'modelproviders', 'namespaces', 'pods', 'deployments', 'configmaps'];

type Watch = <T extends KubeObject>(resource: Resource, more: Pick<ReflectorOptions<T>, 'onChange' | 'keep' | 'fieldSelector'>) => Reflector<T>;

function watcher({ client, clock, random, log }: CachesOptions): Watch {
  return (resource, more) => createReflector({
    client, clock, random, place: { resource }, ...more,
    onProblem: ({ message, retryInMs }) => log({ level: 'warn', event: 'watch-failed', message, kind: resource.plural, retryInMs: Math.round(retryInMs) }),
  });
}

function watchWorkloads(watch: Watch, injection: InjectionSettings, listeners: CacheListeners) {
  return {
    pods: watch<KeptPod>(resources.pods, { keep: keepPod(injection), onChange: (change) => (concernsUs(change) ? listeners.onWorkload(change.object.metadata.namespace ?? '') : undefined) }),
    deployments: watch<KeptDeployment>(resources.deployments, { keep: keepDeployment, onChange: ({ object }) => ((object.findings ?? []).length > 0 ? listeners.onWorkload(object.metadata.namespace ?? '') : undefined) }),
    bootstraps: watch<KeptConfigMap>(resources.configMaps, { fieldSelector: `metadata.name=${bootstrapName}`, keep: keepConfigMap, onChange: ({ object }) => listeners.onBootstrap(object.metadata.namespace ?? '') }),
  };
}

/** A cluster's pods change all the time; those with the annotation do so rarely. */
function concernsUs(change: Change<KeptPod>): boolean {
  const known = (pod: KeptPod) => pod.observed ?? null;
  if (change.type !== 'modified') return known(change.object) !== null;
  return JSON.stringify(known(change.object)) !== JSON.stringify(known(change.before));
}

/** What it referred to until now matters no more; what it refers to now is looked up when it is compiled. */
function chainChanged({ object }: Change<ChainObject>, { onDirty, onWorkload }: CacheListeners): void {
  const namespace = object.metadata.namespace ?? '';
  onDirty(namespace);
  onWorkload(namespace);
}

function widened<T extends KubeObject>(reflector: Reflector<T>): Reflector<KubeObject> {
  return reflector as unknown as Reflector<KubeObject>;
}

function nothing<T extends KubeObject>(): Store<T> {
  return { get: () => undefined, list: () => [], inNamespace: () => [], size: 0 };
}
