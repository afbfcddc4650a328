import { canonicalJson } from '../canonical-json.ts';
import type { RoutingTable } from '../routing-table.ts';

/**
 * The part of a namespace's table that a sidecar asked for (`*`: all of it), with the version of what it really holds: whatever version the
 * whole named is not believed. A chain that is not there is left out. Where a chain goes on in its last good form every provider stays.
 */
export function selectChains(table: RoutingTable, chains: readonly string[], sha256Hex: (text: string) => string): RoutingTable {
  const selected = chains.includes('*') ? table.chains : table.chains.filter(({ name }) => chains.includes(name));
  const used = new Set(selected.flatMap(({ targets }) => targets.map(({ provider }) => provider)));
  const goesOn = selected.some(({ unroutable }) => unroutable !== null);
  const content = {
    schemaVersion: table.schemaVersion,
    namespace: table.namespace,
    providers: goesOn ? table.providers : table.providers.filter(({ name }) => used.has(name)),
    chains: selected,
  };
  return { version: `sha256:${sha256Hex(canonicalJson(content))}`, ...content };
}

/** What a sidecar may ask for: `*` alone, or at least one name. */
export function isChainWish(chains: readonly string[]): boolean {
  return chains.includes('*') ? chains.length === 1 : chains.length > 0;
}
