import { canonicalJson, resourceTypes, selectChains, sharedSchemaVersion, type EndpointEntry, type HintEntry, type KeyEntry, type Resource, type ResourceType, type RoutingTable } from '@belay/contract';
import { describeUnread, unroutableTable } from './last-good-table.ts';

/** Everything that one namespace may have, as it is now. */
export interface NamespaceContent {
  /** The same chains once in each schema version that is written, newest last; at least one. */
  readonly tables: readonly [RoutingTable, ...RoutingTable[]];
  readonly keys: readonly KeyEntry[];
  readonly endpoints: readonly EndpointEntry[];
  readonly hints: readonly HintEntry[];
}

export type Resources = { readonly [type in ResourceType]: Extract<Resource, { readonly type: type }> | null };

/**
 * What a sidecar gets that asked for these chains and reads these schema versions: its chains, and keys, endpoints and hints of the providers they
 * use, no others. Where it reads none that is written its chains arrive unroutable. A resource whose content is that of `before` is the very object
 * of before, and so is serialised once.
 */
export function selectResources(content: NamespaceContent, chains: readonly string[], readable: readonly number[], before: Resources | null, sha256Hex: (text: string) => string): Resources {
  const schemaVersion = sharedSchemaVersion(readable, content.tables.map((table) => table.schemaVersion));
  const written = content.tables.find((table) => table.schemaVersion === schemaVersion);
  const table = selectChains(written ?? content.tables[content.tables.length - 1] ?? content.tables[0], chains, sha256Hex);
  const keyed = new Set(table.providers.filter(({ needsKey }) => needsKey).map(({ name }) => name));
  const providers = new Set(table.providers.map(({ name }) => name));
  const addresses = new Set(table.providers.map(({ address }) => address));
  const keys = content.keys.filter(({ provider }) => keyed.has(provider));
  const endpoints = content.endpoints.filter(({ name }) => addresses.has(`local:${name}`));
  const hints = content.hints.filter(({ provider }) => providers.has(provider));
  const versionOf = (value: unknown) => `sha256:${sha256Hex(canonicalJson(value))}`;
  const now: Resources = {
    endpoints: { type: 'endpoints', version: versionOf(endpoints), data: endpoints },
    // Never of a key itself: versions stand in logs.
    keys: { type: 'keys', version: versionOf(keys.map(({ provider, origin, version }) => ({ provider, origin, version }))), data: keys },
    hints: { type: 'hints', version: versionOf(hints), data: hints },
    table: tableFor(table, written !== undefined, readable, sha256Hex),
  };
  return Object.fromEntries(resourceTypes.map((type) => [type, before?.[type]?.version === now[type]?.version ? (before?.[type] ?? null) : now[type]])) as Resources;
}

/** A sidecar that reads none of what is written can read, at best, that every chain is unroutable: it goes on with what it has, or says why it has nothing. */
function tableFor(table: RoutingTable, isRead: boolean, readable: readonly number[], sha256Hex: (text: string) => string): Resources['table'] {
  if (isRead) return { type: 'table', version: table.version, data: table };
  return readable.length === 0 ? null : unroutableTable(table, describeUnread(readable), Math.max(...readable), sha256Hex);
}
