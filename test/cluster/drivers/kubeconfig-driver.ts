import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { ensureHelm, ensureKubectl } from '../../../scripts/kubernetes/ensure-kubectl.ts';
import { MissingPart } from '../../../scripts/missing-part.ts';
import type { RunOptions, RunResult } from '../../../scripts/machine/start-machine.ts';
import { clusterVariables, succeed, type Cluster, type OpenOptions } from './cluster.ts';

/** The cluster of a kubeconfig that is given; it is left as it is. `env` holds `clusterVariables`. */
export async function openKubeconfigCluster({ images, log = () => {} }: OpenOptions, env: NodeJS.ProcessEnv = process.env): Promise<Cluster> {
  const kubeconfig = resolve(env[clusterVariables.kubeconfig] ?? '');
  if (!existsSync(kubeconfig)) throw new MissingPart(`${clusterVariables.kubeconfig} must name a kubeconfig file, and ${kubeconfig} is not there.`);
  const [kubectl, helm] = [ensureKubectl(log), ensureHelm(log)];
  const run: Cluster['run'] = (command, args, options) => runHere(command, args, kubeconfig, options);
  const cluster: Cluster = {
    driver: 'kubeconfig', kubeconfig, inside: null, reachesPods: env[clusterVariables.reachesPods] === 'true', run,
    kubectl: (args, options) => succeed(`kubectl ${args.join(' ')}`, run(kubectl, args, options)),
    helm: (args, options) => succeed(`helm ${args.join(' ')}`, run(helm, args, options)),
    async loadImages(archive) {
      const command = env[clusterVariables.loadImages];
      if (command === undefined) throw new MissingPart(`Set ${clusterVariables.loadImages} to a command that loads an image archive into the cluster, such as "kind load image-archive" or "minikube image load".`);
      await succeed(command, run('sh', ['-c', `${command} "$1"`, 'sh', resolve(archive)]));
    },
    close: async () => {},
  };
  for (const archive of images) await cluster.loadImages(archive);
  return cluster;
}

function runHere(command: string, args: readonly string[], kubeconfig: string, { input = '', cwd, env = {} }: RunOptions = {}): Promise<RunResult> {
  return new Promise((done, fail) => {
    const child = spawn(command, args, { cwd, stdio: 'pipe', env: { ...process.env, KUBECONFIG: kubeconfig, ...env } });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => { stdout += text; });
    child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text; });
    // A command that ends without reading all of it is not an error of ours.
    child.stdin.on('error', () => {}).end(input);
    child.once('error', fail).once('close', (code) => done({ code, stdout, stderr }));
  });
}
