import type { ClusterState } from './cluster-state.ts';
import { operatorTroubles } from './operator-troubles.ts';
import { chainTroubles, podTroubles, providerTroubles } from './resource-troubles.ts';
import type { Trouble } from './trouble.ts';

/** Everything that is wrong, the operator's first, for it may explain the rest. */
export function findTroubles({ chains, providers, pods, operator }: ClusterState): readonly Trouble[] {
  return [...operatorTroubles(operator), ...chains.flatMap(chainTroubles), ...providers.flatMap(providerTroubles), ...(pods ?? []).flatMap(podTroubles)];
}
