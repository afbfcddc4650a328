import { canonicalJson, groupVersion } from '@belay/contract';
import type { AppliedObject } from '../../core/local-tier/local-tier.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { hasStatus } from '../kube/kube-error.ts';
import type { KubeMetadata, KubeObject } from '../kube/kube-object.ts';
import type { ObjectPlace, Resource } from '../kube/resource-path.ts';

/** An object of the local tier as its reflector keeps it. */
export interface OwnedObject extends KubeObject {
  readonly metadata: KubeMetadata & { readonly ownerReferences?: readonly OwnerReference[] };
}

interface OwnerReference {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly uid?: string;
}

export type AppliedKind = AppliedObject['kind'];

/** The owner of status, ConfigMaps and the local tier in server-side apply. */
const fieldManager = 'belay';

export const appliedResources: { readonly [kind in AppliedKind]: Resource } = {
  Deployment: { group: 'apps', version: 'v1', plural: 'deployments' },
  Service: { group: '', version: 'v1', plural: 'services' },
};

/** Somebody else's object has the name. */
export class NameTaken extends Error {
  constructor(kind: AppliedKind, { name, namespace }: AppliedObject['metadata']) {
    super(`There is a ${kind} ${name} in namespace ${namespace} that Belay did not make: delete or rename it.`);
    this.name = 'NameTaken';
  }
}

/** What was applied last, and what it then was: what the reflector shows unchanged need not be applied again. */
export interface AppliedObjects {
  /** Applies `wanted` unless it is known to stand so; `seen` is what the reflector has. Resolves to whether the API server was asked. Rejects with `NameTaken` or what the API server said. */
  apply(wanted: AppliedObject, seen: OwnedObject | undefined, signal: AbortSignal): Promise<boolean>;
  /** Deletes it; one that is gone already is no failure. */
  remove(kind: AppliedKind, object: OwnedObject, signal: AbortSignal): Promise<void>;
  /** True where `seen` is what the last apply made. */
  stands(kind: AppliedKind, seen: OwnedObject): boolean;
}

export function createAppliedObjects(client: KubeClient): AppliedObjects {
  const known = new Map<string, { readonly wanted: string; readonly mark: string }>();
  const keyOf = (kind: AppliedKind, { namespace = '', name }: { readonly namespace?: string; readonly name: string }): string => `${kind} ${namespace}/${name}`;
  return {
    stands: (kind, seen) => known.get(keyOf(kind, seen.metadata))?.mark === markOf(kind, seen),
    async apply(wanted, seen, signal) {
      const { kind, metadata } = wanted;
      const key = keyOf(kind, metadata);
      const last = known.get(key);
      const text = canonicalJson(wanted);
      if (seen !== undefined && last?.wanted === text && last.mark === markOf(kind, seen)) return false;
      const place = placeOf(kind, metadata);
      if (seen === undefined) await refuseForeign(client, place, wanted, signal);
      const stored = await client.apply<OwnedObject>(place, wanted, { fieldManager, force: true, signal });
      known.set(key, { wanted: text, mark: markOf(kind, stored) });
      return true;
    },
    async remove(kind, object, signal) {
      known.delete(keyOf(kind, object.metadata));
      try {
        await client.delete(placeOf(kind, object.metadata), signal);
      } catch (error) {
        if (!hasStatus(error, 404)) throw error;
      }
    },
  };
}

/** True where a ModelProvider owns it. */
export function isOwned({ metadata }: OwnedObject): boolean {
  return (metadata.ownerReferences ?? []).some(({ apiVersion, kind }) => apiVersion === groupVersion && kind === 'ModelProvider');
}

function placeOf(kind: AppliedKind, { name, namespace }: { readonly name: string; readonly namespace?: string }): ObjectPlace {
  return { resource: appliedResources[kind], name, ...(namespace === undefined ? {} : { namespace }) };
}

/** A Service has no generation; nobody writes its status here. */
function markOf(kind: AppliedKind, { metadata: { uid = '', generation = 0, resourceVersion = '' } }: OwnedObject): string {
  return `${uid} ${kind === 'Service' ? resourceVersion : generation}`;
}

/** Server-side apply would take over whatever has the name. */
async function refuseForeign(client: KubeClient, place: ObjectPlace, { kind, metadata }: AppliedObject, signal: AbortSignal): Promise<void> {
  try {
    if (!isOwned(await client.get<OwnedObject>(place, signal))) throw new NameTaken(kind, metadata);
  } catch (error) {
    if (!hasStatus(error, 404)) throw error;
  }
}
