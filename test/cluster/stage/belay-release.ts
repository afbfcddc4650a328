import { imageNames } from '../../../scripts/images/images.ts';
import type { Cluster } from '../drivers/cluster.ts';

const release = 'belay';
const releaseNamespace = 'belay-system';

/** Installs Belay as a person would, but for the local tier's image: one that is here in place of one that would be pulled. */
export async function ensureBelay(cluster: Cluster, values: readonly string[] = []): Promise<void> {
  const [repository, tag] = imageNames.llama.split(':');
  const own = [`localTier.image.repository=${repository}`, `localTier.image.tag=${tag}`, 'localTier.image.digest=', ...values];
  await cluster.helm([
    'upgrade', release, 'charts/belay', '--install', '--namespace', releaseNamespace, '--create-namespace', '--wait', '--timeout', '120s',
    ...own.flatMap((value) => ['--set', value]),
  ]);
}
