import { randomBytes } from 'node:crypto';
import { Secret, type Clock, type Random, type WallClock } from '@belay/contract';
import type { LogLine, Sidecar, SidecarOptions } from '@belay/sidecar/shell/sidecar-options.ts';
import { createLocalTier } from '../local-tier/local-tier.ts';
import { createMachineHost } from '../local-tier/machine-host.ts';
import type { Colours } from './colours.ts';
import type { LoadConfiguration } from './configuration.ts';
import { describeServing } from './describe-serving.ts';
import { createManifestWatcher, watchedFiles } from './manifest-watcher.ts';
import type { RunOptions } from './run-options.ts';
import { serve, type Served } from './serve.ts';

/** How long running requests may take to end after SIGTERM: what Kubernetes gives a pod by default. */
const graceMs = 30_000;

export interface RunWorld {
  readonly version: string;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly wallClock: WallClock;
  readonly random: Random;
  readonly log: (line: LogLine) => void;
  readonly load: LoadConfiguration;
  readonly createSidecar: (options: SidecarOptions) => Sidecar;
  /** Writes for people; null where nobody looks on: log lines say it then. */
  readonly tell: { readonly write: (text: string) => void; readonly colours: Colours } | null;
  readonly complain: (line: string) => void;
  /** Calls back at each SIGTERM and SIGINT. */
  readonly onSignal: (callback: (signal: string) => void) => void;
  /** Ends this process at once. */
  readonly exit: (code: number) => void;
}

/** `belay run`: serves until a signal. Resolves to the exit code: 0 after a signal, 1 where nothing can be served. */
export async function runBelay(options: RunOptions, world: RunWorld): Promise<number> {
  const { env, clock, wallClock, log } = world;
  // As llama-server takes it; who sets it can ask the server too.
  const localKey = env['LLAMA_API_KEY']?.trim() || randomBytes(24).toString('base64url');
  const host = createMachineHost(env, wallClock, localKey);
  const served = await serve(options, {
    log,
    load: world.load,
    createSidecar: () => world.createSidecar({ ...sidecarOptions(options, world), localKey: new Secret(localKey) }),
    createLocalTier: ({ onEndpoints }) => createLocalTier({ host, clock, log, modelDir: options.modelDir, onEndpoints }),
    watch: (onChange) => createManifestWatcher(watchedFiles(options.paths), clock, onChange),
  });
  if ('problems' in served) {
    for (const problem of served.problems) world.complain(problem);
    return 1;
  }
  // Whoever reads that it serves may end it at once.
  const ended = untilSignal(served, world);
  announce(options, served, world);
  return ended;
}

function sidecarOptions(options: RunOptions, { clock, wallClock, random, log }: RunWorld): SidecarOptions {
  const { address, port, adminPort, allowOrigins, clientKey, faults } = options;
  return {
    address, port, adminPort, allowOrigins, clientKey, faults, clock, wallClock, random, log,
    adminAddress: address,
    podName: `run-${Math.floor(random() * 36 ** 5).toString(36).padStart(5, '0')}`,
    standalone: true,
  };
}

function announce({ address, clientKey, watch }: RunOptions, { configuration, port, adminPort }: Served, { version, tell, log }: RunWorld): void {
  const { table } = configuration;
  if (tell !== null) return tell.write(describeServing({ version, table, address, port, adminPort, keyed: clientKey !== null }, tell.colours));
  const chains = table.chains.map(({ name, modelNames, targets }) => ({ name, modelNames, targets: targets.map((target) => target.name) }));
  const message = `serving namespace ${table.namespace} at http://${address}:${port}/v1`;
  log({ level: 'info', event: 'serving-started', message, port, adminPort, namespace: table.namespace, version: table.version, chains, watch });
}

function untilSignal(served: Served, { log, onSignal, exit }: RunWorld): Promise<number> {
  return new Promise((resolve, reject) => {
    let stopping = false;
    onSignal((signal) => {
      if (stopping) return exit(signal === 'SIGINT' ? 130 : 143);
      stopping = true;
      log({ level: 'info', event: 'stopping-started', message: `${signal}: no new requests; running ones have up to ${graceMs / 1000} s to end, a second signal ends them at once` });
      served.close(graceMs).then(() => resolve(0), reject);
    });
  });
}
