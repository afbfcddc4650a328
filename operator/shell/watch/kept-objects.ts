import { createHash } from 'node:crypto';
import { apiGroup, podAnnotations } from '@belay/contract';
import type { InjectionSettings } from '../../core/inject/sidecar-container.ts';
import { observePod, type ExistingPod, type ObservedPod } from '../../core/inject-watch/observe-pod.ts';
import { deploymentFindings, type AnnotatedDeployment, type WorkloadFinding } from '../../core/inject-watch/pod-findings.ts';
import type { KubeMetadata, KubeObject } from '../kube/kube-object.ts';

/** A pod down to what injection says of it. */
export interface KeptPod extends KubeObject {
  /** null: it asks for nothing. */
  readonly observed?: ObservedPod | null;
}

/** A Deployment down to what is wrong with its annotations. */
export interface KeptDeployment extends KubeObject {
  readonly findings?: readonly WorkloadFinding[];
}

/** A ConfigMap down to the hash of its data. */
export interface KeptConfigMap extends KubeObject {
  readonly dataHash?: string;
}

/** Of a pod that asks for nothing no more than its name stays in memory. */
export function keepPod(settings: InjectionSettings): (pod: KeptPod) => KeptPod {
  return (pod) => {
    const asks = [pod.metadata.annotations, pod.metadata.labels].some((written) => written?.[podAnnotations.inject] !== undefined);
    return { apiVersion: 'v1', kind: 'Pod', metadata: identityOf(pod.metadata), observed: asks ? observePod(pod as KeptPod & ExistingPod, settings) : null };
  };
}

export function keepDeployment(deployment: KeptDeployment): KeptDeployment {
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: identityOf(deployment.metadata), findings: deploymentFindings(deployment as KeptDeployment & AnnotatedDeployment) };
}

export function keepConfigMap(configMap: KeptConfigMap): KeptConfigMap {
  const { data = {} } = configMap as KeptConfigMap & { readonly data?: { readonly [key: string]: string } };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...identityOf(configMap.metadata), ...(configMap.metadata.labels === undefined ? {} : { labels: configMap.metadata.labels }) }, dataHash: hashOfData(data) };
}

/** Equal data, equal hash, in any order of its keys. */
export function hashOfData(data: { readonly [key: string]: string }): string {
  return createHash('sha256').update(JSON.stringify(Object.entries(data).sort(([one], [other]) => (one < other ? -1 : 1)))).digest('hex');
}

/** A namespace down to its labels and whether it is going. */
export function keepNamespace(namespace: KubeObject): KubeObject {
  const { labels, deletionTimestamp } = namespace.metadata;
  return {
    apiVersion: 'v1', kind: 'Namespace',
    metadata: { ...identityOf(namespace.metadata), ...(labels === undefined ? {} : { labels }), ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }) },
  };
}

function identityOf({ name, namespace, uid, resourceVersion, annotations = {} }: KubeMetadata): KubeMetadata {
  const ours = Object.entries(annotations).filter(([key]) => key.startsWith(`${apiGroup}/`));
  return {
    name,
    ...(namespace === undefined ? {} : { namespace }), ...(uid === undefined ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }),
    ...(ours.length === 0 ? {} : { annotations: Object.fromEntries(ours) }),
  };
}
