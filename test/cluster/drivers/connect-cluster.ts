import { clusterVariables, type Cluster } from './cluster.ts';
import { openKubeconfigCluster } from './kubeconfig-driver.ts';

/** The cluster that `npm test` opened for the suite: a test neither makes nor removes one. */
export async function connectCluster(): Promise<Cluster> {
  if (process.env[clusterVariables.kubeconfig] === undefined) throw new Error('This test needs a cluster: run npm test -- cluster, or npm run cluster -- COMMAND for a command of your own.');
  return openKubeconfigCluster({ images: [] });
}
