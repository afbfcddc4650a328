import { injectedLabel } from '@belay/contract';
import type { FallbackChain } from '@belay/operator/core/resources/fallback-chain.ts';
import type { ModelProvider } from '@belay/operator/core/resources/model-provider.ts';
import type { KubeClient } from '@belay/operator/shell/kube/kube-client.ts';
import { hasStatus } from '@belay/operator/shell/kube/kube-error.ts';
import type { KubeObject } from '@belay/operator/shell/kube/kube-object.ts';
import type { ObjectPlace, Place } from '@belay/operator/shell/kube/resource-path.ts';
import { allowed } from '../cluster/allowed.ts';
import { kinds } from '../cluster/kinds.ts';
import { listAll } from '../cluster/list-all.ts';
import type { ClusterState, InjectedPod, LeaseState, OperatorState, PodCount } from './cluster-state.ts';

/** Name of the one webhook that injects sidecars, whatever the release is called. */
const webhookName = 'inject.belay.dev';

interface WebhookConfiguration extends KubeObject {
  readonly webhooks?: readonly { readonly name: string; readonly clientConfig?: { readonly caBundle?: string; readonly service?: { readonly namespace: string; readonly name: string } } }[];
}

interface Deployment extends KubeObject {
  readonly spec?: { readonly replicas?: number };
  readonly status?: { readonly readyReplicas?: number };
}

interface Lease extends KubeObject {
  readonly spec?: { readonly holderIdentity?: string | null; readonly renewTime?: string; readonly leaseDurationSeconds?: number };
}

/** Reads one namespace, or all of them (null). What the user may not read of operator and pods is left out; rejects where chains may not be read. */
export async function readCluster(client: KubeClient, namespace: string | null, wallMs: number): Promise<ClusterState> {
  const where = namespace === null ? {} : { namespace };
  const [chains, providers, pods, operator] = await Promise.all([
    listAll<FallbackChain & KubeObject>(client, { resource: kinds.chains, ...where }),
    listAll<ModelProvider & KubeObject>(client, { resource: kinds.providers, ...where }),
    readPods(client, { resource: kinds.pods, ...where }),
    readOperator(client, wallMs),
  ]);
  return { chains, providers, pods, operator };
}

async function readPods(client: KubeClient, place: Place): Promise<readonly InjectedPod[] | null> {
  return allowed(listAll<InjectedPod & KubeObject>(client, place, { labelSelector: `${injectedLabel}=true` }));
}

async function readOperator(client: KubeClient, wallMs: number): Promise<OperatorState> {
  const configurations = await allowed(listAll<WebhookConfiguration>(client, { resource: kinds.webhooks }));
  if (configurations === null) return { kind: 'unknown', detail: 'you may not list mutatingwebhookconfigurations, by which it is found' };
  const clientConfig = configurations.flatMap(({ webhooks = [] }) => webhooks).find(({ name }) => name === webhookName)?.clientConfig;
  if (clientConfig?.service === undefined) return { kind: 'missing' };
  const { namespace, name: service } = clientConfig.service;
  const name = service.replace(/-webhook$/, '');
  const [controller, webhook, lease] = await Promise.all([
    readPodCount(client, { resource: kinds.deployments, namespace, name }),
    readPodCount(client, { resource: kinds.deployments, namespace, name: service }),
    readLease(client, { resource: kinds.leases, namespace, name }, wallMs),
  ]);
  return { kind: 'found', namespace, name, controller, webhook, lease, trusted: (clientConfig.caBundle ?? '') !== '' };
}

async function readPodCount(client: KubeClient, place: ObjectPlace): Promise<PodCount | null> {
  const found = await present(client.get<Deployment>(place));
  if (found === 'missing') return { ready: 0, wanted: 0 };
  return found === null ? null : { ready: found.status?.readyReplicas ?? 0, wanted: found.spec?.replicas ?? 1 };
}

async function readLease(client: KubeClient, place: ObjectPlace, wallMs: number): Promise<LeaseState | null> {
  const found = await present(client.get<Lease>(place));
  if (found === null) return null;
  const { holderIdentity, renewTime, leaseDurationSeconds = 15 } = found === 'missing' ? {} : found.spec ?? {};
  const renewedMs = Date.parse(renewTime ?? '');
  return { holder: (holderIdentity ?? '') === '' ? null : holderIdentity ?? null, renewedAgoMs: Number.isNaN(renewedMs) ? 0 : Math.max(0, wallMs - renewedMs), durationMs: leaseDurationSeconds * 1_000 };
}

async function present<T>(answer: Promise<T>): Promise<T | 'missing' | null> {
  try {
    return await allowed(answer);
  } catch (error) {
    if (hasStatus(error, 404)) return 'missing';
    throw error;
  }
}
