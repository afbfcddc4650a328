import type { Clock } from '@belay/contract';
import { statusDelay, type ResourceStatus } from '../../core/status-writes/status-delay.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { hasStatus } from '../kube/kube-error.ts';
import { objectKey, type KubeObject } from '../kube/kube-object.ts';
import type { Resource } from '../kube/resource-path.ts';
import { createWorkQueue, type WorkQueueStats } from '../kube/work-queue.ts';
import type { Log } from '../log.ts';

/** A resource with a status, as the API server keeps it. */
export interface StatusObject extends KubeObject {
  readonly status?: ResourceStatus;
}

export interface StatusWriterOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Log;
  /** False from the moment the lease may be another's: nothing is written then. */
  readonly mayWrite: () => boolean;
  /** After a write was taken. */
  readonly onWritten: (object: StatusObject, before: ResourceStatus | null, after: ResourceStatus) => void;
}

export interface StatusWriter {
  /** What the status of `object`, as the cache has it, should be. Written when it is due, the latest alone. */
  want(resource: Resource, object: StatusObject, status: ResourceStatus): void;
  /** The status as last written, where the cache has not caught up with that; else the cache's. */
  current(resource: Resource, object: StatusObject): ResourceStatus | null;
  forget(resource: Resource, object: StatusObject): void;
  stats(): WorkQueueStats & { readonly written: number };
  /** Stops at once: what is on its way is aborted. */
  close(): Promise<void>;
}

export const fieldManager = 'belay';

interface Wanted {
  readonly resource: Resource;
  readonly object: StatusObject;
  readonly status: ResourceStatus;
}

interface Written {
  readonly uid: string | undefined;
  readonly status: ResourceStatus;
  /**
   * resourceVersion of the cached object when this was written: as long as the cache still has that one, this is newer. null: the cache has had
   * another since; of an etcd that was restored, the one from before the write may come back.
   */
  readonly over: string | undefined | null;
  readonly atMs: number;
}

/** Server-side apply to `/status` under field manager `belay`: a condition's change at once, counters at most every 10 s a resource, no write without a change. */
export function createStatusWriter(options: StatusWriterOptions): StatusWriter {
  const { client, clock, log, mayWrite, onWritten } = options;
  const wanted = new Map<string, Wanted>();
  const written = new Map<string, Written>();
  let count = 0;
  const keyOf = (resource: Resource, object: StatusObject): string => `${resource.plural}/${objectKey(object)}`;
  const currentOf = (key: string, object: StatusObject): ResourceStatus | null => {
    const last = written.get(key);
    return last !== undefined && last.uid === object.metadata.uid && last.over === object.metadata.resourceVersion ? last.status : (object.status ?? null);
  };
  const lastOf = (key: string, object: StatusObject): { readonly atMs: number; readonly own: ResourceStatus | null } => {
    const last = written.get(key);
    return { atMs: last?.atMs ?? Number.NEGATIVE_INFINITY, own: last?.uid === object.metadata.uid ? (last?.status ?? null) : null };
  };
  const write = async (key: string, { resource, object, status }: Wanted, signal: AbortSignal): Promise<void> => {
    const { namespace = '', name, uid } = object.metadata;
    const before = currentOf(key, object);
    // The uid is a precondition: a resource of the same name that took this one's place is judged anew.
    const body = { apiVersion: object.apiVersion, kind: object.kind, metadata: { name, namespace, uid }, status };
    await client.apply({ resource, namespace, name, subresource: 'status' }, body, { fieldManager, force: true, signal });
    written.set(key, { uid, status, over: object.metadata.resourceVersion, atMs: clock.nowMs() });
    count++;
    onWritten(object, before, status);
  };
  const work = async (key: string, signal: AbortSignal): Promise<void> => {
    const next = wanted.get(key);
    if (next === undefined || !mayWrite()) return;
    const { atMs, own } = lastOf(key, next.object);
    const delayMs = statusDelay(currentOf(key, next.object), next.status, clock.nowMs() - atMs, own);
    if (delayMs === null) return;
    if (delayMs > 0) return queue.addAfter(key, delayMs);
    try {
      await write(key, next, signal);
    } catch (error) {
      // Gone, or another one by now: its own change brings what comes next.
      if (!hasStatus(error, 404, 409)) throw error;
    }
  };
  const queue = createWorkQueue({
    clock, workers: 4, work, firstRetryMs: 500, longestRetryMs: 60_000,
    onProblem: ({ key, message, retryInMs }) => log({ level: 'warn', event: 'status-not-written', message, resource: key, retryInMs }),
  });
  return {
    want(resource, object, status) {
      const key = keyOf(resource, object);
      const last = written.get(key);
      if (last !== undefined && last.over !== object.metadata.resourceVersion) written.set(key, { ...last, over: null });
      wanted.set(key, { resource, object, status });
      queue.add(key);
    },
    current: (resource, object) => currentOf(keyOf(resource, object), object),
    forget(resource, object) {
      wanted.delete(keyOf(resource, object));
      written.delete(keyOf(resource, object));
    },
    stats: () => ({ ...queue.stats(), written: count }),
    close: () => queue.close(),
  };
}
