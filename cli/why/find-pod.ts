import { parsed, refused, sidecarContainerName, type Parsed } from '@belay/contract';
import type { KubeClient } from '@belay/operator/shell/kube/kube-client.ts';
import { hasStatus } from '@belay/operator/shell/kube/kube-error.ts';
import type { KubeObject } from '@belay/operator/shell/kube/kube-object.ts';
import { allowed } from '../cluster/allowed.ts';
import { kinds } from '../cluster/kinds.ts';
import { listAll } from '../cluster/list-all.ts';

export interface SidecarPod extends KubeObject {
  readonly spec?: { readonly initContainers?: readonly { readonly name: string }[] };
  readonly status?: {
    readonly phase?: string;
    readonly initContainerStatuses?: readonly { readonly name: string; readonly restartCount?: number; readonly state?: { readonly running?: object } }[];
  };
}

/** Where to look for a pod; `asked` is the namespace of -n, where there is one. */
export interface PodSearch {
  readonly client: KubeClient;
  readonly name: string;
  readonly asked: string | null;
  /** Of the context. */
  readonly namespace: string;
}

/** Namespaces that are looked into one by one where pods may not be listed across all of them. */
const mostNamespaces = 200;

/** The pod, with a sidecar that runs. Looks into the namespace asked for alone; else into the context's, then into all that the user may read. */
export async function findSidecarPod(search: PodSearch): Promise<Parsed<SidecarPod>> {
  const found = await findPods(search);
  const [pod, ...others] = found.pods;
  if (pod === undefined) return refused('', `there is no pod ${search.name} ${found.where}: decisions live in their pod alone, and go with it`);
  if (others.length > 0) return refused('', `there is a pod ${search.name} in ${found.pods.map(({ metadata }) => metadata.namespace).join(', ')}: say with -n which namespace is meant`);
  return withSidecar(pod);
}

function withSidecar(pod: SidecarPod): Parsed<SidecarPod> {
  const { metadata: { name, namespace }, spec = {}, status = {} } = pod;
  const what = `pod ${name} in namespace ${namespace}`;
  if (!(spec.initContainers ?? []).some(isSidecar)) return refused('', `${what} has no sidecar of Belay: it was not injected, and no request went through it`);
  if (status.phase === 'Succeeded' || status.phase === 'Failed') return refused('', `${what} has ended: decisions live in its sidecar's memory, and went with it`);
  if ((status.initContainerStatuses ?? []).some((one) => isSidecar(one) && one.state?.running !== undefined)) return parsed(pod);
  return refused('', `the sidecar of ${what} does not run: see kubectl describe pod -n ${namespace} ${name}`);
}

function isSidecar({ name }: { readonly name: string }): boolean {
  return name === sidecarContainerName;
}

async function findPods({ client, name, asked, namespace }: PodSearch): Promise<{ readonly pods: readonly SidecarPod[]; readonly where: string }> {
  const here = asked ?? namespace;
  const pod = await getPod(client, here, name, asked === null);
  if (pod !== null || asked !== null) return { pods: pod === null ? [] : [pod], where: `in namespace ${here}` };
  const everywhere = await allowed(listAll<SidecarPod>(client, { resource: kinds.pods }, { fieldSelector: `metadata.name=${name}` }));
  if (everywhere !== null) return { pods: everywhere, where: 'in this cluster' };
  const namespaces = await allowed(listAll<KubeObject>(client, { resource: kinds.namespaces }));
  if (namespaces === null) return { pods: [], where: `in namespace ${here} (you may not look into all others: name one with -n)` };
  const looked = namespaces.slice(0, mostNamespaces);
  const pods = await Promise.all(looked.map(({ metadata }) => getPod(client, metadata.name, name, true)));
  return { pods: pods.filter((one) => one !== null), where: `in the ${looked.length} namespaces that you may list` };
}

/** null where there is none, or (`forgiving`) where it may not be read. */
async function getPod(client: KubeClient, namespace: string, name: string, forgiving: boolean): Promise<SidecarPod | null> {
  try {
    return await client.get<SidecarPod>({ resource: kinds.pods, namespace, name });
  } catch (error) {
    if (hasStatus(error, 404) || (forgiving && hasStatus(error, 403))) return null;
    throw error;
  }
}
