import type { Bootstrap, ChainReport, Clock, Random, WallClock } from '@belay/contract';
import { conditionEvents } from '../../core/status-writes/condition-events.ts';
import type { CompileLoop } from '../compile/create-compile-loop.ts';
import { createEventRecorder, type EventRecorder } from '../kube/event-recorder.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { createWorkQueue, type WorkQueue } from '../kube/work-queue.ts';
import type { Log } from '../log.ts';
import type { ProviderObject } from '../watch/belay-objects.ts';
import type { Caches } from '../watch/create-caches.ts';
import { createBootstrapWriter, type BootstrapWriter } from './create-bootstrap-writer.ts';
import { createStatusEvaluator, type StatusEvaluatorOptions } from './create-status-evaluator.ts';
import { createStatusWriter, type StatusWriter } from './create-status-writer.ts';
import { createWorkloadEvents, type WorkloadEvents } from './create-workload-events.ts';

export interface ControllerOptions extends Pick<StatusEvaluatorOptions, 'countSidecars' | 'readiness'> {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly wallClock: WallClock;
  readonly random: Random;
  readonly log: Log;
  readonly caches: Caches;
  readonly loop: Pick<CompileLoop, 'compiled' | 'namespaces'>;
  /** PEM of the authorities that sidecars should trust. */
  readonly trusted: () => string;
  /** Applies what local providers ask for; where it rejects it is tried again. */
  readonly reconcileLocalTier: (namespace: string, providers: readonly ProviderObject[], signal: AbortSignal) => Promise<void>;
  /** For the last moment before a write. */
  readonly holdsLease: () => boolean;
}

/** What may be written only by whoever holds the lease. */
export interface Controller {
  /** The lease is held until `signal` is aborted: everything is looked at once, and kept in line from then on. */
  begin(signal: AbortSignal): void;
  noteReport(sidecar: { readonly uid: string; readonly namespace: string }, chains: readonly ChainReport[]): void;
  noteGone(sidecar: { readonly uid: string; readonly namespace: string }): void;
  noteCompiled(namespace: string): void;
  noteStatus(namespace: string): void;
  noteWorkload(namespace: string): void;
  noteBootstrap(namespace: string): void;
  /** Its local providers, or the objects of one, have changed. */
  noteLocalTier(namespace: string): void;
  /** The authorities that sidecars should trust have changed. */
  noteTrusted(): void;
  stats(): { readonly leading: boolean; readonly statusWrites: number; readonly podsWithoutSidecar: number };
  close(): Promise<void>;
}

/** Reports come every 5 s from each sidecar: what they say together is looked at so much later. */
const reportGatherMs = 1_000;
/** After a publication, sidecars have acknowledged or refused. */
const acknowledgedMs = 1_500;
/** Sidecars that have gone silent say nothing of it. */
const silenceCheckMs = 10_000;
/** Where nobody reports nothing changes but the words for how long ago something was, and there may be thousands of such namespaces. */
const quietCheckMs = 60_000;
/** Until the caches have synced. */
const unsyncedMs = 500;

interface Term {
  readonly signal: AbortSignal;
  readonly recorder: EventRecorder;
  readonly record: EventRecorder['record'];
  readonly writer: StatusWriter;
  readonly bootstraps: BootstrapWriter;
  readonly workloads: WorkloadEvents;
  readonly statuses: WorkQueue;
  readonly localTier: WorkQueue;
}

/** Status, Events, bootstrap ConfigMaps and the local tier of all namespaces; nothing of it outside a term. */
export function createController(options: ControllerOptions): Controller {
  const { caches, loop } = options;
  const evaluator = createStatusEvaluator({ ...options, compiled: (namespace) => loop.compiled(namespace) });
  let term: Term | null = null;
  let ending: Promise<void> = Promise.resolve();
  let statusWrites = 0;

  const evaluate = (now: Term, namespace: string): Promise<void> => {
    if (caches.namespaces.get(namespace) === undefined) return Promise.resolve();
    evaluator.evaluate(namespace, now);
    if (caches.chains.inNamespace(namespace).length > 0) now.statuses.addAfter(namespace, evaluator.hears(namespace) ? silenceCheckMs : quietCheckMs);
    return Promise.resolve();
  };
  const end = async (ended: Term): Promise<void> => {
    if (term === ended) term = null;
    await Promise.all([ended.statuses.close(), ended.writer.close(), ended.bootstraps.close(), ended.workloads.close(), ended.localTier.close(), ended.recorder.close()]);
  };
  const begin = (signal: AbortSignal): void => {
    const now: Term = openTerm(options, signal, { onStatusWritten: () => { statusWrites++; }, evaluate: (namespace) => evaluate(now, namespace) });
    term = now;
    signal.addEventListener('abort', () => { ending = end(now); }, { once: true });
    for (const namespace of namespacesOf(options)) {
      now.statuses.add(namespace);
      now.bootstraps.note(namespace);
      now.workloads.note(namespace);
      now.localTier.add(namespace);
    }
  };
  return {
    begin,
    noteReport(sidecar, chains) {
      evaluator.noteReport(sidecar, chains);
      term?.statuses.addAfter(sidecar.namespace, reportGatherMs);
    },
    noteGone(sidecar) {
      evaluator.noteGone(sidecar);
      term?.statuses.addAfter(sidecar.namespace, reportGatherMs);
    },
    noteCompiled(namespace) {
      term?.statuses.add(namespace);
      term?.statuses.addAfter(namespace, acknowledgedMs);
      term?.bootstraps.note(namespace);
    },
    noteStatus: (namespace) => term?.statuses.add(namespace),
    noteWorkload(namespace) {
      term?.workloads.note(namespace);
      term?.bootstraps.note(namespace);
    },
    noteBootstrap: (namespace) => term?.bootstraps.noteWritten(namespace),
    noteLocalTier(namespace) {
      term?.localTier.add(namespace);
      term?.statuses.add(namespace);
    },
    noteTrusted() { for (const namespace of loop.namespaces()) term?.bootstraps.note(namespace); },
    stats: () => ({ leading: term !== null && options.holdsLease(), statusWrites, podsWithoutSidecar: podsWithoutSidecar(caches) }),
    close: () => (term === null ? ending : end(term)),
  };
}

