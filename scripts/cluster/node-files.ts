import { join } from 'node:path';
import { clusterDomain, nodeAddresses, nodeName, pauseImage } from './node-addresses.ts';

/** Text of containerd's configuration (version 2, for containerd 1.6 and newer). */
export function describeContainerd(folder: string): string {
  return `version = 2
root = "${folder}/containerd/root"
state = "${folder}/containerd/state"
disabled_plugins = [${['snapshotter.v1.btrfs', 'snapshotter.v1.zfs', 'snapshotter.v1.devmapper', 'snapshotter.v1.aufs', 'internal.v1.tracing'].map((name) => `"io.containerd.${name}"`).join(', ')}, "io.containerd.tracing.processor.v1.otlp"]
[grpc]
  address = "${containerdSocket(folder)}"
[plugins."io.containerd.internal.v1.opt"]
  path = "${folder}/containerd/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  # A machine without CAP_SYS_RESOURCE refuses negative scores.
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      BinaryName = "runc"
      SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${folder}/cni"
`;
}

export function containerdSocket(folder: string): string {
  return join(folder, 'containerd.sock');
}

/** One bridge for all pods of the node; addresses come from a file. */
export function describePodNetwork(folder: string): string {
  const ranges = [[{ subnet: nodeAddresses.pods, gateway: nodeAddresses.podGateway }]];
  return JSON.stringify({
    cniVersion: '0.4.0', name: 'belay', plugins: [
      {
        type: 'bridge', bridge: 'pods0', isGateway: true, hairpinMode: true, ipMasq: false,
        ipam: { type: 'host-local', dataDir: join(folder, 'pod-addresses'), ranges, routes: [{ dst: '0.0.0.0/0' }] },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  });
}

/** JSON of a KubeletConfiguration. `cgroup` is the name of a directory in each cgroup hierarchy. */
export function describeKubelet(folder: string, cgroup: string): string {
  return JSON.stringify({
    apiVersion: 'kubelet.config.k8s.io/v1beta1', kind: 'KubeletConfiguration',
    // Kubernetes 1.35 refuses machines with version 1 by default; it works.
    failCgroupV1: false, cgroupDriver: 'cgroupfs', cgroupRoot: `/${cgroup}`, enforceNodeAllocatable: [],
    containerRuntimeEndpoint: `unix://${containerdSocket(folder)}`,
    podLogsDir: join(folder, 'pod-logs'), volumePluginDir: join(folder, 'kubelet', 'volume-plugins'),
    authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: { clientCAFile: join(folder, 'pki', 'ca.crt') } },
    authorization: { mode: 'Webhook' },
    clusterDomain, clusterDNS: [nodeAddresses.dnsService], resolvConf: join(folder, 'resolv.conf'),
    failSwapOn: false, makeIPTablesUtilChains: false, oomScoreAdj: 0,
    imageGCHighThresholdPercent: 100, imageGCLowThresholdPercent: 99,
    evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '500Mi', 'imagefs.available': '500Mi' },
    nodeStatusUpdateFrequency: '3s', shutdownGracePeriod: '0s',
    // Tests that break containers do not wait 10, 20, 40 s for the next start.
    crashLoopBackOff: { maxContainerRestartPeriod: '2s' }, featureGates: { KubeletCrashLoopBackOffMax: true },
  });
}

/** JSON of a KubeProxyConfiguration. Zeroes: limits that a network namespace may not set. */
export function describeKubeProxy(folder: string): string {
  return JSON.stringify({
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1', kind: 'KubeProxyConfiguration', mode: 'nftables', hostnameOverride: nodeName,
    clientConnection: { kubeconfig: join(folder, 'kube-proxy.kubeconfig') }, clusterCIDR: nodeAddresses.pods, oomScoreAdj: 0,
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
    nftables: { minSyncPeriod: '0.2s', syncPeriod: '30s' },
  });
}

/** Service names and nothing else: any other name is refused at once, for no packet leaves the cluster. */
export function describeCorefile(folder: string): string {
  return `.:53 {
  bind ${nodeAddresses.node}
  errors
  ready ${nodeAddresses.node}:8181
  kubernetes ${clusterDomain} in-addr.arpa {
    kubeconfig ${join(folder, 'coredns.kubeconfig')} belay
    pods insecure
    ttl 5
  }
}
`;
}

/** JSON of a kubeconfig for one bearer token. */
export function describeKubeconfig(folder: string, token: string): string {
  return JSON.stringify({
    apiVersion: 'v1', kind: 'Config', 'current-context': 'belay',
    clusters: [{ name: 'belay', cluster: { server: nodeAddresses.apiServer, 'certificate-authority': join(folder, 'pki', 'ca.crt') } }],
    users: [{ name: 'belay', user: { token } }],
    contexts: [{ name: 'belay', context: { cluster: 'belay', user: 'belay' } }],
  }, null, 2);
}
