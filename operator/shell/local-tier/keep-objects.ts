import type { ObservedDeployment, ObservedPod } from '../../core/local-tier/observed.ts';
import type { OwnedObject } from './applied-objects.ts';

export type DeploymentObject = OwnedObject & ObservedDeployment;
export type PodObject = OwnedObject & ObservedPod;

/** What is kept of a Deployment: enough to tell how it is. */
export function keepDeployment({ metadata, spec, status }: DeploymentObject): DeploymentObject {
  return {
    metadata: slim(metadata),
    ...(spec?.replicas === undefined ? {} : { spec: { replicas: spec.replicas } }),
    ...(status?.conditions === undefined ? {} : { status: { conditions: status.conditions } }),
  };
}

export function keepService({ metadata }: OwnedObject): OwnedObject {
  return { metadata: slim(metadata) };
}

/** What is kept of a pod: no environment, no mounts. */
export function keepPod({ metadata, spec, status }: PodObject): PodObject {
  const containers = (spec?.containers ?? []).map(({ name, args, resources }) => ({
    name, ...(args === undefined ? {} : { args }), ...(resources?.limits === undefined ? {} : { resources: { limits: resources.limits } }),
  }));
  return {
    metadata: slim(metadata),
    spec: { containers, volumes: (spec?.volumes ?? []).filter(({ persistentVolumeClaim }) => persistentVolumeClaim !== undefined) },
    ...(status === undefined ? {} : { status }),
  };
}

function slim(metadata: OwnedObject['metadata']): OwnedObject['metadata'] {
  const { annotations: _, ...rest } = metadata;
  return rest;
}
