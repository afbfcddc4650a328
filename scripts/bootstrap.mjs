// The one entry point of package.json's scripts. Runs on whatever Node the machine has (16 or newer, no packages),
// installs the project's dependencies when the lock file changed, and goes on under the project's own Node.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [script, ...rest] = process.argv.slice(2);
const lock = createHash('sha256').update(readFileSync(join(root, 'package-lock.json'))).digest('hex');
const stamp = join(root, 'node_modules', '.belay-lock');
const installed = existsSync(stamp) ? readFileSync(stamp, 'utf8') : '';

// The demo is waited for: it does without the developers' tools, which take twice as long as all the rest.
const wanted = script === 'demo' ? [`${lock} runtime`, `${lock} all`] : [`${lock} all`];
if (!wanted.includes(installed)) install(script === 'demo' ? 'runtime' : 'all');

const run = spawnSync(node(), ['--disable-warning=ExperimentalWarning', join(root, 'scripts', `${script}.ts`), ...rest], { cwd: root, stdio: 'inherit' });
process.exit(run.status ?? 1);

/** Node 24 or newer: the machine's, else the one that came with the dependencies. */
function node() {
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath;
  const own = join(root, 'node_modules', '.bin', 'node');
  if (existsSync(own)) return own;
  return fail(`This is Node ${process.versions.node}; Belay needs Node 24 or newer, and no package brings it for ${process.platform}-${process.arch}. Install it and run this again.`);
}

function install(part) {
  console.error('Installing the dependencies of package-lock.json into node_modules …');
  const started = Date.now();
  const args = ['ci', ...(part === 'runtime' ? ['--omit=dev'] : []), '--no-audit', '--no-fund', '--loglevel=error'];
  const npm = spawnSync('npm', args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'], shell: process.platform === 'win32' });
  if (npm.status !== 0) fail(`npm ci failed${npm.error ? `: ${npm.error.message}` : ''}; the lines above say why.`);
  writeFileSync(stamp, `${lock} ${part}`);
  console.error(`Installed in ${((Date.now() - started) / 1000).toFixed(0)} s.`);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
