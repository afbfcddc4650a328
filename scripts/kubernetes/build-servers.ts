import { existsSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { belayCache } from '../belay-cache.ts';
import { ensureGoProgram } from './build-go-program.ts';

const source = join(import.meta.dirname, 'build');
const program = 'kubernetes-servers';
const servers = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy', 'kubelet'] as const;

/** Folder with one command a server of Kubernetes, built from the Go modules that build/go.mod pins where the cache has none. */
export async function ensureKubernetes(log: (line: string) => void): Promise<string> {
  const built = await ensureGoProgram({
    name: program, source, files: ['go.mod', 'go.sum', 'main.go'], folder: belayCache('kubernetes', 'bin'), linkerFlags: linkerFlags(),
    announcement: `Building Kubernetes ${kubernetesVersion()} (the first time takes 5 to 9 minutes on 2 cores, 2.2 GB of memory and 4 GB of disk).`,
  }, log);
  const bin = dirname(built);
  for (const name of servers) {
    if (existsSync(join(bin, name))) continue;
    rmSync(join(bin, name), { force: true });
    symlinkSync(program, join(bin, name));
  }
  return bin;
}

/** The version of Kubernetes that build/go.mod pins, e.g. `1.35.4`. */
function kubernetesVersion(): string {
  const found = /^\s*k8s\.io\/kubernetes v(\S+)$/m.exec(readFileSync(join(source, 'go.mod'), 'utf8'));
  if (found?.[1] === undefined) throw new Error(`${join(source, 'go.mod')} requires no k8s.io/kubernetes`);
  return found[1];
}

/** Without the version stamped in, `kubectl version` and the checks for version skew would see v0.0.0. */
function linkerFlags(): readonly string[] {
  const version = kubernetesVersion();
  const [major, minor] = version.split('.');
  const values = { gitVersion: `v${version}`, gitMajor: major, gitMinor: minor, gitTreeState: 'clean' };
  return ['-s', '-w', ...Object.entries(values).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)];
}
