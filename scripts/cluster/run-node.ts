// Runs every server of a node cluster, as the first program inside its namespaces, and ends with whoever started it:
// when standard input closes, this process ends, the process namespace with it, and the kernel ends all that is in there.
import { execFile, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createApiRequests, type ApiRequests } from './api-requests.ts';
import { nodeAddresses, nodeName } from './node-addresses.ts';
import { writeCredentials } from './node-credentials.ts';
import { containerdSocket, describeContainerd, describeCorefile, describeKubelet, describeKubeProxy, describePodNetwork } from './node-files.ts';
import { apiServer, containerdServer, controlServers, etcdServer, nodeServers, type Server } from './node-servers.ts';
import { logFile, readNodeSettings, type NodeMessage } from './node-settings.ts';
import { makePrivateMachine } from './private-machine.ts';

const run = promisify(execFile);
const folder = process.argv[2] ?? '';
const settings = readNodeSettings(folder);
const startLimitMs = 120_000;
const until = Date.now() + startLimitMs;
let lastStep = Date.now();

process.stdin.resume().once('close', () => process.exit(0)).once('error', () => process.exit(0));
process.stdout.once('error', () => process.exit(0));
try {
  await startAll();
  tell({ type: 'ready' });
} catch (error) {
  tell({ type: 'failed', why: (error as Error).message });
}

async function startAll(): Promise<void> {
  makePrivateMachine(folder);
  const api = createApiRequests(folder, writeCredentials(folder));
  writeFiles();
  start(etcdServer(settings));
  start(apiServer(settings));
  start(containerdServer(settings));
  const images = importImages();
  images.catch(() => {}); // awaited below; until then it must not end the process
  await eventually('the API server', async () => (await api.send('/readyz')).status === 200 && (await api.send('/api/v1/namespaces/kube-system')).status === 200);
  step('API server ready');
  for (const server of controlServers(settings)) start(server);
  await images;
  step(`containerd ready, ${settings.images.length} images imported`);
  for (const server of nodeServers(settings)) start(server);
  await publishDNS(api);
  await eventually('the node', async () => isReady(await api.send(`/api/v1/nodes/${nodeName}`)));
  await eventually('the default service account', async () => (await api.send('/api/v1/namespaces/default/serviceaccounts/default')).status === 200);
  await eventually('CoreDNS', async () => (await fetch(`http://${nodeAddresses.node}:8181/ready`)).ok);
  step('node ready');
}

function writeFiles(): void {
  mkdirSync(join(folder, 'cni'));
  writeFileSync(join(folder, 'cni', '10-belay.conflist'), describePodNetwork(folder));
  writeFileSync(join(folder, 'containerd.toml'), describeContainerd(folder));
  writeFileSync(join(folder, 'kubelet.json'), describeKubelet(folder, settings.name));
  writeFileSync(join(folder, 'kube-proxy.json'), describeKubeProxy(folder));
  writeFileSync(join(folder, 'Corefile'), describeCorefile(folder));
}

function start({ name, command, args }: Server): void {
  const log = openSync(logFile(folder, name), 'a');
  const child = spawn(command, args, { cwd: folder, stdio: ['ignore', log, log] });
  closeSync(log);
  child.once('error', (error) => tell({ type: 'failed', why: `${name} did not start: ${error.message}` }));
  child.once('exit', (code, signal) => tell({ type: 'failed', why: `${name} ended with ${code ?? signal}:\n${lastLines(name)}` }));
  // Of the process namespace: for `kill` of a test that stops a server.
  writeFileSync(join(folder, `${name}.pid`), `${child.pid}\n`);
}

async function importImages(): Promise<void> {
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

async function eventually(what: string, isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo().catch(() => false))) {
    if (Date.now() > until) throw new Error(`${what} was not ready after ${startLimitMs / 1000} s`);
    await sleep(50);
  }
}

function step(text: string): void {
  tell({ type: 'step', text, seconds: (Date.now() - lastStep) / 1000 });
  lastStep = Date.now();
}

function tell(message: NodeMessage): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

function lastLines(server: string): string {
  return readFileSync(logFile(folder, server), 'utf8').trim().split('\n').slice(-8).join('\n');
}
