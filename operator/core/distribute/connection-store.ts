import type { ConnectionState } from './connection.ts';

/** All connections of one distributor, by their numbers and by namespace: there are ten thousand of them, and each question is about a few. */
export interface ConnectionStore {
  get(connection: number): ConnectionState | undefined;
  /** A connection stays in the namespace that it came from. */
  set(connection: number, state: ConnectionState): void;
  delete(connection: number): void;
  all(): readonly number[];
  inNamespace(namespace: string): readonly number[];
}

export function newConnectionStore(): ConnectionStore {
  const states = new Map<number, ConnectionState>();
  const namespaces = new Map<string, Set<number>>();
  return {
    get: (connection) => states.get(connection),
    set(connection, state) {
      states.set(connection, state);
      const inside = namespaces.get(state.identity.namespace);
      if (inside === undefined) namespaces.set(state.identity.namespace, new Set([connection]));
      else inside.add(connection);
    },
    delete(connection) {
      const namespace = states.get(connection)?.identity.namespace ?? '';
      states.delete(connection);
      const inside = namespaces.get(namespace);
      inside?.delete(connection);
      if (inside?.size === 0) namespaces.delete(namespace);
    },
    all: () => [...states.keys()],
    inNamespace: (namespace) => [...(namespaces.get(namespace) ?? [])],
  };
}
