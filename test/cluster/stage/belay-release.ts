import { imageNames } from '../../../scripts/images/images.ts';
import type { Cluster } from '../drivers/cluster.ts';

export const release = 'belay';
export const releaseNamespace = 'belay-system';

const [llamaRepository, llamaTag] = imageNames.llama.split(':');

/** Of `helm install`, as a person would type them, but for the local tier's image: one that is here in place of one that would be pulled. */
export const installArguments = [
  release, 'charts/belay', '--namespace', releaseNamespace, '--create-namespace', '--wait', '--timeout', '120s',
  ...[`localTier.image.repository=${llamaRepository}`, `localTier.image.tag=${llamaTag}`, 'localTier.image.digest='].flatMap((value) => ['--set', value]),
] as const;

/** Installs Belay, with more values where a test wants them. */
export async function ensureBelay(cluster: Cluster, values: readonly string[] = []): Promise<void> {
  await cluster.helm(['upgrade', '--install', ...installArguments, ...values.flatMap((value) => ['--set', value])]);
}
