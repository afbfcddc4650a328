import type { Clock, Random } from '@belay/contract';
import { exponentialBackoff, type Backoff } from '../kube/backoff.ts';
import { sleep } from '../kube/clock.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import type { KubeMetadata, KubeObject } from '../kube/kube-object.ts';
import { createReflector, type Reflector } from '../kube/reflector.ts';
import type { Log } from '../log.ts';
import { allOrAborted, newAlarm, type Alarm } from './alarm.ts';
import type { Authority } from './authority.ts';
import { isSignedBy } from './issue-certificates.ts';
import { newProblemLog, type ProblemLog } from './problem-log.ts';

export interface BundlePublisherOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly authority: Authority;
  /** Name of the MutatingWebhookConfiguration; all its webhooks are Belay's. */
  readonly configuration: string;
  /** Makes the configuration go with this namespace, or a webhook that nobody serves would refuse pods for ever; for the controller alone. */
  readonly ownerNamespace?: string;
}

export interface BundlePublisher {
  /** Why the API server would not trust this replica's leaf, in a sentence; null: it does. */
  obstacle(): string | null;
  /** False once its watch has ended: a failed liveness probe. */
  alive(): boolean;
  close(): Promise<void>;
}

interface WebhookConfiguration extends KubeObject {
  readonly metadata: KubeMetadata & { readonly ownerReferences?: readonly { readonly uid: string }[] };
  readonly webhooks?: readonly { readonly name: string; readonly clientConfig?: { readonly caBundle?: string } }[];
}

const resource = { group: 'admissionregistration.k8s.io', version: 'v1', plural: 'mutatingwebhookconfigurations' };
const apiVersion = 'admissionregistration.k8s.io/v1';
const kind = 'MutatingWebhookConfiguration';
const namespaces = { group: '', version: 'v1', plural: 'namespaces' };
/** Owns `caBundle` and nothing else: an applied configuration takes from its manager whatever it does not name. */
const bundleManager = 'belay-cabundle';
const ownerManager = 'belay';
/** Without news, everything is compared again after so long. */
const tickMs = 300_000;

interface Publisher {
  readonly options: BundlePublisherOptions;
  readonly reflector: Reflector<WebhookConfiguration>;
  readonly backoff: Backoff;
  readonly alarm: Alarm;
  readonly signal: AbortSignal;
  /** What the API server was last seen to trust; null: nothing. */
  published: string | null;
  /** What was applied last. */
  applied: string;
  readonly problems: ProblemLog;
}

/**
 * Keeps `caBundle` of the webhook configuration what the authority trusts, by server-side apply of that field alone, for ever: again with back-off
 * where it fails or somebody overwrites it. Tells the authority what has been published.
 */
export function createBundlePublisher(options: BundlePublisherOptions): BundlePublisher {
  const { client, clock, random, log, authority, configuration } = options;
  const stop = new AbortController();
  const alarm = newAlarm(clock, stop.signal);
  const watchProblems = newProblemLog(log);
  const reflector = createReflector<WebhookConfiguration>({
    client, clock, random, place: { resource }, fieldSelector: `metadata.name=${configuration}`,
    onChange: () => { watchProblems.over(); alarm.ring(); },
    onProblem: ({ message }) => watchProblems.tell({ level: 'warn', event: 'bundle-watch-failed', message: `${kind} ${configuration} could not be watched, which is tried again: ${message}.` }),
  });
  const publisher: Publisher = { options, reflector, alarm, signal: stop.signal, backoff: exponentialBackoff(clock, random, { firstMs: 200, longestMs: 30_000 }), published: null, applied: '', problems: newProblemLog(log) };
  const unsubscribe = authority.onChange(() => alarm.ring());
  const ended = run(publisher);
  return {
    obstacle: () => obstacleOf(publisher),
    alive: () => reflector.alive(),
    async close() {
      unsubscribe();
      stop.abort();
      await Promise.all([reflector.close(), ended]);
    },
  };
}

function obstacleOf({ options: { authority, configuration }, published }: Publisher): string | null {
  if (authority.trusted() === '') return 'there is no CA yet';
  if (published === null) return `${kind} ${configuration} does not trust Belay's CA yet`;
  return isSignedBy(authority.leaf().cert, published) ? null : `${kind} ${configuration} does not trust the CA of this replica's certificate yet`;
}

