import type { ConnectionState } from './connection.ts';
import { describeUnread } from './last-good-table.ts';

/** `status.sidecars` of one chain. */
export interface SidecarCounts {
  readonly connected: number;
  /** Of these, those that run what is published for them. */
  readonly current: number;
  /** Of these, those that refused it or read no schema version of it. */
  readonly rejected: number;
  /** In the words of the sidecar that refused last; empty: none did. */
  readonly lastError: string;
}

/** Of the sidecars of one namespace, counts those that asked for this chain, by name or with `*`. */
export function countSidecars(connections: readonly ConnectionState[], chain: string): SidecarCounts {
  const asked = connections.filter(({ hello }) => hello?.chains.some((name) => name === '*' || name === chain) ?? false);
  const refusals = asked.flatMap((connection) => refusalOf(connection) ?? []).sort((a, b) => b.atMs - a.atMs);
  return {
    connected: asked.length,
    current: asked.filter(({ schemaVersion, slots: { table } }) => schemaVersion !== null && table.wanted !== null && table.acked === table.wanted.version).length,
    rejected: refusals.length,
    lastError: refusals[0]?.error ?? '',
  };
}

function refusalOf({ identity, hello, schemaVersion, slots: { table }, heardMs }: ConnectionState): { readonly error: string; readonly atMs: number } | null {
  if (schemaVersion === null) return { error: `pod ${identity.pod}: ${describeUnread(hello?.schemaVersions ?? [])}`, atMs: heardMs };
  return table.rejected !== null && table.rejected.version === table.wanted?.version ? table.rejected : null;
}
