import type { KubeClient } from '@belay/operator/shell/kube/kube-client.ts';
import { KubeError } from '@belay/operator/shell/kube/kube-error.ts';
import type { KubeObject, WatchEvent } from '@belay/operator/shell/kube/kube-object.ts';

export interface MemoryClient extends KubeClient {
  /** As somebody else would write it; null: deletes it. */
  put(name: string, object: KubeObject | null): void;
  read(name: string): KubeObject | undefined;
  /** What an API server sends once a minute, that its watchers may know it lives. */
  bookmark(): void;
  /** Every write is refused with these words until it is called with null. */
  refuseWrites(words: string | null): void;
}

/** One collection of an API server that keeps its objects in memory: list, watch, create and replace with a resourceVersion. */
export function memoryClient(): MemoryClient {
  const objects = new Map<string, KubeObject>();
  const watchers = new Set<(event: WatchEvent) => void>();
  let version = 0;
  let refusal: string | null = null;
  const refuse = (status: number, words: string): never => { throw new KubeError(words, { status, reason: '', retryAfterMs: null, causes: [] }); };
  const write = (name: string, object: KubeObject): KubeObject => {
    const before = objects.get(name);
    const stored = { ...object, metadata: { ...object.metadata, name, uid: before?.metadata.uid ?? `uid-${++version}`, resourceVersion: String(++version) } };
    objects.set(name, stored);
    for (const tell of watchers) tell({ type: before === undefined ? 'ADDED' : 'MODIFIED', object: stored });
    return stored;
  };
  const notNow = (): Promise<never> => Promise.reject(new Error('not kept in memory'));
  return {
    list: async <T extends KubeObject>() => ({ metadata: { resourceVersion: String(version) }, items: [...objects.values()] as unknown as readonly T[] }),
    watch: (_place, _query, onEvent, signal) => new Promise((_resolve, reject) => {
      watchers.add(onEvent);
      signal.addEventListener('abort', () => { watchers.delete(onEvent); reject(new Error('aborted')); });
    }),
    create: async <T extends KubeObject>(_place: unknown, object: unknown) => {
      const { metadata: { name } } = object as KubeObject;
      if (refusal !== null) refuse(403, refusal);
      if (objects.has(name)) refuse(409, 'it is there already');
      return write(name, object as KubeObject) as T;
    },
    replace: async <T extends KubeObject>({ name }: { readonly name: string }, object: unknown) => {
      if (refusal !== null) refuse(403, refusal);
      if (objects.get(name)?.metadata.resourceVersion !== (object as KubeObject).metadata.resourceVersion) refuse(409, 'it has changed');
      return write(name, object as KubeObject) as T;
    },
    get: async <T extends KubeObject>({ name }: { readonly name: string }) => (objects.get(name) ?? refuse(404, 'it is not there')) as T,
    patch: notNow, apply: notNow, delete: notNow,
    put(name, object) {
      const before = objects.get(name);
      if (object !== null) write(name, object);
      else if (before !== undefined && objects.delete(name)) for (const tell of watchers) tell({ type: 'DELETED', object: { ...before, metadata: { ...before.metadata, resourceVersion: String(++version) } } });
    },
    read: (name) => objects.get(name),
    bookmark() {
      for (const tell of watchers) tell({ type: 'BOOKMARK', object: { metadata: { resourceVersion: String(version) } } });
    },
    refuseWrites: (words) => { refusal = words; },
  };
}
