// `node scripts/cluster/in-cluster.ts FOLDER COMMAND [ARGUMENT…]`: runs a command inside a node cluster's namespaces,
// where its pods and Services are reached, with KUBECONFIG set and kubectl and helm on the PATH.
import { spawn, type SpawnOptions, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { ensureHelm, ensureKubectl } from '../kubernetes/ensure-kubectl.ts';
import { namespacesFile } from './node-settings.ts';

export interface InsideOptions extends Pick<SpawnOptions, 'cwd' | 'stdio'> {
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Starts a command inside the namespaces of the cluster in `folder`; throws where none runs there. */
export function spawnInCluster(folder: string, command: string, args: readonly string[], { env = {}, cwd = process.cwd(), stdio = 'pipe' }: InsideOptions = {}): ChildProcess {
  const file = namespacesFile(folder);
  if (!existsSync(file)) throw new Error(`no cluster runs in ${folder}: its folder has no ${file}`);
  const target = readFileSync(file, 'utf8').trim();
  return spawn('nsenter', ['--target', target, '--mount', '--net', '--pid', `--wd=${String(cwd)}`, '--', command, ...args], { env: { ...insideEnvironment(folder), ...env }, stdio });
}

function insideEnvironment(folder: string): NodeJS.ProcessEnv {
  const quiet = (): void => {};
  const tools = [ensureKubectl(quiet), ensureHelm(quiet)].map((path) => dirname(path));
  return {
    ...process.env, PATH: [...tools, '/usr/sbin', '/sbin', process.env['PATH'] ?? ''].join(':'),
    KUBECONFIG: join(folder, 'admin.kubeconfig'), BELAY_CLUSTER_FOLDER: folder,
  };
}

if (process.argv[1] === import.meta.filename) {
  const [folder, command, ...args] = process.argv.slice(2);
  if (folder === undefined || command === undefined) {
    console.error('Give the folder of a cluster and the command to run in it.');
    process.exit(2);
  }
  const child = spawnInCluster(resolve(folder), command, args, { stdio: 'inherit' });
  child.once('error', (error) => {
    console.error(error.message);
    process.exit(127);
  });
  child.once('exit', (code) => process.exit(code ?? 1));
}
