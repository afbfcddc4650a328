import type { Clock, Random } from '../kube/clock.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { hasStatus } from '../kube/kube-error.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { createReflector, type Reflector } from '../kube/reflector.ts';
import type { Resource } from '../kube/resource-path.ts';

/** A Secret or ConfigMap, without the annotations that people's tools copy its content into. */
export interface NamedObject extends KubeObject {
  /** Of a Secret: base64. */
  readonly data?: Readonly<Record<string, string>>;
}

export type ObjectState =
  | { readonly kind: 'found'; readonly object: NamedObject }
  | { readonly kind: 'missing' }
  /** The API server's own sentence. */
  | { readonly kind: 'denied'; readonly message: string }
  /** Not asked for, or not answered yet. */
  | { readonly kind: 'unknown' };

export interface NamedObjectsOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly resource: Resource;
  /** Its `state` may be another one now. */
  readonly onChange: (namespace: string, name: string) => void;
  readonly onProblem: (problem: { readonly namespace: string; readonly name: string; readonly message: string; readonly retryInMs: number }) => void;
}

export interface NamedObjects {
  /** Watches exactly these of a namespace, and no others of it any more. */
  require(namespace: string, names: ReadonlySet<string>): void;
  state(namespace: string, name: string): ObjectState;
  /** False once one of the watches has ended by itself: a failed liveness probe. */
  alive(): boolean;
  close(): Promise<void>;
}

/** What was read before stays for so long after a denial: an API server that has just started denies everything for a moment. */
const deniedGraceMs = 30_000;
/** RFC 1123 subdomain; no object has another name, and no other fits a field selector unescaped. */
const objectName = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

interface Watched {
  readonly reflector: Reflector<NamedObject>;
  denied: { readonly message: string; readonly sinceMs: number } | null;
}

/**
 * Objects watched one by one by their names, which RBAC can allow one by one too (control-plane: Watching). They fail apart: one that may not be
 * read is `denied`, is tried again with back-off, and holds up no other.
 */
export function createNamedObjects(options: NamedObjectsOptions): NamedObjects {
  const watched = new Map<string, Map<string, Watched>>();
  const drop = (one: Watched): Promise<void> => one.reflector.close();
  return {
    require(namespace, names) {
      const inside = watched.get(namespace) ?? new Map<string, Watched>();
      for (const [name, one] of inside) {
        if (names.has(name)) continue;
        inside.delete(name);
        // How a loop ended was told by onProblem.
        drop(one).catch(() => undefined);
      }
      for (const name of names) if (!inside.has(name) && objectName.test(name)) inside.set(name, watch(options, namespace, name));
      if (inside.size > 0) watched.set(namespace, inside);
      else watched.delete(namespace);
    },
    state(namespace, name) {
      const one = watched.get(namespace)?.get(name);
      if (one === undefined) return objectName.test(name) ? { kind: 'unknown' } : { kind: 'missing' };
      return stateOf(one, `${namespace}/${name}`, options.clock.nowMs());
    },
    alive: () => all(watched).every(({ reflector }) => reflector.alive()),
    async close() {
      const last = all(watched);
      watched.clear();
      await Promise.allSettled(last.map(drop));
    },
  };
}

function all(watched: ReadonlyMap<string, ReadonlyMap<string, Watched>>): readonly Watched[] {
  return [...watched.values()].flatMap((inside) => [...inside.values()]);
}

function watch({ client, clock, random, resource, onChange, onProblem }: NamedObjectsOptions, namespace: string, name: string): Watched {
  let denied: Watched['denied'] = null;
  const changed = (): void => onChange(namespace, name);
  const reflector = createReflector<NamedObject>({
    client: listening(client, (error) => {
      denied = error === null ? null : { message: error, sinceMs: denied?.sinceMs ?? clock.nowMs() };
    }),
    clock, random, keep,
    place: { resource, namespace },
    fieldSelector: `metadata.name=${name}`,
    onChange: changed,
    onProblem: ({ message, retryInMs }) => {
      onProblem({ namespace, name, message, retryInMs });
      if (denied !== null) changed();
    },
  });
  // An empty list changes nothing in the store, and yet tells that there is none.
  void reflector.synced.then(changed);
  return { reflector, get denied() { return denied; } };
}

/** Hears from each list whether it was denied: a sentence, or null where it was not. Other failures say nothing of it. */
function listening(client: KubeClient, hear: (denial: string | null) => void): KubeClient {
  return {
    ...client,
    list: async (place, query, signal) => {
      try {
        const page = await client.list<never>(place, query, signal);
        hear(null);
        return page;
      } catch (error) {
        if (hasStatus(error, 403) && error instanceof Error) hear(error.message);
        throw error;
      }
    },
  };
}

function stateOf({ reflector, denied }: Watched, key: string, nowMs: number): ObjectState {
  const object = reflector.store.get(key);
  const isDenied = denied !== null && (object === undefined || nowMs - denied.sinceMs >= deniedGraceMs);
  if (isDenied) return { kind: 'denied', message: denied.message };
  if (object !== undefined) return { kind: 'found', object };
  return reflector.hasSynced() ? { kind: 'missing' } : { kind: 'unknown' };
}

/** `kubectl apply` keeps a Secret's content in an annotation. */
function keep({ metadata: { namespace, name, uid, resourceVersion }, data }: NamedObject): NamedObject {
  return {
    metadata: { name, ...(namespace === undefined ? {} : { namespace }), ...(uid === undefined ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }) },
    ...(data === undefined ? {} : { data }),
  };
}
