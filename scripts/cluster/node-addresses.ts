/**
 * Addresses of a node cluster, from the range that is set aside for tests (RFC 2544). They exist inside its network
 * namespace alone: any number of clusters use the same ones side by side.
 */
export const nodeAddresses = {
  node: '198.18.255.1',
  /** No machine: where packets to a Service leave for before they are rewritten. */
  nowhere: '198.18.255.254',
  apiServer: 'https://198.18.255.1:6443',
  pods: '198.18.0.0/24',
  podGateway: '198.18.0.1',
  services: '198.19.0.0/16',
  kubernetesService: '198.19.0.1',
  dnsService: '198.19.0.10',
} as const;

export const nodeName = 'belay-node';
export const clusterDomain = 'cluster.local';
export const pauseImage = 'belay.dev/pause:1';
