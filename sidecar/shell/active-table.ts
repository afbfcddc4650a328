import { canonicalJson, parsed, type EndpointEntry, type KeyEntry, type Parsed, type Random } from '@belay/contract';
import { createTargetHealth } from '../core/health/create-target-health.ts';
import { createHedgeBudget } from '../core/health/create-hedge-budget.ts';
import type { HedgeBudget, TargetHealth } from '../core/health/target-health.ts';
import { compileTable } from '../core/plan/compile-table.ts';
import type { CompiledChain, CompiledTable, CompiledTarget } from '../core/plan/compiled-table.ts';

/** What a sidecar serves now: the last good table, the keys and the addresses of local targets, and what it learned. */
export interface ActiveTable {
  /** null until a first table compiled. A request reads it once. */
  current(): CompiledTable | null;
  /** Problems leave everything as it was. */
  apply(table: unknown): Parsed<{ readonly version: string }>;
  applyKeys(keys: readonly KeyEntry[]): void;
  applyEndpoints(endpoints: readonly EndpointEntry[]): void;
  /** The key for this target's provider, if it was delivered for the provider's origin; read when an attempt starts. */
  keyFor(target: CompiledTarget): KeyEntry | null;
  /** Of a `local:NAME` provider; null where it has an address of its own, or none is known. */
  endpointFor(target: CompiledTarget): EndpointEntry | null;
  healthOf(target: CompiledTarget): TargetHealth;
  hedgeBudgetOf(chain: CompiledChain): HedgeBudget;
}

interface Known {
  readonly health: TargetHealth;
  readonly provider: string;
  /** Provider and model as they were served last; another spec ends a Missing. */
  spec: string;
}

interface Held {
  readonly random: Random;
  table: CompiledTable | null;
  keys: ReadonlyMap<string, KeyEntry>;
  endpoints: ReadonlyMap<string, EndpointEntry>;
  readonly health: Map<string, Known>;
  readonly budgets: Map<string, { readonly share: number; readonly budget: HedgeBudget }>;
}

export function createActiveTable(random: Random): ActiveTable {
  const held: Held = { random, table: null, keys: new Map(), endpoints: new Map(), health: new Map(), budgets: new Map() };
  return {
    current: () => held.table,
    apply(table) {
      const compiled = compileTable(table, held.table);
      if (!compiled.ok) return compiled;
      held.table = compiled.value;
      keepHealth(held, compiled.value);
      return parsed({ version: compiled.value.version });
    },
    applyKeys(keys) {
      const before = held.keys;
      held.keys = new Map(keys.map((key) => [key.provider, key]));
      for (const { health, provider } of held.health.values()) {
        const version = held.keys.get(provider)?.version ?? null;
        if (version !== (before.get(provider)?.version ?? null)) health.keyChanged(version);
      }
    },
    applyEndpoints(endpoints) {
      held.endpoints = new Map(endpoints.map((endpoint) => [endpoint.name, endpoint]));
    },
    keyFor: ({ provider }) => usableKey(held.keys.get(provider.name), provider.address),
    endpointFor: ({ provider }) => (provider.address.startsWith(local) ? (held.endpoints.get(provider.address.slice(local.length)) ?? null) : null),
    healthOf: (target) => knownOf(held, target).health,
    hedgeBudgetOf: (chain) => budgetOf(held, chain),
  };
}

const local = 'local:';

/** A key goes only to the origin it was delivered for, whatever table runs. */
function usableKey(key: KeyEntry | undefined, address: string): KeyEntry | null {
  if (key === undefined || !URL.canParse(address) || !URL.canParse(key.origin)) return null;
  return new URL(address).origin === new URL(key.origin).origin ? key : null;
}

function knownOf(held: Held, target: CompiledTarget): Known {
  const known = held.health.get(target.healthKey);
  if (known !== undefined) return known;
  const created = { health: createTargetHealth(held.random), provider: target.provider.name, spec: specOf(target) };
  held.health.set(target.healthKey, created);
  return created;
}

/** What was learned of a target outlives a swap; what no chain uses any more is forgotten. */
function keepHealth(held: Held, table: CompiledTable): void {
  const used = new Set<string>();
  for (const chain of table.chains.values()) {
    for (const target of chain.targets) {
      used.add(target.healthKey);
      const known = knownOf(held, target);
      const spec = specOf(target);
      if (known.spec === spec) continue;
      known.spec = spec;
      known.health.specChanged();
    }
  }
  for (const key of held.health.keys()) if (!used.has(key)) held.health.delete(key);
  for (const name of held.budgets.keys()) if (!table.chains.has(name)) held.budgets.delete(name);
}

function specOf({ provider, entry }: CompiledTarget): string {
  return canonicalJson({ provider, model: entry.model });
}

function budgetOf(held: Held, { entry }: CompiledChain): HedgeBudget {
  const share = entry.race.extraRequests;
  const known = held.budgets.get(entry.name);
  if (known !== undefined && known.share === share) return known.budget;
  const budget = createHedgeBudget(share);
  held.budgets.set(entry.name, { share, budget });
  return budget;
}
