import { ensureKubernetes } from './kubernetes/build-servers.ts';
import { ensureLlama } from './llama/ensure-llama.ts';
import { MissingPart } from './missing-part.ts';
import { runNode } from './run-command.ts';

export const setupParts = ['build', 'llama', 'kubernetes'] as const;
export type SetupPart = (typeof setupParts)[number];

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
  }
}
