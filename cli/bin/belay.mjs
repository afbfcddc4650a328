#!/usr/bin/env -S node --max-semi-space-size=4
// The command. V8 may collect short-lived garbage in 4 MiB, not 16: under load half the memory, for the same CPU. Runs the bundle where it is there and no older than the sources it was made from, else the sources.
import { readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const needed = 24;
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

if (Number(process.versions.node.split('.')[0]) < needed) {
  console.error(`belay needs Node ${needed} or newer, and this is ${process.versions.node}: install a newer one, or run npm ci in ${root}, which brings one that npx belay takes.`);
  process.exitCode = 1;
} else {
  const loaded = await import(pathToFileURL(program()).href).catch(describeMissing);
  process.exit(typeof loaded === 'number' ? loaded : await loaded.main(process.argv.slice(2)).catch(describeCrash));
}

/** A fresh clone has no packages. */
function describeMissing(error) {
  const missing = error?.code === 'ERR_MODULE_NOT_FOUND' ? /^Cannot find package '([^']+)'/.exec(error.message) : null;
  if (missing === null) return describeCrash(error);
  console.error(`belay needs its packages, and ${missing[1]} is not there: run npm ci in ${root}.`);
  return 1;
}

/** Not the user's fault; the stack alone, without the line of the bundle that Node would print. */
function describeCrash(error) {
  console.error(`belay itself failed; please report this: ${error?.stack ?? error}`);
  return 1;
}

function program() {
  const bundle = join(root, 'dist', 'belay.mjs');
  const sources = join(root, 'cli', 'main.ts');
  const built = statSync(bundle, { throwIfNoEntry: false });
  if (built === undefined) return sources;
  if (statSync(sources, { throwIfNoEntry: false }) === undefined) return bundle;
  return newest(root, 1) <= built.mtimeMs ? bundle : sources;
}

/** When the last source of the product was written, in milliseconds since the epoch. */
function newest(folder, depth) {
  let latest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) {
      const product = depth > 1 ? entry.name !== 'node_modules' && !entry.name.startsWith('.') : ['contract', 'operator', 'sidecar', 'cli'].includes(entry.name);
      if (product) latest = Math.max(latest, newest(join(folder, entry.name), depth + 1));
    } else if (depth > 1 ? /(?<!\.test)\.ts$|package\.json$/.test(entry.name) : entry.name === 'package-lock.json') {
      latest = Math.max(latest, statSync(join(folder, entry.name)).mtimeMs);
    }
  }
  return latest;
}
