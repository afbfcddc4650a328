import { podAnnotations } from '@belay/contract';
import type { ObservedPod } from './observe-pod.ts';

/** One thing to tell of a workload, as an Event. */
export interface WorkloadFinding {
  readonly type: 'Normal' | 'Warning';
  readonly reason: 'InjectionMissing' | 'InjectionSkipped' | 'InjectionIncomplete' | 'ChainNotFound' | 'AnnotationMisplaced';
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
  readonly metadata: { readonly annotations?: { readonly [name: string]: string } };
  readonly spec?: { readonly template?: { readonly metadata?: { readonly annotations?: { readonly [name: string]: string } } } };
}

/** An annotation on the Deployment's own metadata does nothing: pods get the template's. */
export function deploymentFindings({ metadata, spec }: AnnotatedDeployment): readonly WorkloadFinding[] {
  const own = metadata.annotations?.[podAnnotations.inject];
  const templates = spec?.template?.metadata?.annotations?.[podAnnotations.inject];
  if (own === undefined || own === 'false' || templates !== undefined) return [];
  return [{ type: 'Warning', reason: 'AnnotationMisplaced', message: `Annotation ${podAnnotations.inject} stands on the Deployment's own metadata, where it does nothing: move it to spec.template.metadata.annotations.`, about: podAnnotations.inject }];
}

function offer(existing: readonly string[]): string {
  if (existing.length === 0) return 'it has none at all. Create it, and the running sidecar takes it up';
  const shown = existing.slice(0, 5).join(', ');
  return `it has ${shown}${existing.length > 5 ? ` and ${existing.length - 5} more` : ''}. Create it, and the running sidecar takes it up`;
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
}
