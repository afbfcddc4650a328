import { apiGroup, bootstrapName } from '@belay/contract';
import { apiServerAddress } from './api-server-address.ts';
import { createHttpsClient } from './kube/https-client.ts';
import type { KubeClient } from './kube/kube-client.ts';
import { hasStatus } from './kube/kube-error.ts';
import type { KubeMetadata, KubeObject } from './kube/kube-object.ts';
import { describePlace, type ObjectPlace, type Resource } from './kube/resource-path.ts';
import type { Log } from './log.ts';
import type { OperatorOptions } from './run-operator.ts';

export interface CleanupOptions {
  readonly client: KubeClient;
  readonly log: Log;
  /** Of the release. */
  readonly namespace: string;
  /** The release's full name: that of its Lease. */
  readonly name: string;
  /** Aborted where time is up: what is left is then told. */
  readonly signal: AbortSignal;
}

interface OwnedObject extends KubeObject {
  readonly metadata: KubeMetadata & { readonly deletionTimestamp?: string; readonly ownerReferences?: readonly { readonly apiVersion: string; readonly kind: string }[] };
}

interface Kind {
  readonly resource: Resource;
  readonly fieldSelector?: string;
  readonly isOurs: (object: OwnedObject) => boolean;
}

const madeByTheOperator = 'app.kubernetes.io/managed-by=belay';
const pageSize = 500;
/** The Job that calls this has 60 s, of which its pod needs some to start. */
const limitMs = 45_000;
/** A label alone is no proof: anybody may write one. */
const ofAProvider = ({ metadata: { ownerReferences = [] } }: OwnedObject): boolean =>
  ownerReferences.some(({ apiVersion, kind }) => kind === 'ModelProvider' && apiVersion.startsWith(`${apiGroup}/`));

const deployments: Resource = { group: 'apps', version: 'v1', plural: 'deployments' };

const kinds: readonly Kind[] = [
  { resource: { group: '', version: 'v1', plural: 'configmaps' }, fieldSelector: `metadata.name=${bootstrapName}`, isOurs: () => true },
  { resource: deployments, isOurs: ofAProvider },
  { resource: { group: '', version: 'v1', plural: 'services' }, isOurs: ofAProvider },
];

/**
 * Removes what the operator made and the release does not own: bootstrap ConfigMaps and local tiers of all namespaces, and the CA and the Lease of its
 * own; also its webhook, which Argo CD leaves alone for having an owner. Answers with a sentence for each thing that is left; one failure keeps nothing
 * else from being removed. For `--cleanup`, after the operator has gone (control-plane: Distribution): rejects where it is still installed.
 */
export async function cleanUp(options: CleanupOptions): Promise<readonly string[]> {
  const { client, log, namespace, name, signal } = options;
  await refuseWhileInstalled(options);
  const left: string[] = [];
  const attempt = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (hasStatus(error, 404)) return;
      const why = signal.aborted ? 'time was up' : error instanceof Error ? error.message : String(error);
      left.push(`${what}: ${why}`);
    }
  };
  const remove = (place: ObjectPlace): Promise<void> => attempt(describePlace(place), async () => {
    await client.delete(place, signal);
    log({ level: 'info', event: 'object-removed', message: `Removed ${describePlace(place)}.` });
  });
  await remove({ resource: { group: 'admissionregistration.k8s.io', version: 'v1', plural: 'mutatingwebhookconfigurations' }, name: `${name}-injector` });
  await remove({ resource: { group: '', version: 'v1', plural: 'secrets' }, namespace, name: 'belay-ca' });
  await remove({ resource: { group: 'coordination.k8s.io', version: 'v1', plural: 'leases' }, namespace, name });
  for (const kind of kinds) {
    await attempt(`${kind.resource.plural} of all namespaces`, () => eachOf(options, kind, remove));
  }
  return left;
}

/** Cleans up as the settings say, for 45 s at most or until `stop` is aborted. Rejects with a sentence for each thing that is left. */
export async function runCleanup({ settings: { namespace, name, kubeconfig }, env, clock, log }: OperatorOptions, stop: AbortSignal): Promise<void> {
  const late = new AbortController();
  const disarm = clock.after(limitMs, () => late.abort());
  const client = createHttpsClient({ ...(await apiServerAddress(clock, env, kubeconfig)), clock });
  const left = await cleanUp({ client, log, namespace, name, signal: AbortSignal.any([stop, late.signal]) }).finally(() => {
    disarm();
    client.close();
  });
  if (left.length > 0) throw new Error(`not everything could be removed: ${left.join('; ')}.`);
}

/** The Job is a hook, which `helm template` prints among all the rest: who applies that runs it beside the operator. */
async function refuseWhileInstalled({ client, namespace, name, signal }: CleanupOptions): Promise<void> {
  const { items } = await client.list<OwnedObject>({ resource: deployments, namespace }, { fieldSelector: `metadata.name=${name}` }, signal);
  if ((items ?? []).every(({ metadata }) => metadata.name !== name || metadata.deletionTimestamp !== undefined)) return;
  throw new Error(`nothing was removed, for ${describePlace({ resource: deployments, namespace, name })} is still there: uninstall Belay first. Where helm template is applied by hand, it takes --no-hooks.`);
}

/** One page after another: what is deleted meanwhile takes no page away, for a continued list is that of its first moment. */
async function eachOf({ client, signal }: CleanupOptions, { resource, fieldSelector, isOurs }: Kind, remove: (place: ObjectPlace) => Promise<void>): Promise<void> {
  let next: string | undefined;
  do {
    const query = { limit: pageSize, labelSelector: madeByTheOperator, ...(fieldSelector === undefined ? {} : { fieldSelector }), ...(next === undefined ? {} : { continue: next }) };
    const { items, metadata } = await client.list<OwnedObject>({ resource }, query, signal);
    for (const { metadata: { namespace, name } } of (items ?? []).filter(isOurs)) {
      await remove({ resource, name, ...(namespace === undefined ? {} : { namespace }) });
    }
    next = metadata.continue === '' ? undefined : metadata.continue;
  } while (next !== undefined);
}
