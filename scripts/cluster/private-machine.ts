import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeAddresses } from './node-addresses.ts';

/** Where programs of a node write to paths that nobody can choose: a layer over each takes what they write. */
const writtenTo = ['/run', '/var/lib', '/var/log'];

/** The kubelet sets these for the whole machine. It finds them set, in files laid over them, and leaves the machine's alone. */
const kernelSettings: Readonly<Record<string, number>> = {
  'vm/overcommit_memory': 1, 'vm/panic_on_oom': 0, 'kernel/panic': 10, 'kernel/panic_on_oops': 1,
  'kernel/keys/root_maxkeys': 1_000_000, 'kernel/keys/root_maxbytes': 25_000_000,
};

/** Of the network namespace alone. Without the second, answers of a Service's pod on the same bridge go astray. */
const networkSettings = ['ipv4/ip_forward', 'bridge/bridge-nf-call-iptables', 'ipv4/conf/all/route_localnet'];

/** Whether a path keeps its meaning inside: what is written below the others stays in there. */
export function isSharedPath(path: string): boolean {
  return !writtenTo.some((hidden) => path === hidden || path.startsWith(`${hidden}/`));
}

/**
 * Makes a machine of its own out of the fresh network, mount and process namespaces that this process is in: mounts,
 * kernel settings, an interface that leads nowhere. All of it is gone with the last process in there.
 */
export function makePrivateMachine(folder: string): void {
  layMounts(join(folder, 'private'));
  const resolver = join(folder, 'resolv.conf');
  writeFileSync(resolver, `nameserver ${nodeAddresses.node}\n`);
  if (existsSync('/etc/resolv.conf')) mount('--bind', resolver, '/etc/resolv.conf');
  layNetwork();
}

function layMounts(own: string): void {
  mkdirSync(own, { recursive: true });
  mount('-t', 'tmpfs', '-o', 'mode=755', 'belay', own);
  // Pods with mount propagation need shared mounts; nothing leaves this namespace, which was made private.
  mount('--make-rshared', '/');
  for (const path of writtenTo) {
    const layer = join(own, path.replaceAll('/', '-'));
    for (const part of ['upper', 'work']) mkdirSync(join(layer, part), { recursive: true });
    mount('-t', 'overlay', '-o', `lowerdir=${path},upperdir=${layer}/upper,workdir=${layer}/work`, 'belay', path);
  }
  for (const [name, value] of Object.entries(kernelSettings)) {
    if (!existsSync(`/proc/sys/${name}`)) continue;
    const file = join(own, name.replaceAll('/', '.'));
    writeFileSync(file, `${value}\n`);
    mount('--bind', file, `/proc/sys/${name}`);
  }
}

function layNetwork(): void {
  ip('link', 'set', 'lo', 'up');
  // A bridge without a port holds the address: not every kernel has dummy devices.
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

function mount(...args: readonly string[]): void {
  execFileSync('mount', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
