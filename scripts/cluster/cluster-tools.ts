import { existsSync } from 'node:fs';
import { ensureDebianPackages } from '../debian-packages.ts';
import { ensureCoreDNS } from '../kubernetes/build-coredns.ts';
import { ensureKubernetes } from '../kubernetes/build-servers.ts';
import { ensureHelm, ensureKubectl } from '../kubernetes/ensure-kubectl.ts';
import { MissingPart } from '../missing-part.ts';

/** Programs of a node, and the Debian package that brings each where it is missing. */
const debianPrograms: Readonly<Record<string, string>> = {
  containerd: 'containerd', runc: 'runc', nft: 'nftables', iptables: 'iptables', ip: 'iproute2', openssl: 'openssl',
  unshare: 'util-linux', mount: 'mount',
};
const programFolders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

export interface ClusterTools {
  /** Folder with a command a server of Kubernetes. */
  readonly kubernetes: string;
  readonly coredns: string;
  readonly kubectl: string;
  readonly helm: string;
}

/** Everything that a node cluster is made of. Throws a `MissingPart` where this machine cannot run one. */
export async function ensureClusterTools(log: (line: string) => void): Promise<ClusterTools> {
  if (process.platform !== 'linux') throw new MissingPart('A node of Kubernetes needs Linux: give a cluster by BELAY_TEST_KUBECONFIG.');
  if (process.getuid?.() !== 0) throw new MissingPart('A node of Kubernetes needs root, for its namespaces and containers: run this as root, or give a cluster by BELAY_TEST_KUBECONFIG.');
  const packages = Object.entries(debianPrograms).flatMap(([program, name]) => (programFolders.some((folder) => existsSync(`${folder}/${program}`)) ? [] : [name]));
  if (!existsSync('/usr/lib/cni/bridge')) packages.push('containernetworking-plugins');
  if (packages.length > 0) ensureDebianPackages(packages, 'a node of Kubernetes', log);
  const [kubectl, helm] = [ensureKubectl(log), ensureHelm(log)];
  // One after the other: each of these builds takes all processors.
  const kubernetes = await ensureKubernetes(log);
  const coredns = await ensureCoreDNS(log);
  return { kubernetes, coredns, kubectl, helm };
}
