import type { Cluster } from '../drivers/cluster.ts';
import { releaseNamespace } from './belay-release.ts';

type Part = 'belay' | 'belay-webhook';

/** kubectl in the release's namespace. */
export function inRelease(cluster: Cluster, ...args: readonly string[]): Promise<string> {
  return cluster.kubectl(['--namespace', releaseNamespace, ...args]);
}

/** No pod of this Deployment runs from then on; those that did are gone without a farewell. */
export async function takeDown(cluster: Cluster, part: Part): Promise<void> {
  await inRelease(cluster, 'scale', `deployment/${part}`, '--replicas=0');
  await kill(cluster, part);
  await inRelease(cluster, 'wait', '--for=delete', 'pods', '--selector', selectorOf(part), '--timeout=60s');
}

/** Its pods end at once, as with their node; the Deployment makes others. */
export async function kill(cluster: Cluster, part: Part): Promise<void> {
  await inRelease(cluster, 'delete', 'pods', '--selector', selectorOf(part), '--grace-period=0', '--force');
}

/** As the chart has it; resolves when every pod is ready. */
export async function bringBack(cluster: Cluster, part: Part): Promise<void> {
  await inRelease(cluster, 'scale', `deployment/${part}`, `--replicas=${part === 'belay' ? 1 : 2}`);
  await inRelease(cluster, 'rollout', 'status', `deployment/${part}`, '--timeout=120s');
}

function selectorOf(part: Part): string {
  return `app.kubernetes.io/component=${part === 'belay' ? 'controller' : 'webhook'}`;
}
