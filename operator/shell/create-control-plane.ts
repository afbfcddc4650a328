import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import type { ChainReport, Clock, Random, WallClock } from '@belay/contract';
import type { SidecarCounts } from '../core/distribute/sidecar-counts.ts';
import type { NamespaceContent } from '../core/distribute/select-resources.ts';
import type { CompileTools } from '../core/compile/snapshot.ts';
import type { InjectionSettings } from '../core/inject/sidecar-container.ts';
import type { Authority } from './certificates/authority.ts';
import { createCompileLoop, type CompileLoop } from './compile/create-compile-loop.ts';
import { createController, type Controller } from './controller/create-controller.ts';
import type { KubeClient } from './kube/kube-client.ts';
import { createLease, type Lease } from './kube/lease.ts';
import { createLocalTier, type LocalTier } from './local-tier/create-local-tier.ts';
import type { Log } from './log.ts';
import type { ControlPlaneNow } from './operator-metrics.ts';
import type { Settings } from './settings.ts';
import { resources } from './watch/belay-objects.ts';
import { createCaches, type Caches } from './watch/create-caches.ts';
import { consumersOf } from './watch/dirty-namespaces.ts';
import { createNamedObjects, type NamedObjects } from './watch/named-objects.ts';

export interface ControlPlaneOptions {
  readonly settings: Settings;
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly wallClock: WallClock;
  readonly random: Random;
  readonly log: Log;
  readonly authority: Authority;
  readonly openDistributor: (listeners: DistributorListeners) => DistributorEnd;
}

/** What a distributor tells. */
export interface DistributorListeners {
  readonly onReport: (sidecar: { readonly uid: string; readonly namespace: string }, chains: readonly ChainReport[]) => void;
  readonly onGone: (sidecar: { readonly uid: string; readonly namespace: string }) => void;
  readonly onNamespaceWanted: (namespace: string) => void;
}

/** What is asked of a distributor; without the role nobody is connected. */
export interface DistributorEnd {
  synced(): void;
  publish(namespace: string, content: NamespaceContent): void;
  countSidecars(namespace: string, chain: string): SidecarCounts;
  connected(): number;
}

export interface ControlPlane {
  readonly synced: Promise<void>;
  notAlive(): string | null;
  notReady(): string | null;
  now(): ControlPlaneNow;
  /** Hands the lease back, so that another goes on at once; nothing is written from then on. */
  resign(): Promise<void>;
  close(): Promise<void>;
}

const compileTools: CompileTools = {
  sha256Hex: (text) => createHash('sha256').update(text).digest('hex'),
  parseURL: (text) => URL.parse(text),
};

interface Parts {
  readonly caches: Caches;
  readonly secrets: NamedObjects;
  readonly configMaps: NamedObjects;
  readonly localTier: LocalTier;
  readonly distributor: DistributorEnd;
  readonly loop: CompileLoop;
  readonly controller: Controller | null;
  readonly lease: Lease | null;
}

/** Watches, compiles and publishes; as a controller also writes, while it holds the lease. */
export function createControlPlane(options: ControlPlaneOptions): ControlPlane {
  const parts = wire(options);
  const { caches, secrets, configMaps, localTier, distributor, loop, controller, lease } = parts;
  const forgetTrust = options.authority.onChange(() => controller?.noteTrusted());
  const synced = caches.synced.then(() => {
    distributor.synced();
    loop.start();
    options.log({ level: 'info', event: 'caches-synced', message: `every chain, provider and namespace is known: ${caches.chains.size} chains, ${caches.providers.size} providers` });
  });
  void localTier.synced.then(() => { for (const { metadata: { namespace } } of caches.providers.list()) if (namespace !== undefined) loop.add(namespace); });
  return {
    synced,
    notAlive: () => (caches.alive() && secrets.alive() && configMaps.alive() && localTier.alive() && options.authority.alive() ? null : 'a watch of the Kubernetes API has ended'),
    notReady: () => (caches.hasSynced() ? null : 'not every chain, provider and namespace is known yet'),
    now: () => {
      const { depth, oldestMs } = loop.stats();
      const stats = controller?.stats() ?? { leading: false, statusWrites: 0, podsWithoutSidecar: 0 };
      return { ...stats, sidecars: distributor.connected(), namespaces: loop.namespaces().length, queueDepth: depth, queueOldestMs: oldestMs, silenceMs: caches.silence() };
    },
    resign: async () => { await lease?.close(); },
    async close() {
      forgetTrust();
      await lease?.close();
      await Promise.all([controller?.close(), loop.close()]);
      await Promise.all([caches, secrets, configMaps, localTier].map((part) => part.close()));
    },
  };
}