async function run(publisher: Publisher): Promise<void> {
  const { options: { clock, authority }, reflector, alarm, backoff, signal } = publisher;
  await allOrAborted([reflector.synced, authority.ready], signal);
  while (!signal.aborted) {
    const outcome = await attempt(publisher);
    // Whoever overwrites what is applied at once, again and again, meets a patient one.
    if (outcome === 'settled') await alarm.wait(tickMs);
    else await sleep(clock, backoff.nextMs(), signal);
  }
}

async function attempt(publisher: Publisher): Promise<'settled' | 'changed' | 'failed'> {
  try {
    return (await reconcile(publisher)) ? 'changed' : 'settled';
  } catch (error) {
    if (!publisher.signal.aborted) complain(publisher, error instanceof Error ? error.message : String(error));
    return 'failed';
  }
}

/** True where something had to be written. */
async function reconcile(publisher: Publisher): Promise<boolean> {
  const { options: { authority, configuration }, reflector } = publisher;
  const found = reflector.store.get(configuration);
  publisher.published = found === undefined ? null : bundleOf(found);
  if (found === undefined) {
    complain(publisher, `there is no ${kind} ${configuration}: no pod is injected until it is there`);
    // Nobody calls, so nobody has to trust a new CA before it signs.
    authority.notePublished(authority.trusted());
    return false;
  }
  // A replica that has missed a change of the Secret must not take back what another has published of it.
  const bundle = publisher.published === authority.trusted() ? publisher.published : await authority.confirmed();
  const stale = publisher.published !== bundle;
  if (stale) publisher.published = bundleOf(await applyBundle(publisher, found, bundle));
  if (publisher.published === bundle) authority.notePublished(bundle);
  const owned = await applyOwner(publisher, found);
  publisher.problems.over();
  return owned || stale;
}

/** What every webhook of it trusts; null where they differ, or nothing is there. */
function bundleOf({ webhooks = [] }: WebhookConfiguration): string | null {
  const [first, ...more] = new Set(webhooks.map(({ clientConfig }) => clientConfig?.caBundle ?? ''));
  return first === undefined || first === '' || more.length > 0 ? null : Buffer.from(first, 'base64').toString('utf8');
}

async function applyBundle(publisher: Publisher, { webhooks = [] }: WebhookConfiguration, bundle: string): Promise<WebhookConfiguration> {
  const { options: { client, configuration, log }, signal } = publisher;
  if (webhooks.length === 0) throw new Error(`${kind} ${configuration} has no webhook: no pod is injected until it has`);
  const caBundle = Buffer.from(bundle).toString('base64');
  const body = { apiVersion, kind, metadata: { name: configuration }, webhooks: webhooks.map(({ name }) => ({ name, clientConfig: { caBundle } })) };
  const applied = await client.apply<WebhookConfiguration>({ resource, name: configuration }, body, { fieldManager: bundleManager, force: true, signal });
  const overwritten = publisher.applied === bundle;
  publisher.applied = bundle;
  log(overwritten
    ? { level: 'warn', event: 'bundle-restored', message: `Somebody changed caBundle of ${kind} ${configuration}; it is Belay's again.` }
    : { level: 'info', event: 'bundle-published', message: `${kind} ${configuration} trusts Belay's CA.` });
  return applied;
}

async function applyOwner({ options: { client, configuration, ownerNamespace, log }, signal }: Publisher, { metadata: { ownerReferences = [] } }: WebhookConfiguration): Promise<boolean> {
  if (ownerNamespace === undefined) return false;
  const { metadata: { uid } } = await client.get({ resource: namespaces, name: ownerNamespace }, signal);
  if (uid === undefined || ownerReferences.some((owner) => owner.uid === uid)) return false;
  const body = { apiVersion, kind, metadata: { name: configuration, ownerReferences: [{ apiVersion: 'v1', kind: 'Namespace', name: ownerNamespace, uid }] } };
  await client.apply({ resource, name: configuration }, body, { fieldManager: ownerManager, force: true, signal });
  log({ level: 'info', event: 'owner-set', message: `${kind} ${configuration} goes with namespace ${ownerNamespace} from now on.` });
  return true;
}

function complain({ problems }: Publisher, message: string): void {
  problems.tell({ level: 'error', event: 'bundle-failed', message: `The webhook's CA cannot be published: ${message}.` });
}
