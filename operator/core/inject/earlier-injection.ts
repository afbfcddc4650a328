import { canonicalJson, podAnnotations, sidecarContainerName } from '@belay/contract';
import { overlay } from './overlay.ts';
import type { Container, Pod, Resources } from './pod.ts';
import { spelledAs } from './sidecar-resources.ts';

/** What an injection asked for, as the status annotation keeps it. */
export interface Asked {
  readonly chains: readonly string[];
  readonly image: string;
  readonly resources: Resources;
}

/** The sidecar that an earlier call made, with what others did to it since. */
export interface EarlierInjection {
  readonly sidecar: Container | undefined;
  /** As the annotation has them; nothing where there is none that can be read. */
  readonly asked: { readonly image?: unknown; readonly resources?: unknown };
}

/** Value of the status annotation. */
export function writeAsked({ chains, image, resources }: Asked): string {
  return canonicalJson({ chains, container: sidecarContainerName, image, resources });
}

export function readEarlierInjection({ metadata: { annotations = {} }, spec: { initContainers = [] } }: Pod): EarlierInjection {
  return { sidecar: initContainers.find(({ name }) => name === sidecarContainerName), asked: readObject(annotations[podAnnotations.status] ?? '{}') };
}

/**
 * `wanted`, but for what others set where an earlier call wanted the same: a cluster's policy on resources, such as a vertical autoscaler's,
 * comes after injection and would be undone by the second call, which nobody sees after it.
 */
export function standingResources({ sidecar, asked }: EarlierInjection, wanted: Resources): Resources {
  if (canonicalJson(asked.resources) !== canonicalJson(wanted)) return spelledAs(sidecar?.resources, wanted);
  return overlay(wanted, sidecar?.resources ?? {}) as Resources;
}

/** Likewise for where the image comes from: a registry's mirror in its place, or the AlwaysPullImages plug-in, which refuses pods with another policy. */
export function standingImage({ sidecar, asked }: EarlierInjection, wanted: string): Pick<Container, 'image' | 'imagePullPolicy'> {
  if (asked.image !== wanted || sidecar === undefined) return {};
  const { image, imagePullPolicy } = sidecar;
  return { ...(image === undefined ? {} : { image }), ...(imagePullPolicy === undefined ? {} : { imagePullPolicy }) };
}

function readObject(text: string): EarlierInjection['asked'] {
  try {
    const read: unknown = JSON.parse(text);
    return typeof read === 'object' && read !== null ? read : {};
  } catch {
    // Somebody else's words are no earlier injection.
    return {};
  }
}
