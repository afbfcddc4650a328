import { describeAccessProblem } from '@belay/operator/shell/kube/describe-access-problem.ts';
import { createHttpsClient } from '@belay/operator/shell/kube/https-client.ts';
import type { KubeClient } from '@belay/operator/shell/kube/kube-client.ts';
import { KubeError } from '@belay/operator/shell/kube/kube-error.ts';
import { loadKubeconfig, type KubeAccess } from '@belay/operator/shell/kube/kubeconfig.ts';
import { openPortForward } from '@belay/operator/shell/kube/port-forward.ts';
import { systemClock } from '@belay/operator/shell/system-clock.ts';
import type { Duplex } from 'node:stream';

/** Options that every command with a cluster has. */
export interface ClusterOptions {
  readonly context?: string;
  readonly kubeconfig?: string;
}

/** One cluster, as the context of a kubeconfig names it. */
export interface Cluster {
  readonly client: KubeClient;
  readonly context: string;
  /** Where to look unless told otherwise. */
  readonly namespace: string;
  /** A connection to a port of a pod. */
  readonly forward: (namespace: string, pod: string, port: number) => Promise<Duplex>;
  /** A failure as a sentence for people; throws what is a bug. */
  readonly describe: (error: unknown) => string;
  readonly close: () => void;
}

/** Loads the kubeconfig; rejects with a sentence. Asks the cluster nothing yet. */
export async function openCluster({ context, kubeconfig }: ClusterOptions, env: NodeJS.ProcessEnv): Promise<Cluster> {
  const access = await loadKubeconfig(kubeconfig, { context, env });
  const client = createHttpsClient({ ...access.address, clock: systemClock });
  return {
    client, context: access.context, namespace: access.namespace ?? 'default',
    forward: (namespace, pod, port) => openPortForward(access, { namespace, pod, port }),
    describe: (error) => describe(error, access),
    close: () => client.close(),
  };
}

function describe(error: unknown, { context, address: { server } }: KubeAccess): string {
  const known = describeAccessProblem(error, { server, context });
  if (known !== null) return known;
  return error instanceof KubeError ? sentence(error.message) : sentence(messageOf(error));
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

function messageOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);
}
