import type { Resource } from '@belay/operator/shell/kube/resource-path.ts';
import { resources } from '@belay/operator/shell/watch/belay-objects.ts';

/** Kinds that the command line asks a cluster for. */
export const kinds = {
  ...resources,
  leases: { group: 'coordination.k8s.io', version: 'v1', plural: 'leases' },
  webhooks: { group: 'admissionregistration.k8s.io', version: 'v1', plural: 'mutatingwebhookconfigurations' },
} as const satisfies { readonly [name: string]: Resource };
