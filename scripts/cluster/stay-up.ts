import { once } from 'node:events';
import type { Cluster } from '../../test/cluster/drivers/cluster.ts';

/** Says how a person reaches the cluster, and resolves at Ctrl-C or SIGTERM. */
export async function stayUp({ inside, kubeconfig }: Cluster): Promise<void> {
  console.log(inside === null ? `export KUBECONFIG=${kubeconfig}` : `In another terminal: npm run --silent in-cluster -- ${inside} kubectl get nodes`);
  console.log('Ctrl-C removes the cluster.');
  const held = setInterval(() => {}, 60_000);
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  clearInterval(held);
}
