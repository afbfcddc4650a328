import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where programs in there write to paths that nobody can choose: a layer over each takes what they write. */
const writtenTo = ['/run', '/var/lib', '/var/log'];

/** A kubelet sets these for the whole machine. It finds them set, in files laid over them, and leaves the real ones alone. */
const kernelSettings: Readonly<Record<string, number>> = {
  'vm/overcommit_memory': 1, 'vm/panic_on_oom': 0, 'kernel/panic': 10, 'kernel/panic_on_oops': 1,
  'kernel/keys/root_maxkeys': 1_000_000, 'kernel/keys/root_maxbytes': 25_000_000,
};

/** Whether a path keeps its meaning inside: what is written below the others stays in there. */
export function isSharedPath(path: string): boolean {
  return !writtenTo.some((hidden) => path === hidden || path.startsWith(`${hidden}/`));
}

/**
 * Makes a machine of its own out of the fresh network, mount and process namespaces that this process is in, with
 * loopback alone. All of it is gone with the last process in there. `nameserver` answers its look-ups.
 */
export function makePrivateMachine(folder: string, nameserver: string): void {
  const own = join(folder, 'private');
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
    if (existsSync(`/proc/sys/${name}`)) lay(join(own, name.replaceAll('/', '.')), `${value}\n`, `/proc/sys/${name}`);
  }
  if (existsSync('/etc/resolv.conf')) lay(join(own, 'resolv.conf'), `nameserver ${nameserver}\n`, '/etc/resolv.conf');
  ip('link', 'set', 'lo', 'up');
}

/** Calls iproute2, in this network namespace. */
export function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

function lay(file: string, content: string, over: string): void {
  writeFileSync(file, content);
  mount('--bind', file, over);
}

function mount(...args: readonly string[]): void {
  execFileSync('mount', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
