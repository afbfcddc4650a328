// Bundles the command line, dist/belay.mjs and the parts of it that are loaded only when they are needed; and the programs of the image, dist/image/*.mjs,
// one file each, which read no other file of Belay's.
import { mkdirSync, renameSync, rmSync, utimesSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type BuildOptions } from 'esbuild';
import { neededMetrics } from './bundle/needed-metrics.ts';
import { parsedRules } from './bundle/parsed-rules.ts';
import { precompiledSchemas } from './bundle/precompiled-schemas.ts';
import { requiredBuiltins } from './bundle/required-builtins.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const target = join(root, 'dist');
const work = `${target}.part-${process.pid}`;

const started = new Date();

const smaller = [requiredBuiltins(), neededMetrics(join(root, 'sidecar'))];
const settings = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  minify: true,
  keepNames: false,
  sourcemap: 'external',
  metafile: true,
  outExtension: { '.js': '.mjs' },
  legalComments: 'none',
  logLevel: 'warning',
  // CommonJS packages inside an ES module call require for Node's own modules.
  banner: { js: "import { createRequire as belayRequire } from 'node:module'; const require = belayRequire(import.meta.url);" },
} satisfies BuildOptions;

mkdirSync(work, { recursive: true });
try {
  const commandLine = await build({
    ...settings,
    entryPoints: { belay: join(root, 'cli', 'main.ts'), 'belay-load': join(root, 'cli', 'run', 'load-child.ts') },
    outdir: work,
    chunkNames: 'belay-[hash]',
    splitting: true,
    plugins: [...smaller, precompiledSchemas(root), parsedRules()],
  });
  const image = await build({
    ...settings,
    entryPoints: { sidecar: join(root, 'sidecar', 'main.ts') },
    outdir: join(work, 'image'),
    plugins: smaller,
  });
  // bin/belay.mjs, and tests, compare this time with that of the sources: what was written during the build is newer.
  for (const file of ['belay.mjs', 'image/sidecar.mjs']) utimesSync(join(work, file), started, started);
  rmSync(target, { recursive: true, force: true });
  renameSync(work, target);
  for (const [file, { bytes }] of Object.entries({ ...commandLine.metafile.outputs, ...image.metafile.outputs })) {
    if (file.endsWith('.mjs')) console.log(`${(bytes / 1024).toFixed(0).padStart(6)} KiB  dist/${relative(work, join(process.cwd(), file))}`);
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
