import { describeProblem, type Clock, type EndpointEntry, type Random } from '@belay/contract';
import { localTierAddress, localTierName, localTierSelector, providerLabel, providerLabelValue } from '../../core/local-tier/local-tier-names.ts';
import { absent, quoted, type LocalTierReadiness } from '../../core/local-tier/local-tier-readiness.ts';
import { localTierObjects, type LocalTierSettings } from '../../core/local-tier/local-tier.ts';
import type { ObservedDeployment, ObservedPod } from '../../core/local-tier/observed.ts';
import { readinessOf } from '../../core/local-tier/readiness-of.ts';
import type { ModelProvider } from '../../core/resources/model-provider.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { isNamespaceTerminating, KubeError } from '../kube/kube-error.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { createReflector, type Reflector } from '../kube/reflector.ts';
import type { Change } from '../kube/store.ts';
import type { Log } from '../log.ts';
import { appliedResources, createAppliedObjects, isOwned, NameTaken, type AppliedKind, type AppliedObjects, type OwnedObject } from './applied-objects.ts';
import { keepDeployment, keepPod, keepService, type DeploymentObject, type PodObject } from './keep-objects.ts';

export interface LocalTierOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly settings: LocalTierSettings;
  /** What `readiness` or `endpoints` say of this namespace has changed, or its objects are not as they were applied: reconcile it. */
  readonly onChange: (namespace: string) => void;
}

/** The llama.cpp servers of all local providers in the cluster. */
export interface LocalTier {
  /** Without writing anything: from now on `endpoints` speaks of these providers of the namespace, and `onChange` tells of their servers. */
  expect(namespace: string, providers: readonly ModelProvider[]): void;
  /**
   * Makes one namespace's Deployments and Services what its providers ask for, and deletes those that none asks for. Waits for the first complete
   * lists. One provider's failure holds up no other's; rejects when all are done, and is to be tried again.
   */
  reconcile(namespace: string, providers: readonly ModelProvider[], signal: AbortSignal): Promise<void>;
  readiness(namespace: string, provider: string): LocalTierReadiness;
  /** Of every local provider that was last expected or reconciled, sorted by name. */
  endpoints(namespace: string): readonly EndpointEntry[];
  readonly synced: Promise<void>;
  /** False once a watch has ended: a failed liveness probe. */
  alive(): boolean;
  close(): Promise<void>;
}

interface Wanted {
  readonly provider: string;
  /** Why the last apply was refused; null: it was not. */
  refusal: LocalTierReadiness | null;
}

interface Tier {
  readonly options: LocalTierOptions;
  readonly applied: AppliedObjects;
  readonly deployments: Reflector<DeploymentObject>;
  readonly services: Reflector<OwnedObject>;
  readonly pods: Reflector<PodObject>;
  /** By namespace, then by name of the Deployment. */
  readonly wanted: Map<string, ReadonlyMap<string, Wanted>>;
  /** What `onChange` last told of, by namespace. */
  readonly told: Map<string, string>;
}

/** Runs the local tier: control-plane, "Local tier". */
export function createLocalTier(options: LocalTierOptions): LocalTier {
  const applied = createAppliedObjects(options.client);
  const ownChange = (kind: AppliedKind) => ({ type, object }: Change<OwnedObject>): void => {
    const { namespace = '' } = object.metadata;
    if (type === 'deleted' || !applied.stands(kind, object)) options.onChange(namespace);
    else tellChange(tier, namespace);
  };
  const tier: Tier = {
    options, applied, wanted: new Map(), told: new Map(),
    deployments: reflect<DeploymentObject>(options, appliedResources.Deployment, keepDeployment, ownChange('Deployment')),
    services: reflect<OwnedObject>(options, appliedResources.Service, keepService, ownChange('Service')),
    pods: reflect<PodObject>(options, { group: '', version: 'v1', plural: 'pods' }, keepPod, ({ object }) => tellChange(tier, object.metadata.namespace ?? '')),
  };
  const reflectors = [tier.deployments, tier.services, tier.pods];
  const synced = Promise.all(reflectors.map((reflector) => reflector.synced)).then(() => undefined);
  return {
    synced,
    expect: (namespace, providers) => void setWanted(tier, namespace, providers),
    async reconcile(namespace, providers, signal) {
      await orAborted(synced, signal);
      await reconcileNamespace(tier, namespace, providers, signal);
    },
    readiness: (namespace, provider) => readinessIn(tier, namespace, provider),
    endpoints: (namespace) => endpointsIn(tier, namespace),
    alive: () => reflectors.every((reflector) => reflector.alive()),
    close: async () => { await Promise.all(reflectors.map((reflector) => reflector.close())); },
  };
}

function reflect<T extends KubeObject>({ client, clock, random, log }: LocalTierOptions, resource: Parameters<typeof createReflector<T>>[0]['place']['resource'], keep: (object: T) => T, onChange: (change: Change<T>) => void): Reflector<T> {
  return createReflector<T>({
    client, clock, random, place: { resource }, labelSelector: localTierSelector, keep, onChange,
    onProblem: ({ message, retryInMs }) => log({ level: 'warn', event: 'watch-failed', message: `local tier: ${message}`, retryInMs }),
  });
}

