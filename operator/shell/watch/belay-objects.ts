import { apiGroup, apiVersion } from '@belay/contract';
import type { FallbackChain } from '../../core/resources/fallback-chain.ts';
import type { ModelProvider } from '../../core/resources/model-provider.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { Resource } from '../kube/resource-path.ts';

/** A chain as the API server keeps it. */
export type ChainObject = FallbackChain & KubeObject;
/** A provider as the API server keeps it. */
export type ProviderObject = ModelProvider & KubeObject;

/** The kinds that the operator reads, as the API's URLs name them. */
export const resources = {
  chains: { group: apiGroup, version: apiVersion, plural: 'fallbackchains' },
  providers: { group: apiGroup, version: apiVersion, plural: 'modelproviders' },
  namespaces: { group: '', version: 'v1', plural: 'namespaces' },
  pods: { group: '', version: 'v1', plural: 'pods' },
  deployments: { group: 'apps', version: 'v1', plural: 'deployments' },
  configMaps: { group: '', version: 'v1', plural: 'configmaps' },
  secrets: { group: '', version: 'v1', plural: 'secrets' },
} as const satisfies { readonly [name: string]: Resource };
