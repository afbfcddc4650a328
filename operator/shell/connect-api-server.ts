import type { Clock } from '@belay/contract';
import type { ApiServerAddress } from './kube/https-client.ts';
import { readInCluster } from './kube/in-cluster.ts';

/** The API server as the pod finds it, or as a kubeconfig says. Rejects with a sentence. */
export async function connectApiServer(clock: Clock, env: Readonly<Record<string, string | undefined>>, kubeconfig: string | null): Promise<ApiServerAddress> {
  if (kubeconfig === null) return readInCluster(clock, env);
  // Loaded only for development: it costs more memory than all the rest.
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error(`kubeconfig ${kubeconfig} names no cluster in its current context: set one with kubectl config use-context.`);
  const { ca } = await optionsOf(config);
  return {
    server: cluster.server,
    ...(ca === undefined ? {} : { ca: String(ca) }),
    token: async () => bearerOf((await optionsOf(config)).headers),
  };
}

async function optionsOf(config: import('@kubernetes/client-node').KubeConfig): Promise<import('node:https').RequestOptions> {
  const options: import('node:https').RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  return options;
}

function bearerOf(headers: unknown): string {
  const authorization = (headers as Readonly<Record<string, unknown>> | undefined)?.['Authorization'];
  return typeof authorization === 'string' ? authorization.replace(/^Bearer /, '') : '';
}
