import { podAnnotations } from '@belay/contract';
import type { ObservedPod } from './observe-pod.ts';

/** One thing to tell of a workload, as an Event. */
export interface WorkloadFinding {
  readonly type: 'Normal' | 'Warning';
  readonly reason: 'InjectionMissing' | 'InjectionSkipped' | 'InjectionIncomplete' | 'ChainNotFound' | 'AnnotationMisplaced' | 'InjectionRefused';
  readonly message: string;
  /** What it is about among findings of its reason: told once as long as it holds, however its words change. */
  readonly about: string;
}

/** What a person should hear of a pod, with the chains that its namespace has now. */
export function podFindings({ chains, missing, notices }: ObservedPod, namespace: string, existing: readonly string[]): readonly WorkloadFinding[] {
  const unknown = chains.filter((name) => !existing.includes(name));
  return [
    ...(missing === null ? [] : [{ type: 'Warning' as const, ...missing, about: missing.reason }]),
    ...unknown.map((name): WorkloadFinding => ({ type: 'Warning', reason: 'ChainNotFound', message: `Annotation ${podAnnotations.inject} names chain ${name}, and namespace ${namespace} has no FallbackChain of that name: ${offer(existing)}.`, about: name })),
    ...notices.map((message): WorkloadFinding => ({ type: 'Warning', reason: 'InjectionIncomplete', message: sentence(message), about: message })),
  ];
}

/** A Deployment, as far as injection matters to it. */
export interface AnnotatedDeployment {
  readonly metadata: Annotated;
  readonly spec?: { readonly template?: { readonly metadata?: Annotated } };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[] };
}

interface Annotated {
  readonly annotations?: { readonly [name: string]: string };
}

/** What the API server's ResourceQuota and LimitRanger plug-ins say where they refuse a pod, and itself where a pod's own resources are too small for its containers'. */
const refusedForResources = /exceeded quota|failed quota|(minimum|maximum) \S+ usage per|max limit to request ratio per|aggregate container (requests|limits)/;

/** An annotation that does nothing where it stands, and pods that a quota refuses, which counts the sidecar too. */
export function deploymentFindings({ metadata, spec, status }: AnnotatedDeployment): readonly WorkloadFinding[] {
  const template = annotationOf(spec?.template?.metadata);
  if (template === undefined) return asks(annotationOf(metadata)) ? [misplaced] : [];
  const refusal = refusalOf(status);
  return asks(template) && refusedForResources.test(refusal) ? [refused(refusal)] : [];
}

function annotationOf(metadata: Annotated | undefined): string | undefined {
  return metadata?.annotations?.[podAnnotations.inject];
}

function refusalOf(status: AnnotatedDeployment['status']): string {
  return status?.conditions?.find((condition) => condition.type === 'ReplicaFailure' && condition.status === 'True')?.message ?? '';
}

function asks(annotation: string | undefined): boolean {
  return annotation !== undefined && annotation !== 'false';
}

const misplaced: WorkloadFinding = {
  type: 'Warning', reason: 'AnnotationMisplaced', about: podAnnotations.inject,
  message: `Annotation ${podAnnotations.inject} stands on the Deployment's own metadata, where it does nothing: move it to spec.template.metadata.annotations.`,
};

function refused(words: string): WorkloadFinding {
  const { sidecarCpu, sidecarMemory, sidecarCpuLimit, sidecarMemoryLimit } = podAnnotations;
  return {
    type: 'Warning', reason: 'InjectionRefused', about: 'resources',
    message: `Pods of this Deployment are refused for their resources, which include the sidecar's: ${words}. Annotations ${sidecarCpu}, ${sidecarMemory}, ${sidecarCpuLimit} and ${sidecarMemoryLimit} of the pod template set what the sidecar asks for.`,
  };
}

function offer(existing: readonly string[]): string {
  if (existing.length === 0) return 'it has none at all. Create it, and the running sidecar takes it up';
  const shown = existing.slice(0, 5).join(', ');
  return `it has ${shown}${existing.length > 5 ? ` and ${existing.length - 5} more` : ''}. Create it, and the running sidecar takes it up`;
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
}