/** Gives the local ones among them. */
function setWanted(tier: Tier, namespace: string, providers: readonly ModelProvider[]): readonly ModelProvider[] {
  const before = tier.wanted.get(namespace);
  const local = providers.filter(({ spec }) => spec.local !== undefined);
  const wanted = new Map(local.map(({ metadata: { name } }): [string, Wanted] => [localTierName(name), before?.get(localTierName(name)) ?? { provider: name, refusal: null }]));
  if (wanted.size === 0) tier.wanted.delete(namespace);
  else tier.wanted.set(namespace, wanted);
  return local;
}

async function reconcileNamespace(tier: Tier, namespace: string, providers: readonly ModelProvider[], signal: AbortSignal): Promise<void> {
  const local = setWanted(tier, namespace, providers);
  const failures: unknown[] = [];
  for (const provider of local) failures.push(...(await applyProvider(tier, namespace, provider, signal)));
  failures.push(...(await removeOthers(tier, namespace, signal)));
  tellChange(tier, namespace);
  if (failures.length > 0) throw new Error(`local tier of namespace ${namespace}: ${failures.map(messageOf).join('; ')}`, { cause: failures[0] });
}

/** Resolves to what failed and is to be tried again. */
async function applyProvider(tier: Tier, namespace: string, provider: ModelProvider, signal: AbortSignal): Promise<readonly unknown[]> {
  const { name } = provider.metadata;
  const wanted = tier.wanted.get(namespace)?.get(localTierName(name));
  const objects = localTierObjects(provider, tier.options.settings);
  if (wanted === undefined) return [];
  if (!objects.ok) {
    wanted.refusal = absent('InvalidPath', `${objects.problems.map(describeProblem).join('; ')}.`);
    return [];
  }
  try {
    for (const object of objects.value) {
      const { store } = object.kind === 'Deployment' ? tier.deployments : tier.services;
      const asked = await tier.applied.apply(object, store.get(`${namespace}/${object.metadata.name}`), signal);
      if (asked) tier.options.log({ level: 'info', event: 'local-tier-applied', message: `applied ${object.kind} ${object.metadata.name} of ModelProvider ${namespace}/${name}`, namespace, provider: name });
    }
    wanted.refusal = null;
    return [];
  } catch (error) {
    if (isNamespaceTerminating(error)) return [];
    wanted.refusal = refusalOf(error) ?? wanted.refusal;
    return [error];
  }
}

/** A refusal that stands until somebody acts; null for one that the next try may not meet. */
function refusalOf(error: unknown): LocalTierReadiness | null {
  if (error instanceof NameTaken) return absent('NameTaken', error.message);
  if (!(error instanceof KubeError) || ![400, 403, 404, 413, 422].includes(error.status)) return null;
  const reason = error.message.includes('exceeded quota') ? 'QuotaExceeded' : 'ApplyFailed';
  return absent(reason, `The API server refused its Deployment or Service: ${quoted(error.message)}.`);
}

async function removeOthers({ deployments, services, applied, wanted, options }: Tier, namespace: string, signal: AbortSignal): Promise<readonly unknown[]> {
  const names = wanted.get(namespace);
  const failures: unknown[] = [];
  for (const [kind, { store }] of [['Deployment', deployments], ['Service', services]] as const) {
    for (const object of store.inNamespace(namespace)) {
      const { name, deletionTimestamp } = object.metadata;
      if (names?.has(name) === true || deletionTimestamp !== undefined || !isOwned(object)) continue;
      try {
        await applied.remove(kind, object, signal);
        options.log({ level: 'info', event: 'local-tier-removed', message: `deleted ${kind} ${name} in namespace ${namespace}: no provider asks for it`, namespace });
      } catch (error) {
        failures.push(error);
      }
    }
  }
  return failures;
}

function tellChange(tier: Tier, namespace: string): void {
  const now = JSON.stringify([...(tier.wanted.get(namespace)?.values() ?? [])].map(({ provider }) => readinessIn(tier, namespace, provider)));
  if (now === (tier.told.get(namespace) ?? '[]')) return;
  if (now === '[]') tier.told.delete(namespace);
  else tier.told.set(namespace, now);
  tier.options.onChange(namespace);
}

function readinessIn({ wanted, deployments, pods }: Tier, namespace: string, provider: string): LocalTierReadiness {
  const name = localTierName(provider);
  const label = providerLabelValue(provider);
  const deployment: ObservedDeployment | null = deployments.store.get(`${namespace}/${name}`) ?? null;
  const own: readonly ObservedPod[] = pods.store.inNamespace(namespace).filter(({ metadata: { labels } }) => labels?.[providerLabel] === label);
  const observed = readinessOf(deployment, own);
  const refusal = wanted.get(namespace)?.get(name)?.refusal ?? null;
  if (refusal === null) return observed;
  return observed.state === 'Ready' ? { ...observed, message: `${observed.message} It runs on as it was: ${refusal.message}` } : refusal;
}

function endpointsIn(tier: Tier, namespace: string): readonly EndpointEntry[] {
  const names = [...(tier.wanted.get(namespace)?.values() ?? [])].map(({ provider }) => provider).sort();
  return names.map((name) => {
    const { state, message } = readinessIn(tier, namespace, name);
    if (state === 'Absent') return { name, state, url: null, detail: quoted(message) };
    return { name, state, url: localTierAddress(namespace, name, tier.options.settings.clusterDomain) };
  });
}

function orAborted(synced: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(new Error('the local tier was closed before its first complete lists'));
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    void synced.then(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    });
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
