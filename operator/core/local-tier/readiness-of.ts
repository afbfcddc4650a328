import { claimOf, describeFailedEnd } from './describe-failed-end.ts';
import { absent, loading, quoted, type LocalTierReadiness } from './local-tier-readiness.ts';
import { llamaContainerName } from './local-tier.ts';
import type { ContainerStatus, ObservedCondition, ObservedDeployment, ObservedPod, TerminatedContainer } from './observed.ts';

/** A container that ended so soon after its start has never served. */
const hopelessRunMs = 10_000;
/** From the so-many-th restart on, a longer run counts as none too. */
const hopelessRestarts = 3;
const longerRunMs = 600_000;

/**
 * How a local tier is, by what the API server knows of its Deployment and pods; null: not made yet. Any pod that is ready makes it Ready. A
 * failure comes from container states, exit codes and conditions, never from a log.
 */
export function readinessOf(deployment: ObservedDeployment | null, pods: readonly ObservedPod[]): LocalTierReadiness {
  if (deployment === null) return { state: 'Loading', reason: 'Pending', message: 'Its Deployment is not made yet.' };
  const wanted = deployment.spec?.replicas ?? 1;
  if (wanted === 0) return absent('ScaledToZero', 'It is scaled to no server at all: set spec.local.replicas to 1 or more.');
  const current = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const ready = current.filter(isReady).length;
  const worst = worstOf(current.filter((pod) => !isReady(pod)), deployment);
  if (ready > 0) return { state: 'Ready', reason: 'Ready', message: readyMessage(ready, wanted, worst) };
  return worst.state === 'Loading' ? late(deployment) ?? worst : worst;
}

function readyMessage(ready: number, wanted: number, worst: LocalTierReadiness): string {
  if (ready >= wanted) return wanted === 1 ? 'Its server is ready.' : `All ${wanted} servers are ready.`;
  return `${ready} of ${wanted} servers ${ready === 1 ? 'is' : 'are'} ready. ${worst.message}`;
}

/** The failure that somebody must act on, before what only takes time; of several the newest pod's. */
function worstOf(pods: readonly ObservedPod[], deployment: ObservedDeployment): LocalTierReadiness {
  const living = pods.filter(({ status }) => status?.phase !== 'Failed' && status?.phase !== 'Succeeded');
  const newestFirst = [...(living.length > 0 ? living : pods)].sort(byAge);
  const found = newestFirst.map(podReadiness);
  return found.find(({ state }) => state === 'Absent') ?? refusedPods(deployment) ?? found[0] ?? loading('Its pod is being made.');
}

function byAge({ metadata: one }: ObservedPod, { metadata: other }: ObservedPod): number {
  const [a, b] = [`${one.creationTimestamp ?? ''} ${one.name}`, `${other.creationTimestamp ?? ''} ${other.name}`];
  return a < b ? 1 : -1;
}

/** Its pods could not even be made: quota, LimitRange, Pod Security, somebody's webhook. */
function refusedPods({ metadata, status }: ObservedDeployment): LocalTierReadiness | null {
  const failure = conditionOf(status?.conditions, 'ReplicaFailure');
  if (failure?.status !== 'True') return null;
  const words = quoted(failure.message);
  return words.includes('exceeded quota')
    ? absent('QuotaExceeded', `Its pod is over the quota of namespace ${metadata.namespace}: raise the quota, or lower spec.local.resources (${words}).`)
    : absent('PodRefused', `The API server refused its pod: ${words}.`);
}

function late({ status }: ObservedDeployment): LocalTierReadiness | null {
  const progressing = conditionOf(status?.conditions, 'Progressing');
  if (progressing?.reason !== 'ProgressDeadlineExceeded') return null;
  return absent('ProgressDeadlineExceeded', 'It has not become ready for 35 minutes: see the Events of its pod with kubectl describe.');
}

function podReadiness(pod: ObservedPod): LocalTierReadiness {
  const { metadata: { name }, status } = pod;
  if (status?.phase === 'Failed') return absent('Evicted', `Pod ${name} was ended by its node (${quoted(status.reason ?? status.message)}): make room on the node, or lower spec.local.resources.`);
  const scheduled = conditionOf(status?.conditions, 'PodScheduled');
  if (scheduled?.status === 'False') return unscheduled(pod, quoted(scheduled.message));
  const container = status?.containerStatuses?.find((one) => one.name === llamaContainerName);
  if (container === undefined) return loading(`Pod ${name} is being started.`);
  return containerReadiness(pod, container);
}

