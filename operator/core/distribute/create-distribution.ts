import type { HelloFrame, Random, RoutingTable } from '@belay/contract';
import { newConnectionStore, type ConnectionStore } from './connection-store.ts';
import { openConnection, stepConnection, type ConnectionEffect, type ConnectionEvent, type SidecarIdentity, type TableInstead } from './connection.ts';
import { tableInstead } from './last-good-table.ts';
import { changePublication, duePublication, tableIsPending, type Publication } from './publication.ts';
import { selectResources, type NamespaceContent, type Resources } from './select-resources.ts';
import { countSidecars, type SidecarCounts } from './sidecar-counts.ts';

/** `drained`, `ticked` and `synced` concern every connection. */
export type DistributionEvent =
  /** Every reflector of a Belay kind has its first list. What was compiled before is not kept, and nobody is given anything: it may lack chains. */
  | { readonly type: 'synced' }
  | { readonly type: 'namespace-compiled'; readonly namespace: string; readonly content: NamespaceContent }
  /** Its token was reviewed. */
  | { readonly type: 'connection-opened'; readonly connection: number; readonly identity: SidecarIdentity }
  | { readonly type: 'connection-closed'; readonly connection: number }
  | { readonly type: 'connection-said'; readonly connection: number; readonly said: Extract<ConnectionEvent, { readonly type: 'frame-received' | 'socket-measured' }> }
  /** Its token is valid no more: its pod is gone, or it has a newer one. It is asked to connect anew, and cut off where it does not. */
  | { readonly type: 'identity-refused'; readonly connection: number }
  | { readonly type: 'draining' }
  | { readonly type: 'ticked' };

export type DistributionEffect =
  | (ConnectionEffect & { readonly connection: number })
  /** A sidecar asks for a namespace that was never compiled: compile it, also where it holds no chain. */
  | { readonly type: 'compile-namespace'; readonly namespace: string }
  /** Say `ticked` by then, beside the tick of every second. */
  | { readonly type: 'wake'; readonly delayMs: number };

export interface Distribution {
  /** `nowMs` is monotonic. Effects are carried out in order; `close` ends a connection without a `connection-closed` being needed. */
  handle(event: DistributionEvent, nowMs: number): readonly DistributionEffect[];
  countSidecars(namespace: string, chain: string): SidecarCounts;
}

/** Of one namespace: a sidecar may wish for what it likes, as often as it likes. What is forgotten is selected again. */
const mostSelections = 64;

interface Held {
  readonly sha256Hex: (text: string) => string;
  readonly random: Random;
  readonly tableInstead: TableInstead;
  synced: boolean;
  readonly connections: ConnectionStore;
  readonly publications: Map<string, Publication>;
  /** Of each namespace, by what a hello asks for: what a thousand sidecars get alike is selected, and later serialised, once. */
  readonly selections: Map<string, Map<string, { readonly of: NamespaceContent; readonly resources: Resources }>>;
}

/** All connections of one distributor. */
export function createDistribution(random: Random, sha256Hex: (text: string) => string): Distribution {
  const held: Held = { random, sha256Hex, tableInstead: keptTables(sha256Hex), synced: false, connections: newConnectionStore(), publications: new Map(), selections: new Map() };
  return {
    handle: (event, nowMs) => handle(held, event, nowMs),
    countSidecars(namespace, chain) {
      const counts = countSidecars(held.connections.inNamespace(namespace).flatMap((connection) => held.connections.get(connection) ?? []), chain);
      // For as long as a newer table waits to be sent, nobody runs it.
      return tableIsPending(held.publications.get(namespace)) ? { ...counts, current: 0 } : counts;
    },
  };
}

function handle(held: Held, event: DistributionEvent, nowMs: number): readonly DistributionEffect[] {
  switch (event.type) {
    case 'synced':
      held.synced = true;
      return held.connections.all().flatMap((connection) => offer(held, connection, nowMs));
    case 'namespace-compiled': return change(held, event.namespace, event.content, nowMs);
    case 'connection-opened':
      held.connections.set(event.connection, openConnection(event.identity, nowMs, held.random()));
      return [];
    case 'connection-closed':
      held.connections.delete(event.connection);
      return [];
    case 'connection-said': return hear(held, event.connection, event.said, nowMs);
    case 'identity-refused': return advance(held, event.connection, { type: 'draining' }, nowMs);
    case 'draining': return held.connections.all().flatMap((connection) => advance(held, connection, event, nowMs));
    case 'ticked': return [...publishDue(held, nowMs), ...held.connections.all().flatMap((connection) => advance(held, connection, event, nowMs))];
  }
}

