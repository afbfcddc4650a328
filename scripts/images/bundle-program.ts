import { join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..', '..');

/** One program of the tests as one file, with the packages it imports. `entry` is a path from the repository's root. */
export async function bundleProgram(entry: string): Promise<Buffer> {
  const { outputFiles } = await build({
    entryPoints: [join(root, entry)], absWorkingDir: root, write: false, bundle: true, format: 'esm', platform: 'node', target: 'node24', legalComments: 'none', logLevel: 'warning',
    // CommonJS packages inside an ES module call require for Node's own modules.
    banner: { js: "import { createRequire as belayRequire } from 'node:module'; const require = belayRequire(import.meta.url);" },
  });
  const [output] = outputFiles;
  if (output === undefined) throw new Error(`esbuild made nothing of ${entry}`);
  return Buffer.from(output.contents);
}
