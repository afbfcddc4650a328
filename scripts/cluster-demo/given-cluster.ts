import type { Cluster } from '../../test/cluster/drivers/cluster.ts';
import { release, releaseNamespace } from '../../test/cluster/stage/belay-release.ts';
import { demoNamespace } from './demo-names.ts';

const kinds = ['fallbackchains.belay.dev', 'modelproviders.belay.dev'];

/** Why the demo must not play on a cluster that is somebody's; null: it may. */
export async function whyNotHere({ kubectl }: Pick<Cluster, 'kubectl'>): Promise<string | null> {
  const found = (await kubectl(['get', 'crd', ...kinds, '--ignore-not-found', '--output', 'name'])).trim();
  if (found !== '') return 'Belay, or its CRDs, are in this cluster already, and the demo would change them: give a cluster without, or remove them (docs/install.md, Removing).';
  const namespaces = (await kubectl(['get', 'namespace', demoNamespace, releaseNamespace, '--ignore-not-found', '--output', 'name'])).trim().split('\n');
  return namespaces[0] === '' ? null : `There is ${namespaces.join(' and ')} in this cluster already, which the demo makes, and removes at its end: delete it first.`;
}

/** Takes everything away that the demo put on a given cluster, for which there was no reason why not. */
export async function removeDemo({ kubectl, helm }: Cluster, log: (line: string) => void): Promise<void> {
  log('removing all of it from the cluster …');
  await kubectl(['delete', 'namespace', demoNamespace, '--ignore-not-found']);
  await helm(['uninstall', release, '--namespace', releaseNamespace, '--ignore-not-found']);
  await kubectl(['delete', 'persistentvolume', `models-${demoNamespace}`, '--ignore-not-found']);
  await kubectl(['delete', 'crd', ...kinds, '--ignore-not-found']);
  await kubectl(['delete', 'namespace', releaseNamespace, '--ignore-not-found']);
}
