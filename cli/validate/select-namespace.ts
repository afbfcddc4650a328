import { parsed, refused, type Parsed } from '@belay/contract';
import type { CheckedNamespace } from './check-namespace.ts';
import type { ValidatedManifests } from './validate-manifests.ts';

/** The namespace that `belay run` serves: that of `-n`, else the only one with chains. Refused with the names to choose from. */
export function selectNamespace({ namespaces, resources }: Pick<ValidatedManifests, 'namespaces' | 'resources'>, wanted: string | null): Parsed<CheckedNamespace> {
  const names = [...new Set(resources.filter(({ kind }) => kind === 'FallbackChain').map(({ namespace }) => namespace))].sort();
  const found = namespaces.find(({ name }) => name === (wanted ?? names[0]));
  if (names.length === 0) return refused('', 'the manifests hold no FallbackChain: add one that names its targets');
  if (wanted === null && names.length > 1) return refused('', `chains stand in ${names.length} namespaces, ${names.join(', ')}: choose one with -n`);
  if (found?.hasChains === true) return parsed(found);
  return refused('', `namespace ${wanted ?? ''} has no FallbackChain; those that have: ${names.join(', ')}`);
}
