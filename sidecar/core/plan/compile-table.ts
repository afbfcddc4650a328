import { parsed, parseRoutingTable, type ChainEntry, type Parsed, type Problem, type ProviderEntry, type TargetEntry } from '@belay/contract';
import type { CompiledChain, CompiledTable, CompiledTarget } from './compiled-table.ts';

/**
 * A table made ready to serve, or every problem with its path; nothing of `previous` changes either way. A chain that
 * arrives unroutable goes on in its last good form, marked stale, without targets whose provider is gone or that its
 * egress now forbids; where there is none it has no targets, and its `entry.unroutable` says why.
 */
export function compileTable(table: unknown, previous: CompiledTable | null): Parsed<CompiledTable> {
  const checked = parseRoutingTable(table);
  if (!checked.ok) return checked;
  const { version, namespace, providers, chains } = checked.value;
  const problems: Problem[] = [];
  const byName = new Map(providers.map((provider) => [provider.name, provider]));
  refuseDuplicates(problems, 'providers', providers);
  refuseDuplicates(problems, 'chains', chains);
  refuseTwoClaims(problems, chains);
  chains.forEach((entry, index) => checkChain(problems, `chains[${index}]`, entry, byName));
  if (problems.length > 0) return { ok: false, problems };

  const compiled = chains.map((entry) => compileChain(entry, byName, previous?.chains.get(entry.name)));
  // An unroutable chain may travel without names: it keeps those of its last good form that nobody else claims now.
  const claimed = new Set(chains.flatMap(({ modelNames }) => modelNames));
  const claims = compiled.flatMap((chain, index): [string, CompiledChain][] =>
    chain.entry.modelNames.filter((model) => chains[index]?.modelNames.includes(model) === true || !claimed.has(model)).map((model) => [model, chain]));
  return parsed(Object.freeze({
    version,
    namespace,
    chains: new Map(compiled.map((chain) => [chain.entry.name, chain])),
    byModel: new Map(claims.filter(([model]) => model !== '*')),
    catchAll: claims.find(([model]) => model === '*')?.[1] ?? null,
  }));
}

function compileChain(entry: ChainEntry, providers: ReadonlyMap<string, ProviderEntry>, before: CompiledChain | undefined): CompiledChain {
  if (entry.unroutable === null) return freeze({ entry, targets: entry.targets.flatMap((target) => compileTarget(target, providers)), stale: false });
  const targets = (before?.targets ?? [])
    .map((target) => entry.targets.find((now) => now.name === target.entry.name && now.provider === target.entry.provider && now.model === target.entry.model) ?? target.entry)
    .flatMap((target) => compileTarget(target, providers))
    .filter(({ provider }) => entry.egress === 'Any' || provider.inCluster);
  if (before === undefined || targets.length === 0) return freeze({ entry, targets: [], stale: false });
  const modelNames = entry.modelNames.length > 0 ? entry.modelNames : before.entry.modelNames;
  const egress = entry.egress === 'ClusterOnly' ? entry.egress : before.entry.egress;
  return freeze({ entry: { ...before.entry, modelNames, egress, unroutable: entry.unroutable }, targets, stale: true });
}

function compileTarget(entry: TargetEntry, providers: ReadonlyMap<string, ProviderEntry>): CompiledTarget[] {
  const provider = providers.get(entry.provider);
  return provider === undefined ? [] : [{ healthKey: `${provider.name} ${entry.model}`, entry, provider }];
}

function checkChain(problems: Problem[], path: string, { targets, unroutable }: ChainEntry, providers: ReadonlyMap<string, ProviderEntry>): void {
  refuseDuplicates(problems, `${path}.targets`, targets);
  if (unroutable !== null) return;
  if (targets.length === 0) problems.push({ path: `${path}.targets`, message: 'must have at least one target, or the chain say why it is unroutable' });
  targets.forEach(({ provider }, index) => {
    if (!providers.has(provider)) problems.push({ path: `${path}.targets[${index}].provider`, message: `must be a provider of this table, not ${JSON.stringify(provider)}` });
  });
}

function refuseDuplicates(problems: Problem[], path: string, entries: readonly { readonly name: string }[]): void {
  entries.forEach(({ name }, index) => {
    const first = entries.findIndex((other) => other.name === name);
    if (first < index) problems.push({ path: `${path}[${index}].name`, message: `must be unique; ${JSON.stringify(name)} is also ${path}[${first}]` });
  });
}

function refuseTwoClaims(problems: Problem[], chains: readonly ChainEntry[]): void {
  const owners = new Map<string, string>();
  chains.forEach(({ name, modelNames }, index) => {
    for (const model of modelNames) {
      const owner = owners.get(model);
      if (owner !== undefined && owner !== name) problems.push({ path: `chains[${index}].modelNames`, message: `must not claim ${JSON.stringify(model)}, which chain ${owner} claims` });
      owners.set(model, name);
    }
  });
}

/** Frozen through and through: a request captures a chain, and nothing may change under it. */
function freeze<T extends object>(value: T): T {
  for (const member of Object.values(value)) {
    if (typeof member === 'object' && member !== null && !Object.isFrozen(member)) freeze(member as object);
  }
  return Object.freeze(value);
}
