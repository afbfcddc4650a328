import type { CompiledChain, CompiledTable } from './compiled-table.ts';

/** The chain that serves this model name: the one that claims it exactly, else the one that claims `*`; null: none (404). */
export function resolveChain(table: CompiledTable, model: string): CompiledChain | null {
  return table.byModel.get(model) ?? table.catchAll;
}
