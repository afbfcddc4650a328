import { isIP } from 'node:net';
import type { Clock, Random, WallClock } from '@belay/contract';
import { createAuthority } from './certificates/authority.ts';
import { connectApiServer } from './connect-api-server.ts';
import { createControlPlane, type DistributorEnd } from './create-control-plane.ts';
import { createHttpsClient } from './kube/https-client.ts';
import type { Log } from './log.ts';
import { createOperatorMetrics, type OperatorNow } from './operator-metrics.ts';
import { createProbeServer } from './probe-server.ts';
import type { Settings } from './settings.ts';

export interface OperatorOptions {
  readonly settings: Settings;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly wallClock: WallClock;
  readonly random: Random;
  readonly log: Log;
}

export interface Operator {
  /** Turns unready, lets go of the lease, sends sidecars elsewhere, serves the webhook for 10 s more, and ends. */
  stop(): Promise<void>;
}

const idle: OperatorNow = { sidecars: 0, leading: false, namespaces: 0, statusWrites: 0, podsWithoutSidecar: 0, queueDepth: 0, queueOldestMs: 0, silenceMs: new Map() };

/** Starts the roles that the settings name. Resolves when everything listens; readiness is told by the probe. */
export async function startOperator({ settings, env, clock, wallClock, random, log }: OperatorOptions): Promise<Operator> {
  const address = await connectApiServer(clock, env, settings.kubeconfig);
  const client = createHttpsClient({ ...address, clock });
  const authority = createAuthority({ client, clock, wallClock, random, log, namespace: settings.namespace, ...leafNames(settings) });
  let certified = false;
  let stopping = false;
  void authority.ready.then(() => { certified = true; });
  const plane = settings.roles.has('controller') || settings.roles.has('distributor') ? createControlPlane({ settings, client, clock, wallClock, random, log, authority, openDistributor: () => nobody }) : null;
  const metrics = createOperatorMetrics(() => plane?.now() ?? idle);
  const probes = createProbeServer({
    notAlive: () => plane?.notAlive() ?? (authority.alive() ? null : 'the watch of the CA has ended'),
    notReady: () => (stopping ? 'this process is ending' : !certified ? 'there is no certificate yet' : (plane?.notReady() ?? null)),
    metrics: () => metrics.text(),
  });
  const probePort = await probes.listen(settings.probeAddress, settings.probePort);
  log({ level: 'info', event: 'operator-started', message: `roles ${[...settings.roles].join(', ')}; probes on ${settings.probeAddress}:${probePort}`, probePort });
  return {
    async stop() {
      stopping = true;
      await plane?.resign();
      await plane?.close();
      await authority.close();
      await probes.close();
      client.close();
    },
  };
}

const nobody: DistributorEnd = {
  synced() {}, publish() {}, connected: () => 0,
  countSidecars: () => ({ connected: 0, current: 0, rejected: 0, lastError: '' }),
};

/** What callers know this process by: its Services' names, and what the settings add. */
function leafNames({ roles, name, namespace, clusterDomain, distributor, certificateNames }: Settings): { readonly dnsNames: readonly string[]; readonly ipAddresses: readonly string[] } {
  const services = [...(roles.has('webhook') ? [`${name}-webhook`] : []), ...(roles.has('distributor') ? [name] : [])];
  const all = [
    ...services.flatMap((service) => [`${service}.${namespace}.svc`, `${service}.${namespace}`, `${service}.${namespace}.svc.${clusterDomain}`]),
    ...(roles.has('distributor') ? [distributor.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')] : []),
    ...certificateNames,
  ];
  const names = [...new Set(all)];
  return { dnsNames: names.filter((one) => isIP(one) === 0), ipAddresses: names.filter((one) => isIP(one) !== 0) };
}
