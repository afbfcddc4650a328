import type { KubeClient, ListQuery, WatchQuery } from '@belay/operator/shell/kube/kube-client.ts';
import type { KubeList, KubeObject, WatchEvent } from '@belay/operator/shell/kube/kube-object.ts';

/** Plays one watch: what it emits arrives at once; it ends when the promise does. */
export type WatchScript = (emit: (event: WatchEvent) => void, signal: AbortSignal) => Promise<void>;

export interface ScriptedClient {
  readonly client: KubeClient;
  readonly lists: ListQuery[];
  readonly watches: WatchQuery[];
}

/** A server that answers each list and each watch with the next of its script; the last of each repeats. */
export function scriptedClient(lists: readonly (() => KubeList<KubeObject>)[], watches: readonly WatchScript[]): ScriptedClient {
  const asked = { lists: [] as ListQuery[], watches: [] as WatchQuery[] };
  const refuse = (): Promise<never> => Promise.reject(new Error('not in the script'));
  const client: KubeClient = {
    list: async <T extends KubeObject>(_place: unknown, query: ListQuery) => {
      asked.lists.push(query);
      return lists[Math.min(asked.lists.length, lists.length) - 1]!() as KubeList<T>;
    },
    watch: async (_place, query, onEvent, signal) => {
      asked.watches.push(query);
      await watches[Math.min(asked.watches.length, watches.length) - 1]!(onEvent, signal);
    },
    get: refuse, create: refuse, replace: refuse, patch: refuse, apply: refuse, delete: refuse,
  };
  return { client, ...asked };
}

/** A watch that emits what it is given and then stays open until it is aborted. */
export function staysOpen(...events: readonly WatchEvent[]): WatchScript {
  return (emit, signal) => {
    for (const event of events) emit(event);
    return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
  };
}

export function pageOf(resourceVersion: string, items: readonly KubeObject[], more?: string): KubeList<KubeObject> {
  return { apiVersion: 'v1', kind: 'ConfigMapList', metadata: { resourceVersion, ...(more === undefined ? {} : { continue: more }) }, items };
}

export function objectOf(name: string, resourceVersion: string, uid = `uid-${name}`): KubeObject {
  return { metadata: { namespace: 'shop', name, uid, resourceVersion, managedFields: [{ manager: 'kubectl' }] } };
}
