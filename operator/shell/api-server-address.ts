import type { Clock } from '@belay/contract';
import type { ApiServerAddress } from './kube/https-client.ts';
import { readInCluster } from './kube/in-cluster.ts';
import { loadKubeconfig } from './kube/kubeconfig.ts';

/** The API server as a pod finds it, or as a kubeconfig says (a path; null: none is given). Rejects with a sentence. */
export async function apiServerAddress(clock: Clock, env: Readonly<Record<string, string | undefined>>, kubeconfig: string | null): Promise<ApiServerAddress> {
  return kubeconfig === null ? readInCluster(clock, env) : (await loadKubeconfig(kubeconfig)).address;
}
