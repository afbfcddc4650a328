// Bundles the command line: dist/belay.mjs and the parts of it that are loaded only when they are needed.
import { mkdirSync, renameSync, rmSync, utimesSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { parsedRules } from './bundle/parsed-rules.ts';
import { precompiledSchemas } from './bundle/precompiled-schemas.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const target = join(root, 'dist');
const work = `${target}.part-${process.pid}`;

const started = new Date();

mkdirSync(work, { recursive: true });
try {
  const { metafile } = await build({
    entryPoints: { belay: join(root, 'cli', 'main.ts'), 'belay-load': join(root, 'cli', 'run', 'load-child.ts') },
    outdir: work,
    outExtension: { '.js': '.mjs' },
    chunkNames: 'belay-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    minify: true,
    keepNames: false,
    sourcemap: 'external',
    metafile: true,
    plugins: [precompiledSchemas(root), parsedRules()],
    legalComments: 'none',
    logLevel: 'warning',
    // CommonJS packages inside an ES module call require for Node's own modules.
    banner: { js: "import { createRequire as belayRequire } from 'node:module'; const require = belayRequire(import.meta.url);" },
  });
  // bin/belay.mjs compares this time with that of the sources: what was written during the build is newer.
  utimesSync(join(work, 'belay.mjs'), started, started);
  rmSync(target, { recursive: true, force: true });
  renameSync(work, target);
  for (const [file, { bytes }] of Object.entries(metafile.outputs)) if (file.endsWith('.mjs')) console.log(`${(bytes / 1024).toFixed(0).padStart(6)} KiB  ${file.replace(/^.*\//, 'dist/')}`);
} finally {
  rmSync(work, { recursive: true, force: true });
}
