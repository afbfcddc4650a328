import { podAnnotations } from '@belay/contract';
import type { CompiledTable } from './compiled-table.ts';

/** Chains that one sentence lists before it only counts. */
const maxListed = 10;

const everyChain: readonly string[] = ['*'];

/** The 404 for a model that no chain serves: which chains there are, and what to change. `asked`: names in the pod's annotation, or `*` alone. */
export function describeUnknownModel(table: CompiledTable, model: string, asked: readonly string[] = everyChain): string {
  const chains = [...table.chains.values()].map(({ entry }) => {
    const others = entry.modelNames.filter((name) => name !== entry.name);
    return others.length === 0 ? entry.name : `${entry.name} (${others.join(', ')})`;
  });
  const listed = chains.slice(0, maxListed).join(', ');
  const more = chains.length > maxListed ? ` and ${chains.length - maxListed} more` : '';
  const chainsListed = chains.length === 0
    ? 'It has no FallbackChain: create one.'
    : `Chains: ${listed}${more}. Add it to spec.modelNames, or use modelNames ["*"].`;
  if (asked.includes('*')) return `${JSON.stringify(model)} is in no chain of namespace ${table.namespace}. ${chainsListed}`;
  const missing = asked.filter((name) => !table.chains.has(name));
  const whichMiss = `${missing.join(', ')}, which ${missing.length === 1 ? 'does' : 'do'} not exist in namespace ${table.namespace}`;
  if (table.chains.size === 0) return `${JSON.stringify(model)} is in no chain: annotation ${podAnnotations.inject} of this pod asks for ${whichMiss}.`;
  return `${JSON.stringify(model)} is in no chain that annotation ${podAnnotations.inject} of this pod asks for. ${missing.length === 0 ? '' : `It also asks for ${whichMiss}. `}${chainsListed}`;
}