/** Listeners are called only after everything they reach is there: reflectors answer later. */
function wire(options: ControlPlaneOptions): Parts {
  const { settings, client, clock, wallClock, random, log, authority } = options;
  const dirty = (owner: string): void => { for (const namespace of consumersOf(owner, caches.chains)) loop.add(namespace); };
  const caches = createCaches({
    client, clock, random, log,
    workloads: settings.roles.has('controller') ? { injection: { ...injectionOf(settings), caCertificates: '' } } : null,
    listeners: {
      onDirty(namespace) {
        loop.addSoon(namespace);
        controller?.noteLocalTier(namespace);
      },
      onStatus: (namespace) => controller?.noteStatus(namespace),
      onWorkload: (namespace) => controller?.noteWorkload(namespace),
      onBootstrap: (namespace) => controller?.noteBootstrap(namespace),
    },
  });
  const named = (resource: typeof resources.secrets | typeof resources.configMaps): NamedObjects => createNamedObjects({
    client, clock, random, resource, onChange: dirty,
    onProblem: ({ namespace, name, message, retryInMs }) => log({ level: 'warn', event: 'watch-failed', message, kind: resource.plural, namespace, name, retryInMs: Math.round(retryInMs) }),
  });
  const secrets = named(resources.secrets);
  const configMaps = named(resources.configMaps);
  const localTier = createLocalTier({
    client, clock, random, log,
    settings: { image: settings.localTier.image, imagePullPolicy: settings.localTier.pullPolicy, imagePullSecrets: settings.localTier.pullSecrets, clusterDomain: settings.clusterDomain, userIds: settings.userIds, listenAddress: isIP(settings.probeAddress) === 6 ? '::' : '0.0.0.0' },
    onChange(namespace) {
      dirty(namespace);
      controller?.noteLocalTier(namespace);
    },
  });
  let tierKnown = false;
  void localTier.synced.then(() => { tierKnown = true; });
  const distributor = options.openDistributor({
    onReport: (sidecar, chains) => controller?.noteReport(sidecar, chains),
    onGone: (sidecar) => controller?.noteGone(sidecar),
    onNamespaceWanted: (namespace) => loop.want(namespace),
  });
  const loop: CompileLoop = createCompileLoop({
    clock, log,
    sources: {
      caches, secrets, configMaps, tools: compileTools, clusterDomain: settings.clusterDomain, endpointsKnown: () => tierKnown,
      endpoints(namespace) {
        localTier.expect(namespace, caches.providers.inNamespace(namespace));
        return localTier.endpoints(namespace);
      },
    },
    publish: (namespace, content) => distributor.publish(namespace, content),
    onCompiled: (namespace) => controller?.noteCompiled(namespace),
  });
  const controller: Controller | null = settings.roles.has('controller') ? createController({
    client, clock, wallClock, random, log, caches, loop,
    countSidecars: (namespace, chain) => distributor.countSidecars(namespace, chain),
    readiness: (namespace, provider) => localTier.readiness(namespace, provider),
    reconcileLocalTier: (namespace, providers, signal) => localTier.reconcile(namespace, providers, signal),
    trusted: () => authority.trusted(),
    holdsLease: () => lease?.holds() ?? false,
  }) : null;
  const lease: Lease | null = controller === null ? null : joinElection(options, (signal) => controller.begin(signal));
  return { caches, secrets, configMaps, localTier, distributor, loop, controller, lease };
}

function joinElection({ settings, client, clock, wallClock, random, log }: ControlPlaneOptions, onHeld: (signal: AbortSignal) => void): Lease {
  return createLease({
    client, clock, wallClock, random, namespace: settings.namespace, name: settings.name,
    identity: `${settings.podName}_${Math.floor(random() * 2 ** 48).toString(16)}`,
    onHeld(signal) {
      log({ level: 'info', event: 'lease-held', message: `this replica writes from now on: it holds lease ${settings.name}` });
      onHeld(signal);
    },
    onProblem: (message) => log({ level: 'warn', event: 'lease-failed', message }),
  });
}

/** What the installation adds to a pod, but for the authorities, which change. */
export function injectionOf({ sidecar, distributor, userIds }: Settings): Omit<InjectionSettings, 'caCertificates'> {
  return { image: sidecar.image, imagePullPolicy: sidecar.pullPolicy, imagePullSecrets: sidecar.pullSecrets, distributor, userIds };
}
