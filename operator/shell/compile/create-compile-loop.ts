import type { Clock } from '@belay/contract';
import { compileNamespace, type Compilation } from '../../core/compile/compile-namespace.ts';
import type { NamespaceContent } from '../../core/distribute/select-resources.ts';
import { createWorkQueue, type WorkQueueStats } from '../kube/work-queue.ts';
import type { Log } from '../log.ts';
import { viewNamespace, type SnapshotSources } from '../watch/snapshot-of.ts';

export interface CompileLoopOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly sources: SnapshotSources;
  /** Gives a namespace's sidecars what it has now. */
  readonly publish: (namespace: string, content: NamespaceContent) => void;
  /** After it was published. */
  readonly onCompiled: (namespace: string) => void;
}

/** What a namespace serves, as last published. */
export interface CompiledNamespace extends Compilation {
  readonly content: NamespaceContent;
}

export interface CompileLoop {
  /** Something that the namespace's table, keys or endpoints are made of has changed. Kept for later where the caches have not synced. */
  add(namespace: string): void;
  /** As `add`, for a change of manifests: others may have been applied with it, and each kind's watch tells of its own a moment sooner or later. */
  addSoon(namespace: string): void;
  /** A sidecar is there, so that the namespace is compiled also where it has no chain. */
  want(namespace: string): void;
  /** The caches have synced: from now on absence means absence. Compiles every namespace that has chains or providers. */
  start(): void;
  compiled(namespace: string): CompiledNamespace | undefined;
  namespaces(): readonly string[];
  stats(): WorkQueueStats;
  close(): Promise<void>;
}

/**
 * A namespace that nobody was given anything for waits so long for an answer about each Secret and ConfigMap that it refers to: without, sidecars
 * that hold keys from before a restart would lose them for a moment.
 */
const firstWaitMs = 10_000;

/** A chain that is known so long before its provider would be told, in status and Events, to have none. */
const gatherMs = 50;

/** Compiles namespaces that have changed, one at a time, and publishes them; nothing before `start`. */
export function createCompileLoop({ clock, log, sources, publish, onCompiled }: CompileLoopOptions): CompileLoop {
  const compiled = new Map<string, CompiledNamespace>();
  const waiting = new Map<string, number>();
  const early = new Set<string>();
  const asked = new Set<string>();
  let started = false;

  const mustWait = (namespace: string, waits: boolean): boolean => {
    if (!waits || compiled.has(namespace)) {
      waiting.delete(namespace);
      return false;
    }
    const sinceMs = waiting.get(namespace) ?? clock.nowMs();
    waiting.set(namespace, sinceMs);
    const leftMs = sinceMs + firstWaitMs - clock.nowMs();
    if (leftMs > 0) queue.addAfter(namespace, leftMs);
    return leftMs > 0;
  };
  const work = (namespace: string): Promise<void> => {
    if (!compiled.has(namespace) && !asked.has(namespace) && isBare(namespace, sources)) return Promise.resolve();
    const { snapshot, keys, endpoints, waits } = viewNamespace(namespace, sources);
    if (mustWait(namespace, waits)) return Promise.resolve();
    const compilation = compileNamespace(snapshot, sources.tools);
    const content: NamespaceContent = { tables: [compilation.table], keys, endpoints, hints: [] };
    const before = compiled.get(namespace);
    compiled.set(namespace, { ...compilation, content });
    publish(namespace, content);
    if (before?.table.version !== compilation.table.version) tellPublished(log, namespace, compilation);
    if (isBare(namespace, sources) && sources.caches.namespaces.get(namespace) === undefined) {
      compiled.delete(namespace);
      asked.delete(namespace);
    }
    onCompiled(namespace);
    return Promise.resolve();
  };
  const queue = createWorkQueue({
    clock, workers: 1, work, firstRetryMs: 1_000, longestRetryMs: 60_000,
    onProblem: ({ key, message, retryInMs }) => log({ level: 'error', event: 'namespace-not-compiled', message, namespace: key, retryInMs }),
  });
  const add = (namespace: string, delayMs: number | null): void => (started ? (delayMs === null ? queue.add(namespace) : queue.addAfter(namespace, delayMs)) : void early.add(namespace));
  return {
    add: (namespace) => add(namespace, null),
    addSoon: (namespace) => add(namespace, gatherMs),
    want(namespace) {
      asked.add(namespace);
      add(namespace, null);
    },
    start() {
      started = true;
      const { chains, providers } = sources.caches;
      const namespaces = new Set([...early, ...[...chains.list(), ...providers.list()].flatMap(({ metadata }) => metadata.namespace ?? [])]);
      for (const namespace of [...namespaces].sort()) queue.add(namespace);
    },
    compiled: (namespace) => compiled.get(namespace),
    namespaces: () => [...compiled.keys()],
    stats: () => queue.stats(),
    close: () => queue.close(),
  };
}

function tellPublished(log: Log, namespace: string, { table: { version, chains } }: Compilation): void {
  log({ level: 'info', event: 'table-published', message: `namespace ${namespace} has a new table`, namespace, version, chains: chains.length });
}

/** It has neither chain nor provider. */
function isBare(namespace: string, { caches }: SnapshotSources): boolean {
  return caches.chains.inNamespace(namespace).length === 0 && caches.providers.inNamespace(namespace).length === 0;
}
