import type { Cluster } from '../drivers/cluster.ts';
import { releaseNamespace } from './belay-release.ts';
import { until } from './stage.ts';

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

/** The operator that runs holds the lease: one that was killed has not handed it back, and until it expires nobody writes a status or a bootstrap copy. */
export async function untilItWrites(cluster: Cluster): Promise<void> {
  await until('the operator holds the lease', 60_000, async () => {
    const pods = await inRelease(cluster, 'get', 'pods', '--selector', selectorOf('belay'), '--output', 'jsonpath={.items[*].metadata.name}');
    const holder = await inRelease(cluster, 'get', 'lease', 'belay', '--output', 'jsonpath={.spec.holderIdentity}');
    return pods.split(' ').some((pod) => holder.startsWith(`${pod}_`)) || null;
  });
}

function selectorOf(part: Part): string {
  return `app.kubernetes.io/component=${part === 'belay' ? 'controller' : 'webhook'}`;
}
