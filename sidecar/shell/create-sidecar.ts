import { describeProblem } from '@belay/contract';
import { createActiveTable } from './active-table.ts';
import { createAdminListener } from './admin-listener.ts';
import { createConcurrency } from './concurrency.ts';
import { createConnectionPools, type Destination } from './connection-pool.ts';
import { createDecisions } from './decisions.ts';
import { createGracefulServer } from './graceful-server.ts';
import { createListener } from './listener.ts';
import { createMetrics, type MetricsNow } from './metrics.ts';
import type { Plane } from './plane.ts';
import { readProxyEnvironment } from './proxy-environment.ts';
import { createBytesInFlight } from './read-body.ts';
import { createReportCounts, type ReportedChain } from './report-counts.ts';
import type { Sidecar, SidecarOptions } from './sidecar-options.ts';

/** Request bodies held at once, in bytes. */
const bytesInFlightLimit = 64 * 1024 * 1024;
/** Without a table the sidecar counts as started and ready, degraded, after this (control-plane: Injection). */
const degradedMs = 5_000;

/** One data plane: applications on one port, probes and metrics on another. Nothing listens before `listen`. */
export function createSidecar(options: SidecarOptions): Sidecar {
  const plane = createPlane(options);
  const startedMs = options.clock.nowMs();
  let closing = false;
  // A control plane that is down keeps no pod from starting.
  const started = (): boolean => plane.table.current() !== null || options.clock.nowMs() - startedMs >= degradedMs;
  const onError = (error: Error): void => options.log({ level: 'error', event: 'listener-failed', message: `A connection could not be accepted: ${error.message}` });
  const applications = createGracefulServer(createListener(plane), options.clock, onError);
  const admin = createGracefulServer(createAdminListener(plane, {
    started,
    ready: () => started() && !closing,
  }), options.clock, onError);
  return {
    async listen() {
      const adminPort = await admin.listen(options.adminAddress, options.adminPort);
      try {
        return { port: await applications.listen(options.address, options.port), adminPort };
      } catch (error) {
        await admin.close(0);
        throw error;
      }
    },
    applyTable: (table) => applyTable(plane, table),
    applyKeys: (keys) => plane.table.applyKeys(keys),
    applyEndpoints(endpoints) {
      plane.table.applyEndpoints(endpoints);
      plane.pools.retain(destinations(plane));
    },
    report: () => plane.counts.report(chainsNow(plane)),
    async close(graceMs) {
      closing = true;
      await applications.close(graceMs);
      await admin.close(0);
      plane.pools.close();
    },
  };
}

function createPlane(options: SidecarOptions): Plane {
  const table = createActiveTable(options.random);
  const proxy = readProxyEnvironment(process.env);
  for (const message of proxy.problems) options.log({ level: 'warn', event: 'proxy-left-out', message });
  let requests = 0;
  const plane: Plane = {
    options,
    table,
    pools: createConnectionPools(proxy.environment),
    concurrency: createConcurrency(),
    unaryOnly: new Set(),
    bytesInFlight: createBytesInFlight(bytesInFlightLimit),
    requestsInFlight: { count: 0 },
    metrics: createMetrics(() => metricsNow(plane)),
    counts: createReportCounts(),
    decisions: createDecisions(options.log),
    nextId: () => `${options.podName}.${++requests}`,
  };
  return plane;
}

function applyTable(plane: Plane, table: unknown): ReturnType<Sidecar['applyTable']> {
  const applied = plane.table.apply(table);
  if (applied.ok) {
    plane.unaryOnly.clear();
    plane.pools.retain(destinations(plane));
    plane.options.log({ level: 'info', event: 'table-applied', message: `Serving table ${applied.value.version}.`, version: applied.value.version });
    return applied;
  }
  plane.metrics.tableRejected();
  const why = applied.problems.map(describeProblem).join('; ');
  plane.options.log({ level: 'error', event: 'table-rejected', message: `The new table is not served, the one before is: ${why}`, problems: applied.problems });
  return applied;
}

function destinations({ table }: Plane): Destination[] {
  const targets = [...(table.current()?.chains.values() ?? [])].flatMap((chain) => chain.targets);
  return targets.flatMap((target): Destination[] => {
    const { provider } = target;
    const address = provider.address.startsWith('local:') ? (table.endpointFor(target)?.url ?? null) : provider.address;
    return address === null || !URL.canParse(address) ? [] : [{ url: new URL(address), provider }];
  });
}

function metricsNow(plane: Plane): MetricsNow {
  const breakers = chainsNow(plane).flatMap(({ name, targets }) => targets.map(({ name: target, breaker: state }) => ({ chain: name, target, state })));
  return { tableVersion: plane.table.current()?.version ?? null, breakers };
}

/** The chains that are served, and whether traffic flows to their targets: one that is out for its key, its quota or its rate counts as open. */
function chainsNow({ options, table }: Plane): readonly ReportedChain[] {
  const nowMs = options.clock.nowMs();
  return [...(table.current()?.chains.values() ?? [])].map(({ entry, targets }) => ({
    name: entry.name,
    targets: targets.map((target) => {
      const { breaker, out } = table.healthOf(target).view(nowMs);
      return { name: target.entry.name, breaker: out === null ? breaker : 'open' };
    }),
  }));
}
