import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ensureDebianPackages } from '../debian-packages.ts';
import { startMachine, type Machine } from '../machine/start-machine.ts';
import { MissingPart } from '../missing-part.ts';
import { engineSocket } from './engine-socket.ts';

/** A container engine that answers. */
export interface Docker {
  /** As DOCKER_HOST takes it; null: the docker command finds it by itself. */
  readonly host: string | null;
  /** Published ports are reached in there alone; null: on this machine's loopback. */
  readonly machine: Machine | null;
  /** Ends an engine that was started for the caller; leaves any other as it is. */
  close(): Promise<void>;
}

export interface EnsureDockerOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly log?: (line: string) => void;
}

/** Variables for programs that use the engine: Ryuk, which testcontainers would pull, is not needed where the engine ends itself. */
export const dockerEnvironment: Readonly<Record<string, string>> = { DOCKER_BUILDKIT: '0', TESTCONTAINERS_RYUK_DISABLED: 'true' };

/**
 * The engine that DOCKER_HOST names, else the one that the docker command finds, else one of Debian's packages on a
 * private machine (about 1 s; as root). Throws a `MissingPart` where none can be had.
 */
export async function ensureDocker({ env = process.env, log = () => {} }: EnsureDockerOptions = {}): Promise<Docker> {
  const close = async (): Promise<void> => {};
  const given = env['DOCKER_HOST'];
  if (given !== undefined && given !== '') return { host: given, machine: null, close };
  if (answers(env)) return { host: null, machine: null, close };
  ensureDockerPackages(log);
  const machine = await startMachine({
    kind: 'docker', dir: undefined, program: join(import.meta.dirname, 'run-docker.ts'), log,
    settings: (folder) => ({ path: [], environment: { ...dockerEnvironment, DOCKER_HOST: `unix://${engineSocket(folder)}` } }),
  });
  return { host: `unix://${engineSocket(machine.dir)}`, machine, close: machine.close };
}

/** What `ensureDocker` would install before it can start an engine. Throws a `MissingPart` where it cannot. */
export function ensureDockerPackages(log: (line: string) => void): void {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    throw new MissingPart('No container engine answers: start Docker, or set DOCKER_HOST (as root on Debian, one is installed and started for the tests).');
  }
  ensureDebianPackages(['docker.io', 'iptables', 'iproute2'], 'a container engine', log);
}

/** Whether any engine is to be had without starting one. */
export function answers(env: NodeJS.ProcessEnv): boolean {
  return spawnSync('docker', ['version', '--format', '{{.Server.Version}}'], { env, timeout: 10_000 }).status === 0;
}
