import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { answers } from '../../../scripts/docker/ensure-docker.ts';
import { clusterVariables, type Cluster, type OpenOptions } from './cluster.ts';
import { openKubeconfigCluster } from './kubeconfig-driver.ts';

/** Why there can be no cluster of kind here; null: there can. */
export function whyNoKind(): string | null {
  if (spawnSync('kind', ['version']).status !== 0) return 'no kind';
  return answers(process.env) ? null : 'no container engine answers';
}

/** A cluster of kind, made for the caller. Its node image is kind's own default. */
export async function openKindCluster({ images, log = () => {} }: OpenOptions): Promise<Cluster> {
  const name = `belay-${randomBytes(4).toString('hex')}`;
  const folder = mkdtempSync(join(tmpdir(), 'belay-kind-'));
  const kubeconfig = join(folder, 'kubeconfig');
  const close = async (): Promise<void> => {
    kind(['delete', 'cluster', '--name', name, '--kubeconfig', kubeconfig]);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    log(`Making the kind cluster ${name} …`);
    kind(['create', 'cluster', '--name', name, '--kubeconfig', kubeconfig, '--wait', '120s']);
    const env = { [clusterVariables.kubeconfig]: kubeconfig, [clusterVariables.loadImages]: `kind load image-archive --name ${name}` };
    return { ...(await openKubeconfigCluster({ images, log }, env)), driver: 'kind', close };
  } catch (error) {
    await close();
    throw error;
  }
}

function kind(args: readonly string[]): void {
  const { status, stderr, error } = spawnSync('kind', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`kind ${args.slice(0, 2).join(' ')} failed: ${(error?.message ?? stderr).trim().split('\n').slice(-8).join('\n')}`);
}
