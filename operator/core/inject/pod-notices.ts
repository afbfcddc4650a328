import { bootstrapName, podAnnotations } from '@belay/contract';
import type { Pod } from './pod.ts';
import type { InjectionSettings } from './sidecar-container.ts';

/** What a person should hear of a pod as a whole, though it gets its sidecar; a sentence without its end each. */
export function podNotices(pod: Pod, settings: InjectionSettings): readonly string[] {
  return [...unknownAnnotations(pod), ...foreignNames(pod, settings)];
}

/** A misspelt annotation would be silent. */
function unknownAnnotations({ metadata: { annotations = {} } }: Pod): readonly string[] {
  const known: readonly string[] = Object.values(podAnnotations);
  return Object.keys(annotations).filter((name) => name.startsWith('belay.dev/') && !known.includes(name)).sort()
    .map((name) => `Belay reads no annotation ${name}: it reads ${known.join(', ')}`);
}

/** The sidecar resolves names as its pod does; the domain that the name of a Service ends with is its resolver's to add. */
function foreignNames({ spec: { dnsPolicy, dnsConfig } }: Pod, { distributor }: InjectionSettings): readonly string[] {
  const knowsServices = dnsPolicy !== 'Default' && (dnsPolicy !== 'None' || (dnsConfig?.searches ?? []).length > 0);
  return knowsServices ? [] : [
    `with dnsPolicy ${dnsPolicy} the sidecar finds neither the operator at ${distributor} nor local models, whose names are the cluster's own: it knows no more than ConfigMap ${bootstrapName}, which has no keys. Set ClusterFirst, or dnsConfig with the cluster's nameserver and searches`,
  ];
}
