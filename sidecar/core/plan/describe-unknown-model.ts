import type { CompiledTable } from './compiled-table.ts';

/** Chains that one sentence lists before it only counts. */
const maxListed = 10;

/** The 404 for a model that no chain serves: which chains there are, and what to change. */
export function describeUnknownModel(table: CompiledTable, model: string): string {
  const chains = [...table.chains.values()].map(({ entry }) => {
    const others = entry.modelNames.filter((name) => name !== entry.name);
    return others.length === 0 ? entry.name : `${entry.name} (${others.join(', ')})`;
  });
  const listed = chains.length === 0 ? 'none' : chains.slice(0, maxListed).join(', ');
  const more = chains.length > maxListed ? ` and ${chains.length - maxListed} more` : '';
  return `${JSON.stringify(model)} is in no chain of namespace ${table.namespace}. Chains: ${listed}${more}. Add it to spec.modelNames, or use modelNames ["*"].`;
}
