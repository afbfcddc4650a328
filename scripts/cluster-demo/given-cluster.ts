import type { Cluster } from '../../test/cluster/drivers/cluster.ts';
import { release, releaseNamespace } from '../../test/cluster/stage/belay-release.ts';
import { demoNamespace } from './demo-names.ts';

const kinds = ['fallbackchains.belay.dev', 'modelproviders.belay.dev'];

/** Why the demo must not play on a cluster that is somebody's; null: it may. */
export async function whyNotHere({ kubectl }: Cluster): Promise<string | null> {
  const found = (await kubectl(['get', 'crd', ...kinds, '--ignore-not-found', '--output', 'name'])).trim();
  if (found !== '') return 'Belay, or its CRDs, are in this cluster already, and the demo would change them: give a cluster without, or remove them (docs/install.md, Removing).';
  const namespace = (await kubectl(['get', 'namespace', demoNamespace, '--ignore-not-found', '--output', 'name'])).trim();
  return namespace === '' ? null : `Namespace ${demoNamespace} is there already, and the demo makes it anew: delete it first.`;
}

/** Takes everything away that the demo put on a given cluster. */
export async function removeDemo({ kubectl, helm }: Cluster, log: (line: string) => void): Promise<void> {
  if ((await whyNotHere({ kubectl } as Cluster)) === null) return;
  log('removing all of it from the cluster …');
  await kubectl(['delete', 'namespace', demoNamespace, '--ignore-not-found']);
  await helm(['uninstall', release, '--namespace', releaseNamespace, '--ignore-not-found']);
  await kubectl(['delete', 'persistentvolume', `models-${demoNamespace}`, '--ignore-not-found']);
  await kubectl(['delete', 'crd', ...kinds, '--ignore-not-found']);
  await kubectl(['delete', 'namespace', releaseNamespace, '--ignore-not-found']);
}
