import type { ChainReport, Clock, WallClock } from '@belay/contract';
import type { ResourceConditions } from '../../core/compile/conditions.ts';
import type { SidecarCounts } from '../../core/distribute/sidecar-counts.ts';
import { chainStatus } from '../../core/status/chain-status.ts';
import { knownReports } from '../../core/status/known-reports.ts';
import { providerStatus, type LocalReadiness } from '../../core/status/provider-status.ts';
import { forgetSidecar, initialServing, noteReport, type Serving } from '../../core/status/serving.ts';
import { viewServing } from '../../core/status/view-serving.ts';
import type { ResourceStatus } from '../../core/status-writes/status-delay.ts';
import type { CompiledNamespace } from '../compile/create-compile-loop.ts';
import type { KubeEvent } from '../kube/event-correlator.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { resources, type ChainObject, type ProviderObject } from '../watch/belay-objects.ts';
import type { Caches } from '../watch/create-caches.ts';
import type { StatusWriter } from './create-status-writer.ts';

export interface StatusEvaluatorOptions {
  readonly clock: Clock;
  readonly wallClock: WallClock;
  readonly caches: Pick<Caches, 'chains' | 'providers'>;
  readonly compiled: (namespace: string) => CompiledNamespace | undefined;
  readonly countSidecars: (namespace: string, chain: string) => SidecarCounts;
  readonly readiness: (namespace: string, provider: string) => LocalReadiness;
}

/** Where the statuses of one term as leader go. */
export interface StatusSink {
  readonly writer: Pick<StatusWriter, 'want' | 'current'>;
  readonly record: (object: KubeObject, event: KubeEvent) => void;
}

export interface StatusEvaluator {
  noteReport(sidecar: { readonly uid: string; readonly namespace: string }, chains: readonly ChainReport[]): void;
  noteGone(sidecar: { readonly uid: string; readonly namespace: string }): void;
  /** Sidecars of it have reported and are not gone: what they say can change by their silence alone. */
  hears(namespace: string): boolean;
  /** Has what is now the status of each of the namespace's resources written, and tells of falling back. */
  evaluate(namespace: string, sink: StatusSink): void;
}

/** Remembers what sidecars report, lease or not, and makes statuses of it and of what was compiled. */
export function createStatusEvaluator(options: StatusEvaluatorOptions): StatusEvaluator {
  const { clock, caches, compiled } = options;
  /** By namespace: each step makes the whole anew, and there may be thousands of them. */
  const servings = new Map<string, Serving>();
  const servingOf = (namespace: string): Serving => servings.get(namespace) ?? initialServing();
  return {
    noteReport({ uid, namespace }, chains) {
      const known = knownReports(chains, caches.chains.inNamespace(namespace));
      // Nothing known: before the caches have synced. Totals that follow must not count as grown since then.
      if (known.length > 0) servings.set(namespace, noteReport(servingOf(namespace), { uid, chains: known }, clock.nowMs()));
    },
    noteGone({ uid, namespace }) {
      if (caches.chains.inNamespace(namespace).length > 0) servings.set(namespace, forgetSidecar(servingOf(namespace), uid));
      else servings.delete(namespace);
    },
    hears: (namespace) => servingOf(namespace).sidecars.size > 0,
    evaluate(namespace, sink) {
      const now = compiled(namespace);
      if (now === undefined) return;
      for (const provider of caches.providers.inNamespace(namespace)) wantProvider(options, now, provider, sink);
      const chains = caches.chains.inNamespace(namespace);
      servings.set(namespace, chains.reduce((serving, chain) => wantChain(options, serving, now, chain, sink), servingOf(namespace)));
    },
  };
}

function wantProvider({ wallClock, readiness }: StatusEvaluatorOptions, { conditions }: CompiledNamespace, provider: ProviderObject, { writer }: StatusSink): void {
  const { name, namespace = '' } = provider.metadata;
  const judged = find(conditions, 'ModelProvider', name);
  if (judged === undefined) return;
  const before = writer.current(resources.providers, provider) as ProviderObject['status'] | null;
  writer.want(resources.providers, provider, providerStatus({
    conditions: judged.conditions, observedGeneration: judged.observedGeneration,
    localReady: provider.spec.local === undefined ? null : readiness(namespace, name),
    suspended: provider.spec.suspend, before: before ?? undefined, wallMs: wallClock(),
  }) as ResourceStatus);
}

/** Gives what is remembered of serving from now on. */
function wantChain({ clock, wallClock, caches, countSidecars }: StatusEvaluatorOptions, serving: Serving, { conditions, table, content }: CompiledNamespace, chain: ChainObject, { writer, record }: StatusSink): Serving {
  const { name, namespace = '' } = chain.metadata;
  const judged = find(conditions, 'FallbackChain', name);
  const entry = table.chains.find((candidate) => candidate.name === name);
  if (judged === undefined || entry === undefined) return serving;
  const before = (writer.current(resources.chains, chain) ?? undefined) as ChainObject['status'];
  const view = viewServing(serving, entry, clock.nowMs(), wallClock(), {
    providers: table.providers, endpoints: content.endpoints, keys: content.keys, keyRefs: keyRefsOf(caches, namespace), before: before?.serving,
  });
  for (const event of view.events) record(chain, event);
  writer.want(resources.chains, chain, chainStatus({
    entry, conditions: judged.conditions, observedGeneration: judged.observedGeneration, tableVersion: table.version, published: true,
    counts: countSidecars(namespace, name), serving: view, before, wallMs: wallClock(),
  }) as ResourceStatus);
  return view.next;
}

/** Where the namespace's own providers have their keys from. */
function keyRefsOf({ providers }: StatusEvaluatorOptions['caches'], namespace: string): ReadonlyMap<string, { readonly name: string; readonly key: string }> {
  return new Map(providers.inNamespace(namespace).flatMap(({ metadata: { name }, spec: { credentials } }) => (credentials === undefined ? [] : [[name, credentials.secretKeyRef] as const])));
}

function find(conditions: readonly ResourceConditions[], kind: ResourceConditions['kind'], name: string): ResourceConditions | undefined {
  return conditions.find((resource) => resource.kind === kind && resource.name === name);
}
