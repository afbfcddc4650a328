import type { Clock } from '@belay/contract';
import { podFindings, type WorkloadFinding } from '../../core/inject-watch/pod-findings.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { createWorkQueue } from '../kube/work-queue.ts';
import type { Log } from '../log.ts';
import type { Caches } from '../watch/create-caches.ts';

export interface WorkloadEventsOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly caches: Caches;
  readonly mayWrite: () => boolean;
  readonly record: (object: KubeObject, finding: WorkloadFinding) => void;
}

export interface WorkloadEvents {
  /** Pods, Deployments or chains of the namespace have changed. */
  note(namespace: string): void;
  close(): Promise<void>;
}

/** Who applies a pod and its chain together is not told of the moment between them. */
const settleMs = 2_000;

/** Tells each pod or Deployment once of each thing that is wrong with its injection, and once more where it was right in between. */
export function createWorkloadEvents({ clock, log, caches, mayWrite, record }: WorkloadEventsOptions): WorkloadEvents {
  /** By namespace, by the object's uid: what was told of it and still holds. */
  const told = new Map<string, Map<string, ReadonlySet<string>>>();
  const work = (namespace: string): Promise<void> => {
    if (!caches.workloadsSynced() || !caches.hasSynced()) queue.addAfter(namespace, settleMs);
    else if (mayWrite()) tellNamespace(namespace);
    return Promise.resolve();
  };
  const tellNamespace = (namespace: string): void => {
    const before = told.get(namespace) ?? new Map<string, ReadonlySet<string>>();
    const now = new Map<string, ReadonlySet<string>>();
    for (const { object, findings } of findingsIn(caches, namespace)) {
      const uid = object.metadata.uid ?? object.metadata.name;
      for (const finding of findings) if (before.get(uid)?.has(keyOf(finding)) !== true) record(object, finding);
      now.set(uid, new Set(findings.map(keyOf)));
    }
    if (now.size === 0) told.delete(namespace);
    else told.set(namespace, now);
  };
  const queue = createWorkQueue({
    clock, workers: 1, work,
    onProblem: ({ key, message, retryInMs }) => log({ level: 'error', event: 'workloads-not-told', message, namespace: key, retryInMs }),
  });
  return { note: (namespace) => queue.addAfter(namespace, settleMs), close: () => queue.close() };
}

function findingsIn(caches: Caches, namespace: string): readonly { readonly object: KubeObject; readonly findings: readonly WorkloadFinding[] }[] {
  const chains = caches.chains.inNamespace(namespace).map(({ metadata }) => metadata.name);
  return [
    ...caches.pods.inNamespace(namespace).flatMap((pod) => (pod.observed == null ? [] : [{ object: pod, findings: podFindings(pod.observed, namespace, chains) }])),
    ...caches.deployments.inNamespace(namespace).flatMap((deployment) => ((deployment.findings ?? []).length === 0 ? [] : [{ object: deployment, findings: deployment.findings ?? [] }])),
  ].filter(({ findings }) => findings.length > 0);
}

function keyOf({ reason, about }: WorkloadFinding): string {
  return `${reason} ${about}`;
}
