import { bootstrapName, describeProblem, encodeBootstrap, type Bootstrap, type Clock } from '@belay/contract';
import { appliedCopy, copyDelay, type AppliedCopy } from '../../core/status-writes/copy-delay.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { hasStatus } from '../kube/kube-error.ts';
import { createWorkQueue } from '../kube/work-queue.ts';
import type { Log } from '../log.ts';
import { resources } from '../watch/belay-objects.ts';
import { hashOfData, type KeptConfigMap } from '../watch/kept-objects.ts';
import { fieldManager } from './create-status-writer.ts';

export interface BootstrapWriterOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly mayWrite: () => boolean;
  /** What pods of the namespace should start from; `absent`: nothing, as where there is neither chain nor annotated pod; `unknown`: leave it. */
  readonly wanted: (namespace: string) => Bootstrap | 'absent' | 'unknown';
  /** As the cache has it; undefined: not there, or not known. */
  readonly existing: (namespace: string) => KeptConfigMap | undefined;
  /** It does not fit into a ConfigMap, or fits again (null): a sentence. Told once a change. */
  readonly onTooLarge: (namespace: string, message: string | null) => void;
}

export interface BootstrapWriter {
  /** Something of the namespace has changed: its table, its endpoints, the authorities, the ConfigMap itself. */
  note(namespace: string): void;
  /** As `note`, where it was the ConfigMap itself: what was written last counts no more. */
  noteWritten(namespace: string): void;
  close(): Promise<void>;
}

/** On everything that the operator makes: an uninstallation finds it by this. */
const managedByLabel = { 'app.kubernetes.io/managed-by': 'belay' } as const;
/** Changes that come together are one write. */
const gatherMs = 300;

/** Keeps the ConfigMap `belay-bootstrap` of each namespace (control-plane: Distribution): never a key in it, and never too large for it. */
export function createBootstrapWriter(options: BootstrapWriterOptions): BootstrapWriter {
  const { client, clock, log, mayWrite, wanted, existing, onTooLarge } = options;
  const written = new Map<string, string>();
  /** As `written`, whatever became of it since. */
  const applied = new Map<string, AppliedCopy>();
  const tooLarge = new Map<string, string>();
  const tell = (namespace: string, message: string | null): void => {
    if ((tooLarge.get(namespace) ?? null) === message) return;
    if (message === null) tooLarge.delete(namespace);
    else tooLarge.set(namespace, message);
    onTooLarge(namespace, message);
  };
  const work = async (namespace: string, signal: AbortSignal): Promise<void> => {
    const next = wanted(namespace);
    if (next === 'unknown' || !mayWrite()) return;
    if (next === 'absent') return remove(namespace, signal);
    const encoded = encodeBootstrap(next);
    tell(namespace, encoded.ok ? null : encoded.problems.map(describeProblem).join('; '));
    // An old copy is worse than none: it would outlive what it says.
    if (!encoded.ok) return remove(namespace, signal);
    const hash = hashOfData(encoded.value);
    if ((existing(namespace)?.dataHash ?? written.get(namespace)) === hash) return;
    const waitMs = copyDelay(applied.get(namespace), hash, clock.nowMs());
    if (waitMs > 0) return queue.addAfter(namespace, waitMs);
    await write(namespace, encoded.value, hash, signal);
  };
  const write = async (namespace: string, data: { readonly [key: string]: string }, hash: string, signal: AbortSignal): Promise<void> => {
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: bootstrapName, namespace, labels: managedByLabel }, data };
    await client.apply({ resource: resources.configMaps, namespace, name: bootstrapName }, body, { fieldManager, force: true, signal });
    written.set(namespace, hash);
    applied.set(namespace, appliedCopy(applied.get(namespace), hash, clock.nowMs()));
  };
  const remove = async (namespace: string, signal: AbortSignal): Promise<void> => {
    written.delete(namespace);
    applied.delete(namespace);
    if (existing(namespace)?.metadata.labels?.['app.kubernetes.io/managed-by'] !== 'belay') return;
    await client.delete({ resource: resources.configMaps, namespace, name: bootstrapName }, signal);
  };
  const queue = createWorkQueue({
    clock, workers: 2, firstRetryMs: 500, longestRetryMs: 60_000,
    work: async (namespace, signal) => {
      try {
        await work(namespace, signal);
      } catch (error) {
        // Its namespace, or it itself, is gone.
        if (!hasStatus(error, 404, 409)) throw error;
      }
    },
    onProblem: ({ key, message, retryInMs }) => log({ level: 'warn', event: 'bootstrap-not-written', message, namespace: key, retryInMs }),
  });
  return {
    note: (namespace) => queue.addAfter(namespace, gatherMs),
    noteWritten(namespace) {
      written.delete(namespace);
      queue.addAfter(namespace, gatherMs);
    },
    close: () => queue.close(),
  };
}
