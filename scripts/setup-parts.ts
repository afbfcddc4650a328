import { ensureClusterTools } from './cluster/cluster-tools.ts';
import { answers, ensureDockerPackages } from './docker/ensure-docker.ts';
import { ensureImages } from './images/ensure-images.ts';
import { ensureKubernetes } from './kubernetes/build-servers.ts';
import { ensureLlama } from './llama/ensure-llama.ts';
import { MissingPart } from './missing-part.ts';
import { runNode } from './run-command.ts';

export const setupParts = ['build', 'llama', 'kubernetes', 'cluster-tools', 'docker', 'images'] as const;
export type SetupPart = (typeof setupParts)[number];

/** What must be ready before a part is begun. */
export const prerequisites: Partial<Readonly<Record<SetupPart, readonly SetupPart[]>>> = { images: ['build', 'llama'] };

export function isSetupPart(name: string): name is SetupPart {
  return (setupParts as readonly string[]).includes(name);
}

/** Makes one part ready, or finds that it is. Rejects with a `MissingPart` where this machine cannot have it. */
export async function setUp(part: SetupPart, log: (line: string) => void): Promise<void> {
  switch (part) {
    case 'build': {
      const { code, output } = await runNode(['scripts/build.ts']);
      if (code !== 0) throw new Error(`the build failed:\n${output.trim()}`);
      return;
    }
    case 'llama': {
      const llama = await ensureLlama({ log });
      if ('missing' in llama) throw new MissingPart(llama.missing);
      return;
    }
    case 'kubernetes':
      await ensureKubernetes(log);
      return;
    case 'cluster-tools':
      await ensureClusterTools(log);
      return;
    case 'docker':
      if (!answers(process.env)) ensureDockerPackages(log);
      return;
    case 'images':
      await ensureImages({ together: true, log });
  }
}
