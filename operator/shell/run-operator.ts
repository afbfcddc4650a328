import { isIP } from 'node:net';
import type { Clock, Random, WallClock } from '@belay/contract';
import { apiServerAddress } from './api-server-address.ts';
import { createAuthority, type Authority } from './certificates/authority.ts';
import { createBundlePublisher, type BundlePublisher } from './certificates/bundle-publisher.ts';
import { createControlPlane, injectionOf, type ControlPlane, type DistributorEnd } from './create-control-plane.ts';
import { createDistributor, type Distributor } from './distributor/create-distributor.ts';
import { createHttpsClient } from './kube/https-client.ts';
import type { KubeClient } from './kube/kube-client.ts';
import type { Log } from './log.ts';
import { createOperatorMetrics } from './operator-metrics.ts';
import { createProbeServer } from './probe-server.ts';
import type { Settings } from './settings.ts';
import { createWebhook, type Webhook } from './webhook/create-webhook.ts';

export interface OperatorOptions {
  readonly settings: Settings;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly wallClock: WallClock;
  readonly random: Random;
  readonly log: Log;
}

interface Context extends OperatorOptions {
  readonly client: KubeClient;
  readonly authority: Authority;
}

interface Roles {
  readonly publisher: BundlePublisher | null;
  readonly webhook: Webhook | null;
  readonly distributor: Distributor | null;
  readonly plane: ControlPlane | null;
}

/** How long the webhook answers on, and sidecars have to go elsewhere, within a pod's usual 30 s. */
const drainMs = 10_000;

/**
 * Runs the roles that the settings name until `stop` is aborted: then it turns unready, lets go of the lease, sends sidecars elsewhere, serves the
 * webhook for 10 s more, and resolves. Rejects where it cannot begin.
 */
export async function runOperator(options: OperatorOptions, stop: AbortSignal): Promise<void> {
  const { settings, env, clock, wallClock, random, log } = options;
  const client = createHttpsClient({ ...(await apiServerAddress(clock, env, settings.kubeconfig)), clock });
  const authority = createAuthority({ client, clock, wallClock, random, log, namespace: settings.namespace, ...leafNames(settings) });
  let roles: Roles = { publisher: null, webhook: null, distributor: null, plane: null };
  let listening = false;
  const metrics = createOperatorMetrics(() => ({ plane: roles.plane?.now() ?? null, distributor: roles.distributor?.counters ?? null, reviews: roles.webhook?.counts() ?? null }));
  const probes = createProbeServer({
    notAlive: () => (authority.alive() && roles.publisher?.alive() !== false ? (roles.plane?.notAlive() ?? null) : 'a watch of the Kubernetes API has ended'),
    notReady: () => (stop.aborted ? 'this process is ending' : listening ? obstacleOf(roles) : 'there is no certificate yet'),
    metrics: () => metrics.text(),
  });
  const ports = { probe: await probes.listen(settings.probeAddress, settings.probePort) };
  log({ level: 'info', event: 'operator-started', message: `the operator runs as ${[...settings.roles].join(', ')} in namespace ${settings.namespace}`, ports });
  try {
    if (await happens(authority.ready, stop)) {
      roles = startRoles({ ...options, client, authority });
      const more = await listen(roles, settings);
      listening = true;
      log({ level: 'info', event: 'operator-listening', message: `the operator listens: ${Object.entries({ ...ports, ...more }).map(([what, port]) => `${what} ${port}`).join(', ')}`, ports: { ...ports, ...more } });
      await happens(new Promise(() => undefined), stop);
    }
    await drain(roles);
  } finally {
    await Promise.all([roles.plane?.close(), roles.publisher?.close(), authority.close(), probes.close()]);
    client.close();
  }
}

function startRoles({ settings, client, clock, wallClock, random, log, authority }: Context): Roles {
  const controls = settings.roles.has('controller');
  const publisher = controls || settings.roles.has('webhook') ? createBundlePublisher({
    client, clock, random, log, authority, configuration: `${settings.name}-injector`, ...(controls ? { ownerNamespace: settings.namespace } : {}),
  }) : null;
  const webhook = settings.roles.has('webhook') ? createWebhook({ clock, log, authority, settings: injectionOf(settings) }) : null;
  if (!controls && !settings.roles.has('distributor')) return { publisher, webhook, distributor: null, plane: null };
  let distributor: Distributor | null = null;
  const plane = createControlPlane({
    settings, client, clock, wallClock, random, log, authority,
    openDistributor(listeners): DistributorEnd {
      if (!settings.roles.has('distributor')) return nobody;
      distributor = createDistributor({ client, clock, wallClock, random, log, authority, ...listeners });
      return distributor;
    },
  });
  return { publisher, webhook, distributor, plane };
}

/** Without the role: whom would it tell? */
const nobody: DistributorEnd = {
  synced: () => undefined, publish: () => undefined, connected: () => 0,
  countSidecars: () => ({ connected: 0, current: 0, rejected: 0, lastError: '' }),
};

async function listen({ webhook, distributor }: Roles, { probeAddress, webhookPort, distributorPort }: Settings): Promise<{ readonly [what: string]: number }> {
  // Beside the pod's own address there is loopback, to which ports are forwarded.
  const everywhere = /^127\.|^::1$/.test(probeAddress) ? probeAddress : isIP(probeAddress) === 6 ? '::' : '0.0.0.0';
  return {
    ...(webhook === null ? {} : { webhook: await webhook.listen(everywhere, webhookPort) }),
    ...(distributor === null ? {} : { distributor: await distributor.listen(everywhere, distributorPort) }),
  };
}

function obstacleOf({ publisher, webhook, plane }: Roles): string | null {
  const untrusted = webhook === null ? null : (webhook.obstacle() ?? publisher?.obstacle() ?? null);
  return untrusted ?? plane?.notReady() ?? null;
}

/** Another replica can write at once; who is connected is asked to go; the API server goes on sending reviews until it has heard. */
async function drain({ webhook, distributor, plane }: Roles): Promise<void> {
  await plane?.resign();
  await Promise.all([webhook?.drain(drainMs), distributor?.drain(drainMs)]);
}

/** True when `promise` has resolved, false when `stop` was aborted before. */
function happens(promise: Promise<unknown>, stop: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (stop.aborted) return resolve(false);
    stop.addEventListener('abort', () => resolve(false), { once: true });
    void promise.then(() => resolve(true));
  });
}

/** What callers know this process by: its Services' names, and what the settings add. */
function leafNames({ roles, name, namespace, clusterDomain, distributor, certificateNames }: Settings): { readonly dnsNames: readonly string[]; readonly ipAddresses: readonly string[] } {
  const distributes = roles.has('distributor');
  const services = [...(roles.has('webhook') ? [`${name}-webhook`] : []), ...(distributes || !roles.has('webhook') ? [name] : [])];
  const names = new Set([
    ...services.flatMap((service) => [`${service}.${namespace}.svc`, `${service}.${namespace}`, `${service}.${namespace}.svc.${clusterDomain}`]),
    ...(distributes ? [distributor.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')] : []),
    ...certificateNames,
  ]);
  return { dnsNames: [...names].filter((one) => isIP(one) === 0), ipAddresses: [...names].filter((one) => isIP(one) !== 0) };
}