function hear(held: Held, connection: number, said: ConnectionEvent, nowMs: number): readonly DistributionEffect[] {
  const before = held.connections.get(connection)?.hello ?? null;
  const effects = advance(held, connection, said, nowMs);
  const greeted = before === null && (held.connections.get(connection)?.hello ?? null) !== null;
  return greeted ? [...effects, ...offer(held, connection, nowMs)] : effects;
}

function advance(held: Held, connection: number, event: ConnectionEvent, nowMs: number): readonly DistributionEffect[] {
  const before = held.connections.get(connection);
  if (before === undefined) return [];
  const { state, effects } = stepConnection(before, event, nowMs, held.tableInstead);
  if (effects.some(({ type }) => type === 'close')) held.connections.delete(connection);
  else held.connections.set(connection, state);
  return effects.map((effect) => ({ ...effect, connection }));
}

function change(held: Held, namespace: string, content: NamespaceContent, nowMs: number): readonly DistributionEffect[] {
  if (!held.synced) return [];
  const publication = changePublication(held.publications.get(namespace) ?? { current: null, pending: null }, content, nowMs);
  held.publications.set(namespace, publication);
  const wake = publication.pending === null ? [] : [{ type: 'wake', delayMs: Math.max(0, publication.pending.dueMs - nowMs) } as const];
  return [...offerAll(held, namespace, nowMs), ...wake];
}

function publishDue(held: Held, nowMs: number): readonly DistributionEffect[] {
  return [...held.publications].flatMap(([namespace, publication]) => {
    const due = duePublication(publication, nowMs);
    if (due === publication) return [];
    held.publications.set(namespace, due);
    return offerAll(held, namespace, nowMs);
  });
}

function offerAll(held: Held, namespace: string, nowMs: number): readonly DistributionEffect[] {
  const effects = held.connections.inNamespace(namespace).flatMap((connection) => offer(held, connection, nowMs));
  forgetUnused(held, namespace);
  return effects;
}

/** Gives a connection what its namespace, and no other, has for its hello. */
function offer(held: Held, connection: number, nowMs: number): readonly DistributionEffect[] {
  const state = held.connections.get(connection);
  if (!held.synced || state === undefined || state.hello === null) return [];
  const { namespace } = state.identity;
  const content = held.publications.get(namespace)?.current ?? null;
  if (content === null) return [{ type: 'compile-namespace', namespace }];
  return advance(held, connection, { type: 'resources-selected', resources: select(held, namespace, content, state.hello) }, nowMs);
}

function select(held: Held, namespace: string, content: NamespaceContent, { chains, schemaVersions }: HelloFrame): Resources {
  const selections = held.selections.get(namespace) ?? new Map<string, { readonly of: NamespaceContent; readonly resources: Resources }>();
  held.selections.set(namespace, selections);
  const wish = JSON.stringify([[...new Set(schemaVersions)].sort(), [...new Set(chains)].sort()]);
  const known = selections.get(wish);
  if (known?.of === content) return known.resources;
  const resources = selectResources(content, chains, schemaVersions, known?.resources ?? null, held.sha256Hex);
  const [oldest] = selections.keys();
  if (known === undefined && selections.size >= mostSelections && oldest !== undefined) selections.delete(oldest);
  selections.set(wish, { of: content, resources });
  return resources;
}

/** What was selected for sidecars that are gone. */
function forgetUnused(held: Held, namespace: string): void {
  const selections = held.selections.get(namespace);
  const current = held.publications.get(namespace)?.current;
  for (const [wish, { of }] of selections ?? []) if (of !== current) selections?.delete(wish);
}

/** What a thousand sidecars refuse alike is made, and later serialised, once. */
function keptTables(sha256Hex: (text: string) => string): TableInstead {
  const kept = new WeakMap<RoutingTable, { readonly accepted: RoutingTable | null; readonly error: string; readonly instead: ReturnType<TableInstead> }>();
  return (refused, accepted, error) => {
    const known = kept.get(refused.data);
    if (known !== undefined && known.accepted === (accepted?.data ?? null) && known.error === error) return known.instead;
    const instead = tableInstead(refused.data, accepted?.data ?? null, error, sha256Hex);
    kept.set(refused.data, { accepted: accepted?.data ?? null, error, instead });
    return instead;
  };
}
