import { adminPort, applicationPort, createJsonLog, sidecarFiles, type Clock, type Random, type WallClock } from '@belay/contract';
import { createControl } from './control/create-control.ts';
import type { StreamFilePaths } from './control/stream-files.ts';
import { createSidecar } from './create-sidecar.ts';
import { describeEnvironment, parseProcessEnvironment } from './process-environment.ts';
import type { Sidecar } from './sidecar-options.ts';
import { warmUp } from './warm-up.ts';

/**
 * How long running requests may take to end after SIGTERM: a pod has 30 s by default, from which the kubelet takes what its applications used before
 * a native sidecar hears of it.
 */
const graceMs = 25_000;
const loopback = '127.0.0.1';

/** The process around a sidecar. */
export interface SidecarWorld {
  readonly environment: { readonly [name: string]: string | undefined };
  readonly clock: Clock;
  readonly wallClock: WallClock;
  readonly random: Random;
  /** Log lines. */
  readonly write: (text: string) => void;
  /** The sentence that it ends with. */
  readonly complain: (text: string) => void;
  /** Calls back at each SIGTERM and SIGINT. */
  readonly onSignal: (callback: (signal: string) => void) => void;
}

/** Other places than those of a pod: for development. */
export interface SidecarPlaces {
  readonly port: number;
  readonly adminPort: number;
  readonly files: StreamFilePaths;
}

const placesOfPod: SidecarPlaces = { port: applicationPort, adminPort, files: sidecarFiles };

/** A sidecar in a pod, until a signal. Resolves to the exit code: 0 after a signal, 1 where it can never serve (architecture: What a sidecar exits with). */
export async function runSidecar(world: SidecarWorld, places: SidecarPlaces = placesOfPod): Promise<number> {
  const { clock, wallClock, random } = world;
  const read = parseProcessEnvironment(world.environment);
  if (!read.ok) {
    world.complain(describeEnvironment(read.problems));
    return 1;
  }
  const { control: environment, podIp, logLevel } = read.value;
  const log = createJsonLog(logLevel, wallClock, world.write);
  const sidecar = createSidecar({
    address: loopback, port: places.port, adminAddress: podIp, adminPort: places.adminPort, podName: environment.podName, standalone: false,
    allowOrigins: [], clientKey: null, faults: [], chains: environment.chains, whyNoTable: () => control.whyNoTable(), clock, wallClock, random, log,
  });
  const warmed = onFirstTable(sidecar, () => clock.after(0, () => {
    warmUp({ clock, wallClock, random }).catch((error: unknown) => log({ level: 'warn', event: 'warm-up-failed', message: `The first requests will be slower than later ones: ${String(error)}` }));
  }));
  const control = createControl({ environment, files: places.files, sidecar: warmed, clock, random, log });
  const signals = listenForSignals(world);
  let ports;
  try {
    ports = await sidecar.listen();
  } catch (error) {
    world.complain(`This sidecar cannot listen: ${error instanceof Error ? error.message : String(error)}.`);
    return 1;
  }
  log({ level: 'info', event: 'serving-started', message: `Applications are served at http://${loopback}:${ports.port}/v1, probes and metrics on port ${ports.adminPort} of ${podIp}.`, ...ports });
  control.start();
  const signal = await signals.first;
  log({ level: 'info', event: 'stopping-started', message: `${signal}: no new requests; running ones have up to ${graceMs / 1_000} s to end, a second signal ends them at once.` });
  control.close();
  await Promise.race([sidecar.close(graceMs), signals.second]);
  return 0;
}

/** By then startup passes: what is done now delays no pod, and is over before its applications run. */
function onFirstTable(sidecar: Sidecar, act: () => void): Sidecar {
  let first = true;
  return {
    ...sidecar,
    applyTable(table) {
      const applied = sidecar.applyTable(table);
      if (applied.ok && first) act();
      first &&= !applied.ok;
      return applied;
    },
  };
}

function listenForSignals({ onSignal }: SidecarWorld): { readonly first: Promise<string>; readonly second: Promise<string> } {
  const [first, second] = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
  let heard = 0;
  onSignal((signal) => {
    heard += 1;
    (heard === 1 ? first : second).resolve(signal);
  });
  return { first: first.promise, second: second.promise };
}
