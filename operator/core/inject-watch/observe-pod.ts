import { podAnnotations, sidecarContainerName } from '@belay/contract';
import { parseInjection } from '../inject/parse-injection.ts';
import { patchFor } from '../inject/patch-for.ts';
import type { Pod } from '../inject/pod.ts';
import type { InjectionSettings } from '../inject/sidecar-container.ts';

/** What the controller keeps of a pod that asks for injection. */
export interface ObservedPod {
  /** Chains by name; empty: every chain of the namespace, or none that can be read. */
  readonly chains: readonly string[];
  /** null: its sidecar is there. */
  readonly missing: { readonly reason: 'InjectionSkipped' | 'InjectionMissing'; readonly message: string } | null;
  /** What injection could not do for it, a sentence each. */
  readonly notices: readonly string[];
}

/** A pod that exists, as far as it matters here. */
export interface ExistingPod extends Pod {
  readonly status?: { readonly phase?: string };
}

/**
 * What there is to say of a pod that exists; null: it does not ask for injection, or has ended. The webhook itself writes nothing, so that all of
 * this is computed again from the pod (control-plane: Injection).
 */
export function observePod(pod: ExistingPod, settings: InjectionSettings): ObservedPod | null {
  if (hasEnded(pod)) return null;
  if (asksByLabel(pod)) return { chains: [], missing: labelled, notices: [] };
  const outcome = patchFor(pod, settings);
  if (outcome.kind === 'skipped' && outcome.reason !== 'MirrorPod') return null;
  const sidecar = (pod.spec.initContainers ?? []).find(({ name }) => name === sidecarContainerName);
  if (sidecar === undefined) return { chains: chainsOf(pod), missing: missingOf(outcome), notices: [] };
  return {
    chains: chainsOf(pod),
    missing: sidecar.restartPolicy === 'Always' ? null : spoiled,
    notices: outcome.kind === 'patched' ? outcome.notices : [],
  };
}

/** Other injectors are asked by label, and Belay's own annotation is written there by habit. */
function asksByLabel({ metadata: { annotations = {}, labels = {} } }: Pod): boolean {
  return annotations[podAnnotations.inject] === undefined && (labels[podAnnotations.inject] ?? 'false') !== 'false';
}

const labelled: ObservedPod['missing'] = {
  reason: 'InjectionMissing',
  message: `The pod has no sidecar: ${podAnnotations.inject} stands among its labels, where nobody reads it. Move it to the annotations of the pod template.`,
};

/** A webhook that was built before native sidecars drops the fields that it does not know. */
const spoiled: ObservedPod['missing'] = {
  reason: 'InjectionMissing',
  message: `The pod's container ${sidecarContainerName} is no sidecar any more, and its applications wait for it for ever: another admission webhook took its restartPolicy away. Update that webhook, or keep it from pods with a sidecar.`,
};

function hasEnded({ status }: ExistingPod): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed';
}

function chainsOf(pod: Pod): readonly string[] {
  const injection = parseInjection(pod);
  return injection.ok && injection.value !== null ? injection.value.chains.filter((name) => name !== '*') : [];
}

function missingOf(outcome: ReturnType<typeof patchFor>): ObservedPod['missing'] {
  if (outcome.kind === 'skipped') return { reason: 'InjectionSkipped', message: `The pod has no sidecar: ${outcome.message}.` };
  const why = outcome.kind === 'denied'
    ? `${outcome.message}. It was created without the webhook seeing it`
    : 'it was created without the webhook seeing it: before Belay was installed, or in a namespace that injection leaves out, such as kube-system or Belay\'s own. Delete it, and its successor gets one, if its namespace is not left out';
  return { reason: 'InjectionMissing', message: `The pod asks for a sidecar and has none: ${why}.` };
}
