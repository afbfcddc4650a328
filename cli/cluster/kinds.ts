import { apiGroup, apiVersion } from '@belay/contract';
import type { Resource } from '@belay/operator/shell/kube/resource-path.ts';

/** Kinds that the command line asks a cluster for. */
export const kinds = {
  chains: { group: apiGroup, version: apiVersion, plural: 'fallbackchains' },
  providers: { group: apiGroup, version: apiVersion, plural: 'modelproviders' },
  pods: { group: '', version: 'v1', plural: 'pods' },
  namespaces: { group: '', version: 'v1', plural: 'namespaces' },
  deployments: { group: 'apps', version: 'v1', plural: 'deployments' },
  leases: { group: 'coordination.k8s.io', version: 'v1', plural: 'leases' },
  webhooks: { group: 'admissionregistration.k8s.io', version: 'v1', plural: 'mutatingwebhookconfigurations' },
} as const satisfies { readonly [name: string]: Resource };
