import { dirname, join, resolve } from 'node:path';
import { startMachine, type Machine } from '../machine/start-machine.ts';
import { ensureClusterTools } from './cluster-tools.ts';
import { nodeAddresses } from './node-addresses.ts';
import { containerdSocket } from './node-files.ts';

/** Commands that run in there have KUBECONFIG set and kubectl and helm on their PATH. */
export interface NodeCluster extends Machine {
  /** Path of a kubeconfig with every right. Its address answers inside the cluster's namespaces alone. */
  readonly kubeconfig: string;
  readonly addresses: typeof nodeAddresses;
  /** Imports an image archive into the node's containerd. */
  loadImage(archive: string): Promise<void>;
}

export interface NodeClusterOptions {
  /** An empty or absent folder; a fresh one by default. Removed by `close`. */
  readonly dir?: string;
  /** Image archives that the node has from the start; one must hold the pause image. */
  readonly images: readonly string[];
  readonly log?: (line: string) => void;
}

/**
 * Starts a Kubernetes cluster of one node with real containers, on a private machine: about 9 s, or minutes where its
 * parts must be built first. It ends with this process, however that ends, and leaves nothing. Needs root; rejects with
 * a `MissingPart` where this machine cannot have one.
 */
export async function startNodeCluster({ dir, images, log = () => {} }: NodeClusterOptions): Promise<NodeCluster> {
  const { kubernetes, coredns, kubectl, helm } = await ensureClusterTools(log);
  const machine = await startMachine({
    kind: 'node', dir, program: join(import.meta.dirname, 'run-node.ts'), log,
    settings: (folder) => ({
      kubernetes, coredns, images: images.map((image) => resolve(image)), path: [kubectl, helm].map((tool) => dirname(tool)),
      environment: { KUBECONFIG: kubeconfigOf(folder), BELAY_CLUSTER_FOLDER: folder },
    }),
  });
  return {
    ...machine, kubeconfig: kubeconfigOf(machine.dir), addresses: nodeAddresses,
    async loadImage(archive) {
      const { code, stderr } = await machine.run('ctr', ['--address', containerdSocket(machine.dir), '--namespace', 'k8s.io', 'images', 'import', resolve(archive)]);
      if (code !== 0) throw new Error(`${archive} could not be imported: ${stderr.trim()}`);
    },
  };
}

function kubeconfigOf(folder: string): string {
  return join(folder, 'admin.kubeconfig');
}
