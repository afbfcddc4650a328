import { containerdSocket } from '../../../scripts/cluster/node-files.ts';
import { startNodeCluster } from '../../../scripts/cluster/start-node-cluster.ts';
import { succeed, type Cluster, type OpenOptions } from './cluster.ts';

/** The node that the project's own scripts build and start; as root on Linux. */
export async function openNodeCluster(options: OpenOptions): Promise<Cluster> {
  const node = await startNodeCluster(options);
  return {
    driver: 'node', kubeconfig: node.kubeconfig, inside: node.dir, reachesPods: true, run: node.run, loadImages: node.loadImage, close: node.close,
    kubectl: (args, more) => succeed(`kubectl ${args.join(' ')}`, node.run('kubectl', args, more)),
    helm: (args, more) => succeed(`helm ${args.join(' ')}`, node.run('helm', args, more)),
  };
}

/** A command line that loads an archive, for commands inside that machine. */
export function loadCommand(folder: string): string {
  return `ctr --address '${containerdSocket(folder)}' --namespace k8s.io images import`;
}
