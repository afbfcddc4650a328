import { canonicalJson, describeProblem, injectedLabel, podAnnotations, sidecarContainerName } from '@belay/contract';
import { environmentChange, noChange, type EnvironmentChange } from './application-environment.ts';
import { readEarlierInjection, standingImage, standingResources, writeAsked, type Asked } from './earlier-injection.ts';
import { obstaclesOf } from './obstacles.ts';
import { overlay } from './overlay.ts';
import { parseInjection, type Injection } from './parse-injection.ts';
import { podNotices } from './pod-notices.ts';
import type { Container, Named, Pod } from './pod.ts';
import { sidecarContainer, sidecarVolumes, type InjectionSettings } from './sidecar-container.ts';
import { sidecarProxy } from './sidecar-proxy.ts';
import { sidecarResources } from './sidecar-resources.ts';
import type { UserIds } from './user-ids.ts';

/** RFC 6902. */
export interface PatchOperation {
  readonly op: 'add' | 'replace' | 'remove';
  readonly path: string;
  readonly value?: unknown;
}

export type InjectionOutcome =
  /** Empty: nothing is left to do. Each notice is a sentence about what injection could not do. */
  | { readonly kind: 'patched'; readonly patch: readonly PatchOperation[]; readonly notices: readonly string[] }
  | { readonly kind: 'denied'; readonly message: string }
  | { readonly kind: 'skipped'; readonly reason: 'NotAnnotated' | 'Disabled' | 'MirrorPod'; readonly message: string };

const mostSentences = 16;

type Skip = Extract<InjectionOutcome, { kind: 'skipped' }>;

/** What the kubelet shows of a static pod; its containers cannot be changed (Kubernetes documentation, "Create static Pods"). */
const mirrorAnnotation = 'kubernetes.io/config.mirror';

/**
 * What the webhook answers for a pod, of the pod and the settings alone. Applied to its own result it has nothing left to do, and to what another
 * injector made of its result, only what that took back: first place, or names of its own.
 */
export function patchFor(pod: Pod, settings: InjectionSettings): InjectionOutcome {
  const skip = skipOf(pod);
  if (skip !== null) return skip;
  const injection = parseInjection(pod);
  const problems = injection.ok ? obstaclesOf(pod, sidecarVolumes) : injection.problems;
  if (problems.length > 0) return { kind: 'denied', message: `belay cannot be injected: ${fewOf(problems.map(describeProblem)).join('; ')}` };
  if (!injection.ok || injection.value === null) throw new Error('a pod without a problem, and not skipped, asks for injection');
  return patched(pod, injection.value, settings);
}

function skipOf({ metadata: { annotations = {} } }: Pod): Skip | null {
  const skipped = (reason: Skip['reason'], message: string): Skip => ({ kind: 'skipped', reason, message });
  if (annotations[podAnnotations.inject] === undefined) return skipped('NotAnnotated', `the pod has no annotation ${podAnnotations.inject}`);
  if (annotations[podAnnotations.inject] === 'false') return skipped('Disabled', `the pod's annotation ${podAnnotations.inject} is "false"`);
  if (annotations[mirrorAnnotation] !== undefined) return skipped('MirrorPod', 'a static pod is started by its node before any webhook sees it: run it as a Deployment or DaemonSet to inject it');
  return null;
}

function patched(pod: Pod, injection: Injection, settings: InjectionSettings): InjectionOutcome {
  const { containers, initContainers = [], volumes, imagePullSecrets } = pod.spec;
  const others = initContainers.filter(isApplication);
  const earlier = readEarlierInjection(pod);
  const asked = { chains: injection.chains, image: injection.image ?? settings.image, resources: sidecarResources(pod.spec, [...others, ...containers], injection.resources) };
  const inits = initContainers.map((container) => (isApplication(container) ? environmentChange(container, injection.environment) : noChange));
  const mains = containers.map((container) => environmentChange(container, injection.environment));
  const ours = sidecarContainer(injection, settings, { userIds: userIdsIn(pod, settings), resources: standingResources(earlier, asked.resources), proxy: sidecarProxy(containers, mains) });
  const patch = [
    ...metadataOperations(pod, asked),
    ...volumeOperations(volumes),
    ...listOperations('/spec/imagePullSecrets', imagePullSecrets, settings.imagePullSecrets.map((name) => ({ name })), ({ name }) => (imagePullSecrets ?? []).some((secret) => secret.name === name)),
    ...environmentOperations('/spec/initContainers', initContainers, inits),
    ...environmentOperations('/spec/containers', containers, mains),
    ...sidecarOperations(initContainers, pod.spec.initContainers === undefined, { ...ours, ...standingImage(earlier, asked.image) }),
  ];
  return { kind: 'patched', patch, notices: fewOf([...podNotices(pod, settings), ...[...inits, ...mains].flatMap(({ notices }) => notices)]) };
}

