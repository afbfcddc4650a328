import { adminPort, applicationPort, podAnnotations, sidecarContainerName, type Problem } from '@belay/contract';
import type { Named, Pod } from './pod.ts';

/** Of nodes; most pods for Windows say where they run, and leave `os` out. */
const osLabels = ['kubernetes.io/os', 'beta.kubernetes.io/os'];

/** Why a pod cannot have a sidecar beside what it already has; empty: it can. Paths are fields of the pod. */
export function obstaclesOf(pod: Pod, volumes: readonly Named[]): readonly Problem[] {
  return [...placeProblems(pod), ...containerProblems(pod), ...portProblems(pod), ...volumeProblems(pod, volumes)];
}

function placeProblems({ spec: { hostNetwork, os, nodeSelector = {} } }: Pod): readonly Problem[] {
  const windows = (path: string) => ({ path, message: `the sidecar runs on Linux only: take the annotation ${podAnnotations.inject} away` });
  return [
    ...(hostNetwork === true ? [{ path: 'spec.hostNetwork', message: `a pod on its node's network shares 127.0.0.1:${applicationPort} with every other one there, and whoever runs on the node could spend its keys: take hostNetwork away, or the annotation ${podAnnotations.inject}` }] : []),
    ...(os?.name === 'windows' ? [windows('spec.os.name')] : []),
    ...osLabels.filter((label) => nodeSelector[label] === 'windows').map((label) => windows(`spec.nodeSelector["${label}"]`)),
  ];
}

function containerProblems(pod: Pod): readonly Problem[] {
  const { containers, initContainers = [] } = pod.spec;
  const taken = (path: string) => ({ path, message: `the name ${JSON.stringify(sidecarContainerName)} is for the container that injection adds: rename this one` });
  return [
    ...(wasInjected(pod) ? [] : initContainers.flatMap(({ name }, index) => (name === sidecarContainerName ? [taken(`spec.initContainers[${index}].name`)] : []))),
    ...containers.flatMap(({ name }, index) => (name === sidecarContainerName ? [taken(`spec.containers[${index}].name`)] : [])),
  ];
}

/** Containers of a pod share their ports; the sidecar starts first and would take them. */
function portProblems({ spec: { containers, initContainers = [] } }: Pod): readonly Problem[] {
  const lists = [['spec.containers', containers], ['spec.initContainers', initContainers]] as const;
  return lists.flatMap(([list, members]) => members.flatMap(({ name, ports = [] }, index) => (name === sidecarContainerName ? [] : ports).flatMap(({ containerPort, protocol = 'TCP' }, place) =>
    (protocol === 'TCP' && (containerPort === applicationPort || containerPort === adminPort)
      ? [{ path: `${list}[${index}].ports[${place}].containerPort`, message: `${containerPort} is a port of the sidecar, which shares the pod's network: let container ${name} listen elsewhere` }]
      : []))));
}

function volumeProblems(pod: Pod, ours: readonly Named[]): readonly Problem[] {
  if (wasInjected(pod)) return [];
  return (pod.spec.volumes ?? []).flatMap(({ name }, index) => (ours.some((volume) => volume.name === name)
    ? [{ path: `spec.volumes[${index}].name`, message: `the name ${JSON.stringify(name)} is for a volume that injection adds: rename this one` }]
    : []));
}

function wasInjected({ metadata: { annotations = {} } }: Pod): boolean {
  return annotations[podAnnotations.status] !== undefined;
}
