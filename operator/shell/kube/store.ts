import { objectKey, type KubeObject } from './kube-object.ts';

/** Objects by key and by namespace, as they were last seen. */
export interface Store<T extends KubeObject> {
  /** `namespace/name`, or `name` for kinds without namespaces. */
  get(key: string): T | undefined;
  list(): readonly T[];
  /** Sorted by name, so that what is computed from it depends on no order of arrival. */
  inNamespace(namespace: string): readonly T[];
  readonly size: number;
}

export type Change<T extends KubeObject> =
  | { readonly type: 'added'; readonly object: T }
  | { readonly type: 'modified'; readonly object: T; readonly before: T }
  /** `stateUnknown`: it went while nobody watched; `object` is the last that was seen (client-go's DeletedFinalStateUnknown). */
  | { readonly type: 'deleted'; readonly object: T; readonly stateUnknown: boolean };

export interface WritableStore<T extends KubeObject> extends Store<T> {
  put(object: T): readonly Change<T>[];
  remove(object: T): readonly Change<T>[];
  /** Makes `objects` all there is: what is missing becomes a tombstone, what has the same resourceVersion no change. */
  replaceAll(objects: readonly T[]): readonly Change<T>[];
}

export function newStore<T extends KubeObject>(): WritableStore<T> {
  const objects = new Map<string, T>();
  const namespaces = new Map<string, Map<string, T>>();

  const set = (object: T): void => {
    objects.set(objectKey(object), object);
    const namespace = object.metadata.namespace ?? '';
    const inside = namespaces.get(namespace) ?? new Map<string, T>();
    namespaces.set(namespace, inside.set(object.metadata.name, object));
  };
  const unset = ({ metadata }: T, key: string): void => {
    objects.delete(key);
    const inside = namespaces.get(metadata.namespace ?? '');
    inside?.delete(metadata.name);
    if (inside?.size === 0) namespaces.delete(metadata.namespace ?? '');
  };
  const put = (object: T): readonly Change<T>[] => {
    const before = objects.get(objectKey(object));
    set(object);
    if (before === undefined) return [{ type: 'added', object }];
    if (before.metadata.uid !== object.metadata.uid) return [{ type: 'deleted', object: before, stateUnknown: true }, { type: 'added', object }];
    const same = before.metadata.resourceVersion !== undefined && before.metadata.resourceVersion === object.metadata.resourceVersion;
    return same ? [] : [{ type: 'modified', object, before }];
  };

  return {
    get: (key) => objects.get(key),
    list: () => [...objects.values()],
    inNamespace: (namespace) => [...(namespaces.get(namespace)?.values() ?? [])].sort(byName),
    get size() { return objects.size; },
    put,
    remove(object) {
      const key = objectKey(object);
      if (!objects.has(key)) return [];
      unset(object, key);
      return [{ type: 'deleted', object, stateUnknown: false }];
    },
    replaceAll(all) {
      const keys = new Set(all.map(objectKey));
      const gone = [...objects].filter(([key]) => !keys.has(key));
      for (const [key, object] of gone) unset(object, key);
      return [...gone.map(([, object]) => ({ type: 'deleted' as const, object, stateUnknown: true })), ...all.flatMap(put)];
    },
  };
}

function byName(one: KubeObject, other: KubeObject): number {
  if (one.metadata.name === other.metadata.name) return 0;
  return one.metadata.name < other.metadata.name ? -1 : 1;
}