/** A pod may have as many as fit into 3 MiB: each becomes an Event, and all are sent back. */
function fewOf(sentences: readonly string[]): readonly string[] {
  return sentences.length <= mostSentences ? sentences : [...sentences.slice(0, mostSentences), `and there are ${sentences.length - mostSentences} more of these`];
}

/** A pod that says root of all its containers would say it of the sidecar too, which then cannot start. */
function userIdsIn({ spec: { securityContext } }: Pod, { userIds }: InjectionSettings): UserIds {
  return securityContext?.runAsUser === 0 ? 'fixed' : userIds;
}

function isApplication({ name }: Container): boolean {
  return name !== sidecarContainerName;
}

function metadataOperations({ metadata: { annotations = {}, labels } }: Pod, asked: Asked): readonly PatchOperation[] {
  const status = writeAsked(asked);
  return [
    ...(annotations[podAnnotations.status] === status ? [] : [add(`/metadata/annotations/${escaped(podAnnotations.status)}`, status)]),
    ...(labels === undefined ? [add('/metadata/labels', { [injectedLabel]: 'true' })] : []),
    ...(labels === undefined || labels[injectedLabel] === 'true' ? [] : [add(`/metadata/labels/${escaped(injectedLabel)}`, 'true')]),
  ];
}

function volumeOperations(volumes: readonly Named[] | undefined): readonly PatchOperation[] {
  const placed = (volumes ?? []).flatMap((volume, index) => {
    const ours = sidecarVolumes.find(({ name }) => name === volume.name);
    return ours === undefined ? [] : replaceUnlessSame(`/spec/volumes/${index}`, volume, overlay(volume, ours));
  });
  return [...placed, ...listOperations('/spec/volumes', volumes, sidecarVolumes, ({ name }) => (volumes ?? []).some((volume) => volume.name === name))];
}

function environmentOperations(path: string, containers: readonly Container[], changes: readonly EnvironmentChange[]): readonly PatchOperation[] {
  return changes.flatMap(({ added, replaced }, index) => [
    // `add`, for an API server leaves an empty value out, and there is nothing to replace.
    ...replaced.map((entry) => add(`${path}/${index}/env/${entry.index}/value`, entry.value)),
    ...listOperations(`${path}/${index}/env`, containers[index]?.env, added, () => false),
  ]);
}

/** Before every other init container, or they would run without it. */
function sidecarOperations(initContainers: readonly Container[], absent: boolean, ours: Container): readonly PatchOperation[] {
  if (absent) return [add('/spec/initContainers', [ours])];
  const place = initContainers.findIndex((container) => !isApplication(container));
  if (place === -1) return [add('/spec/initContainers/0', ours)];
  const present = initContainers[place];
  const laid = overlay(present, ours);
  if (place === 0) return replaceUnlessSame('/spec/initContainers/0', present, laid);
  return [{ op: 'remove', path: `/spec/initContainers/${place}` }, add('/spec/initContainers/0', laid)];
}

/** Appends to a list of the pod, or makes it. */
function listOperations<T>(path: string, present: readonly unknown[] | undefined, wanted: readonly T[], isThere: (element: T) => boolean): readonly PatchOperation[] {
  const missing = wanted.filter((element) => !isThere(element));
  if (missing.length === 0) return [];
  return present === undefined ? [add(path, missing)] : missing.map((element) => add(`${path}/-`, element));
}

function replaceUnlessSame(path: string, present: unknown, wanted: unknown): readonly PatchOperation[] {
  return canonicalJson(present) === canonicalJson(wanted) ? [] : [{ op: 'replace', path, value: wanted }];
}

function add(path: string, value: unknown): PatchOperation {
  return { op: 'add', path, value };
}

/** RFC 6901. */
function escaped(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
