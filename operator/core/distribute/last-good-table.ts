import { canonicalJson, type Resource, type RoutingTable } from '@belay/contract';

export type TableResource = Extract<Resource, { readonly type: 'table' }>;

/** Why a sidecar of these schema versions gets no chain that it could serve: a clause for people. */
export function describeUnread(readable: readonly number[]): string {
  return `this sidecar reads tables of schemaVersion ${readable.join(', ')} alone: restart the pod to give it a newer one`;
}

/**
 * The same chains, none to be served as they are now: a sidecar goes on with its last good form of each, without targets whose provider is gone.
 * `schemaVersion` is one that it reads.
 */
export function unroutableTable(table: RoutingTable, why: string, schemaVersion: number, sha256Hex: (text: string) => string): TableResource {
  const chains = table.chains.map((chain) => ({ ...chain, targets: [], unroutable: chain.unroutable ?? why }));
  return resourceOf({ ...table, schemaVersion: schemaVersion as RoutingTable['schemaVersion'], chains }, sha256Hex);
}

/**
 * What a sidecar that refused `refused` is to run in its place: what it accepted before, without chains and providers that are there no more, since
 * last known good bridges neither a deletion nor a permission withdrawn (control-plane: Distribution). `accepted` is null where only the sidecar knows
 * what it runs. null: what it runs may stay as it is.
 */
export function tableInstead(refused: RoutingTable, accepted: RoutingTable | null, error: string, sha256Hex: (text: string) => string): TableResource | null {
  if (accepted === null) return unroutableTable(refused, `this sidecar refused the newest table (${error})`, refused.schemaVersion, sha256Hex);
  const providers = accepted.providers.filter(({ name }) => refused.providers.some((provider) => provider.name === name));
  const chains = accepted.chains.filter(({ name }) => refused.chains.some((chain) => chain.name === name)).map((chain) => {
    const targets = chain.targets.filter(({ provider }) => providers.some(({ name }) => name === provider));
    return targets.length > 0 || chain.unroutable !== null ? { ...chain, targets } : { ...chain, targets, unroutable: 'none of its targets may be used any more' };
  });
  const instead = resourceOf({ ...accepted, providers, chains }, sha256Hex);
  return instead.version === accepted.version ? null : instead;
}

function resourceOf({ version: _, ...content }: RoutingTable, sha256Hex: (text: string) => string): TableResource {
  const version = `sha256:${sha256Hex(canonicalJson(content))}`;
  return { type: 'table', version, data: { version, ...content } };
}
