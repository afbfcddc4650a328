import { dockerEnvironment, ensureDocker } from './docker/ensure-docker.ts';
import { runJest, type NamedResult } from './run-jest.ts';

/** Runs the container tests on the engine that there is, or on one that is started for them, in there. */
export async function runContainerSuite(obstacle: string | null, log: (line: string) => void): Promise<readonly NamedResult[]> {
  if (obstacle !== null) return [{ name: 'containers', outcome: obstacle }];
  const docker = await ensureDocker({ log });
  const where = docker.machine === null ? {} : { inside: docker.machine.dir, env: dockerEnvironment };
  try {
    return [{ name: 'containers', outcome: await runJest('containers', ['--runInBand'], where) }];
  } finally {
    await docker.close();
  }
}