function podsWithoutSidecar({ pods }: Caches): number {
  return pods.list().filter(({ observed }) => observed?.missing?.reason === 'InjectionMissing').length;
}

function openTerm(options: ControllerOptions, signal: AbortSignal, { onStatusWritten, evaluate }: { readonly onStatusWritten: () => void; readonly evaluate: (namespace: string) => Promise<void> }): Term {
  const { client, clock, wallClock, random, log, caches, reconcileLocalTier, holdsLease } = options;
  const mayWrite = (): boolean => !signal.aborted && holdsLease();
  const tellEvent = (message: string): void => log({ level: 'warn', event: 'event-lost', message });
  const recorder = createEventRecorder({ client, clock, wallClock, random, component: 'belay-controller', onProblem: tellEvent });
  const record: EventRecorder['record'] = (object, event) => { if (!isGoing(caches, object.metadata.namespace ?? '')) recorder.record(object, event); };
  const problem = (event: string) => ({ key, message, retryInMs }: { readonly key: string; readonly message: string; readonly retryInMs: number }): void => log({ level: 'warn', event, message, namespace: key, retryInMs });
  const localTier = createWorkQueue({
    clock, workers: 2, firstRetryMs: 1_000, longestRetryMs: 60_000, onProblem: problem('local-tier-not-applied'),
    work: async (namespace, aborted) => {
      // What is not known yet is not unwanted.
      if (!caches.hasSynced()) localTier.addAfter(namespace, unsyncedMs);
      else if (mayWrite() && !isGoing(caches, namespace)) await reconcileLocalTier(namespace, caches.providers.inNamespace(namespace).filter(({ metadata }) => metadata.deletionTimestamp === undefined), aborted);
    },
  });
  return {
    signal, recorder, localTier, record,
    writer: createStatusWriter({
      client, clock, log, mayWrite,
      onWritten: (object, before, after) => {
        onStatusWritten();
        for (const event of conditionEvents(before, after)) record(object, event);
      },
    }),
    bootstraps: createBootstrapWriter({
      client, clock, log, mayWrite,
      wanted: (namespace) => bootstrapOf(options, namespace),
      existing: (namespace) => caches.bootstraps.get(`${namespace}/belay-bootstrap`),
      onTooLarge: (namespace, message) => tellTooLarge(options, record, namespace, message),
    }),
    workloads: createWorkloadEvents({ clock, log, caches, mayWrite, record }),
    statuses: createWorkQueue({ clock, workers: 1, work: evaluate, firstRetryMs: 1_000, longestRetryMs: 60_000, onProblem: problem('status-not-made') }),
  };
}

/** It does not exist, or is being deleted: the API server takes nothing new into it, only changes of what is still there. */
function isGoing({ namespaces }: Caches, namespace: string): boolean {
  const object = namespaces.get(namespace);
  return object === undefined || object.metadata.deletionTimestamp !== undefined;
}

function namespacesOf({ caches, loop }: ControllerOptions): readonly string[] {
  const objects: readonly KubeObject[] = [
    ...caches.chains.list(), ...caches.providers.list(), ...caches.bootstraps.list(),
    ...caches.pods.list().filter(({ observed }) => observed != null), ...caches.deployments.list().filter(({ findings = [] }) => findings.length > 0),
  ];
  return [...new Set([...loop.namespaces(), ...objects.flatMap(({ metadata }) => metadata.namespace ?? [])])].sort();
}

function bootstrapOf({ caches, loop, trusted }: ControllerOptions, namespace: string): Bootstrap | 'absent' | 'unknown' {
  if (!caches.hasSynced() || isGoing(caches, namespace)) return 'unknown';
  const annotated = (): boolean => caches.pods.inNamespace(namespace).some(({ observed }) => observed != null);
  if (caches.chains.inNamespace(namespace).length === 0 && !annotated()) return caches.workloadsSynced() ? 'absent' : 'unknown';
  const compiled = loop.compiled(namespace);
  if (compiled === undefined) return 'unknown';
  return { table: compiled.table, endpoints: compiled.content.endpoints, certificates: trusted() };
}

/** Told of the namespace's first chain, which stands for all of them. */
function tellTooLarge({ caches, log }: ControllerOptions, record: EventRecorder['record'], namespace: string, message: string | null): void {
  if (message === null) return;
  log({ level: 'warn', event: 'bootstrap-too-large', message, namespace });
  const [chain] = caches.chains.inNamespace(namespace);
  if (chain !== undefined) record(chain, { type: 'Warning', reason: 'BootstrapTooLarge', message: `${message.slice(0, 1).toUpperCase()}${message.slice(1)}.` });
}