/** By the scheduler's words (kube-scheduler, volumebinding and nodevolumelimits plug-ins). */
function unscheduled(pod: ObservedPod, words: string): LocalTierReadiness {
  const { name, namespace } = pod.metadata;
  const claim = /persistentvolumeclaim "([^"]+)" not found/i.exec(words)?.[1];
  if (claim !== undefined) return absent('ClaimNotFound', `There is no PersistentVolumeClaim "${claim}" in its namespace: create it, with the model on it.`);
  if (/unbound immediate persistentvolumeclaims|available persistent volumes to bind|persistentvolumeclaim "[^"]+" is being deleted|bound to non-existent persistentvolume/i.test(words)) {
    const named = claimOf(pod);
    return absent('ClaimUnbound', `Pod ${name} waits for ${named === undefined ? 'its PersistentVolumeClaim' : `PersistentVolumeClaim "${named}"`}, which no volume is bound to: see the claim's Events with kubectl describe pvc -n ${namespace}${named === undefined ? '' : ` ${named}`} (${words}).`);
  }
  return absent('Unschedulable', `No node takes pod ${name}: ${words === '' ? 'the scheduler says no more' : words}.`);
}

function containerReadiness(pod: ObservedPod, container: ContainerStatus): LocalTierReadiness {
  const { state, lastState } = container;
  if (state?.running !== undefined) return runningReadiness(pod, container);
  const ended = state?.terminated ?? (state?.waiting?.reason === 'CrashLoopBackOff' ? lastState?.terminated : undefined);
  return ended === undefined ? waitingReadiness(pod, container) : describeFailedEnd(pod, ended);
}

function runningReadiness(pod: ObservedPod, { started, lastState, restartCount = 0 }: ContainerStatus): LocalTierReadiness {
  const { name } = pod.metadata;
  const last = lastState?.terminated;
  if (started === true) return loading(`Pod ${name} does not answer /health yet.`);
  if (last === undefined) return loading(`Pod ${name} loads the model.`);
  return isHopeless(last, restartCount) ? describeFailedEnd(pod, last) : loading(`Pod ${name} loads the model again.`);
}

function waitingReadiness({ metadata: { name, namespace } }: ObservedPod, { image = '', state }: ContainerStatus): LocalTierReadiness {
  const { reason = '', message } = state?.waiting ?? {};
  const words = quoted(message);
  const says = words === '' ? '' : ` (${words})`;
  if (/^(ErrImage|ImagePullBackOff|ImageInspectError|InvalidImageName|RegistryUnavailable|SignatureValidationFailed)/.test(reason)) {
    return absent('ImagePullBackOff', `The node cannot pull the image ${image} of pod ${name}: check its name, and the registry's address and pull secret${says}.`);
  }
  if (/^(Create|Run|Start|PostStart|PreCreateHook|PreStartHook)\w*Error$/.test(reason)) return absent('ContainerRefused', `The node cannot start pod ${name}: ${reason}${says}.`);
  return loading(`Pod ${name} is being started: its image and its volume are made ready. Where that lasts, kubectl describe pod -n ${namespace} ${name} says what is in the way.`);
}

/** It has failed before, and nothing says that this try will end otherwise: what is said does not change with every restart. */
function isHopeless({ exitCode, startedAt, finishedAt }: TerminatedContainer, restarts: number): boolean {
  const ranMs = Date.parse(finishedAt ?? '') - Date.parse(startedAt ?? '');
  return exitCode !== 0 && ranMs < (restarts < hopelessRestarts ? hopelessRunMs : longerRunMs);
}

function isReady({ status }: ObservedPod): boolean {
  return conditionOf(status?.conditions, 'Ready')?.status === 'True';
}

function conditionOf(conditions: readonly ObservedCondition[] | undefined, type: string): ObservedCondition | undefined {
  return conditions?.find((condition) => condition.type === type);
}
