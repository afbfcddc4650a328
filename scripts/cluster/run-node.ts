// Runs every server of a node cluster, as the first program of its private machine.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readMachineSettings } from '../machine/machine-settings.ts';
import { ip, makePrivateMachine } from '../machine/private-machine.ts';
import { runServers, type Servers } from '../machine/run-servers.ts';
import { createApiRequests, type ApiRequests } from './api-requests.ts';
import { nodeAddresses, nodeName } from './node-addresses.ts';
import { writeCredentials } from './node-credentials.ts';
import { containerdSocket, describeContainerd, describeCorefile, describeKubelet, describeKubeProxy, describePodNetwork } from './node-files.ts';
import { apiServer, containerdServer, controlServers, etcdServer, nodeServers } from './node-servers.ts';
import type { NodeSettings } from './node-settings.ts';

/** Of the network namespace alone. Without the second, answers of a Service's pod on the same bridge go astray. */
const networkSettings = ['ipv4/ip_forward', 'bridge/bridge-nf-call-iptables', 'ipv4/conf/all/route_localnet'];

const run = promisify(execFile);
const folder = process.argv[2] ?? '';
const settings = readMachineSettings<NodeSettings>(folder);
await runServers(folder, 120_000, startAll);

async function startAll(servers: Servers): Promise<void> {
  makePrivateMachine(folder, nodeAddresses.node);
  layNetwork();
  const api = createApiRequests(folder, writeCredentials(folder));
  writeFiles();
  servers.start(etcdServer(settings));
  servers.start(apiServer(settings));
  servers.start(containerdServer(settings));
  const images = importImages(servers);
  images.catch(() => {}); // awaited below; until then it must not end the process
  await servers.eventually('the API server', async () => (await api.send('/readyz')).status === 200 && (await api.send('/api/v1/namespaces/kube-system')).status === 200);
  servers.step('API server ready');
  for (const server of controlServers(settings)) servers.start(server);
  await images;
  servers.step('containerd ready, images imported');
  for (const server of nodeServers(settings)) servers.start(server);
  await publishDNS(api);
  await servers.eventually('the node', async () => isReady(await api.send(`/api/v1/nodes/${nodeName}`)));
  await servers.eventually('the default service account', async () => (await api.send('/api/v1/namespaces/default/serviceaccounts/default')).status === 200);
  await servers.eventually('CoreDNS', async () => (await fetch(`http://${nodeAddresses.node}:8181/ready`)).ok);
  servers.step('node ready');
}

/** An interface that leads nowhere holds the node's address. */
function layNetwork(): void {
  // A bridge without a port: not every kernel has dummy devices.
  ip('link', 'add', 'node0', 'type', 'bridge');
  ip('addr', 'add', `${nodeAddresses.node}/24`, 'dev', 'node0');
  ip('link', 'set', 'node0', 'up');
  ip('route', 'add', 'default', 'via', nodeAddresses.nowhere, 'dev', 'node0');
  for (const name of networkSettings) {
    const file = `/proc/sys/net/${name}`;
    if (!existsSync(file)) throw new Error(`the kernel has no ${file}: load the module br_netfilter`);
    writeFileSync(file, '1');
  }
}

function writeFiles(): void {
  mkdirSync(join(folder, 'cni'));
  writeFileSync(join(folder, 'cni', '10-belay.conflist'), describePodNetwork(folder));
  writeFileSync(join(folder, 'containerd.toml'), describeContainerd(folder));
  writeFileSync(join(folder, 'kubelet.json'), describeKubelet(folder, settings.name));
  writeFileSync(join(folder, 'kube-proxy.json'), describeKubeProxy(folder));
  writeFileSync(join(folder, 'Corefile'), describeCorefile(folder));
  writeFileSync(join(folder, 'resolv.conf'), `nameserver ${nodeAddresses.node}\n`);
}

async function importImages({ eventually }: Servers): Promise<void> {
  const ctr = (...args: string[]): Promise<unknown> => run('ctr', ['--address', containerdSocket(folder), '--namespace', 'k8s.io', ...args]);
  await eventually('containerd', () => ctr('version').then(() => true));
  for (const image of settings.images) await ctr('images', 'import', image);
}

/** CoreDNS runs beside the pods, on the node's own address: a Service of the usual name leads there. */
async function publishDNS(api: ApiRequests): Promise<void> {
  const ports = [{ name: 'dns', port: 53, protocol: 'UDP' }, { name: 'dns-tcp', port: 53, protocol: 'TCP' }];
  await create(api, '/api/v1/namespaces/kube-system/services', {
    apiVersion: 'v1', kind: 'Service', metadata: { name: 'kube-dns' }, spec: { clusterIP: nodeAddresses.dnsService, ports },
  });
  await create(api, '/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices', {
    apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata: { name: 'kube-dns', labels: { 'kubernetes.io/service-name': 'kube-dns' } },
    addressType: 'IPv4', ports, endpoints: [{ addresses: [nodeAddresses.node], conditions: { ready: true } }],
  });
}

async function create(api: ApiRequests, path: string, object: object): Promise<void> {
  const { status, text } = await api.send(path, object);
  if (status !== 201) throw new Error(`the API server answered ${status} to a POST of ${path}: ${text}`);
}

function isReady({ status, text }: { readonly status: number; readonly text: string }): boolean {
  if (status !== 200) return false;
  const { status: { conditions = [] } } = JSON.parse(text) as { readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] } };
  return conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True');
}
