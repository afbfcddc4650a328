import { join } from 'node:path';
import type { Server } from '../machine/run-servers.ts';
import { clusterDomain, nodeAddresses, nodeName } from './node-addresses.ts';

/** Folders of the programs and of one cluster's files. */
export interface Places {
  /** With etcd, kube-apiserver, … of one release. */
  readonly kubernetes: string;
  readonly coredns: string;
  readonly folder: string;
}

/** Sockets in the cluster's folder; nothing in it is worth waiting for a disk. */
export function etcdServer({ kubernetes, folder }: Places): Server {
  const at = (name: string): string => `unix://${name}:0`;
  return { name: 'etcd', command: join(kubernetes, 'etcd'), args: [
    `--data-dir=${join(folder, 'etcd')}`, '--unsafe-no-fsync', '--log-level=warn',
    `--listen-client-urls=${at('etcd-client')}`, `--advertise-client-urls=${at('etcd-client')}`,
    `--listen-peer-urls=${at('etcd-peer')}`, `--initial-advertise-peer-urls=${at('etcd-peer')}`, `--initial-cluster=default=${at('etcd-peer')}`,
  ] };
}

export function apiServer({ kubernetes, folder }: Places): Server {
  const pki = (name: string): string => join(folder, 'pki', name);
  return { name: 'kube-apiserver', command: join(kubernetes, 'kube-apiserver'), args: [
    '--etcd-servers=unix://etcd-client:0', '--bind-address=0.0.0.0', '--secure-port=6443', `--advertise-address=${nodeAddresses.node}`,
    `--service-cluster-ip-range=${nodeAddresses.services}`, `--cert-dir=${pki('')}`,
    `--tls-cert-file=${pki('kube-apiserver.crt')}`, `--tls-private-key-file=${pki('kube-apiserver.key')}`, `--client-ca-file=${pki('ca.crt')}`,
    `--token-auth-file=${pki('tokens.csv')}`, '--authorization-mode=Node,RBAC', '--enable-admission-plugins=NodeRestriction', '--allow-privileged=true',
    `--service-account-issuer=https://kubernetes.default.svc.${clusterDomain}`, `--service-account-key-file=${pki('service-account.pub')}`,
    `--service-account-signing-key-file=${pki('service-account.key')}`,
    `--kubelet-client-certificate=${pki('kubelet-client.crt')}`, `--kubelet-client-key=${pki('kubelet-client.key')}`, '--kubelet-preferred-address-types=InternalIP',
    '--shutdown-delay-duration=0s', '--profiling=false', '--v=1',
  ] };
}

/** What needs an API server that answers, in the order of their start. */
export function controlServers(places: Places): readonly Server[] {
  const pki = (name: string): string => join(places.folder, 'pki', name);
  return [
    withKubeconfig(places, 'kube-controller-manager', [
      `--service-account-private-key-file=${pki('service-account.key')}`, `--root-ca-file=${pki('ca.crt')}`, '--use-service-account-credentials',
      `--cluster-signing-cert-file=${pki('ca.crt')}`, `--cluster-signing-key-file=${pki('ca.key')}`, `--flex-volume-plugin-dir=${join(places.folder, 'flex-volumes')}`,
      '--controllers=*,-nodeipam', '--node-monitor-period=2s', '--node-monitor-grace-period=20s',
    ]),
    withKubeconfig(places, 'kube-scheduler', []),
  ];
}

function withKubeconfig({ kubernetes, folder }: Places, name: string, more: readonly string[]): Server {
  const kubeconfig = join(folder, `${name}.kubeconfig`);
  return { name, command: join(kubernetes, name), args: [
    `--kubeconfig=${kubeconfig}`, `--authentication-kubeconfig=${kubeconfig}`, `--authorization-kubeconfig=${kubeconfig}`,
    '--leader-elect=false', '--bind-address=127.0.0.1', ...more,
  ] };
}

export function containerdServer({ folder }: Places): Server {
  return { name: 'containerd', command: 'containerd', args: ['--config', join(folder, 'containerd.toml')] };
}

/** What makes the machine a node: they need containerd with its images, and the API server. */
export function nodeServers({ kubernetes, coredns, folder }: Places): readonly Server[] {
  return [
    { name: 'kubelet', command: join(kubernetes, 'kubelet'), args: [
      `--config=${join(folder, 'kubelet.json')}`, `--kubeconfig=${join(folder, 'kubelet.kubeconfig')}`, `--root-dir=${join(folder, 'kubelet')}`,
      `--cert-dir=${join(folder, 'kubelet', 'pki')}`, `--hostname-override=${nodeName}`, `--node-ip=${nodeAddresses.node}`, '--v=2',
    ] },
    { name: 'kube-proxy', command: join(kubernetes, 'kube-proxy'), args: [`--config=${join(folder, 'kube-proxy.json')}`] },
    { name: 'coredns', command: coredns, args: ['-conf', join(folder, 'Corefile')] },
  ];
}
