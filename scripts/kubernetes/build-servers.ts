import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { join } from 'node:path';
import { belayCache } from '../belay-cache.ts';
import { ensureGo } from './go-toolchain.ts';

const source = join(import.meta.dirname, 'build');
const program = 'kubernetes-servers';
const servers = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy', 'kubelet'] as const;

/** Folder with one command a server of Kubernetes, built from the Go modules that build/go.mod pins where the cache has none. */
export async function ensureKubernetes(log: (line: string) => void): Promise<string> {
  const bin = belayCache('kubernetes', 'bin');
  const stampFile = join(bin, '.stamp');
  const stamp = sourceStamp();
  if (existsSync(join(bin, program)) && existsSync(stampFile) && readFileSync(stampFile, 'utf8').trim() === stamp) return bin;

  const go = ensureGo(log);
  log(`Building Kubernetes ${kubernetesVersion()} (the first time takes 5 to 9 minutes on 2 cores, 2.2 GB of memory and 4 GB of disk).`);
  mkdirSync(bin, { recursive: true });
  const part = join(bin, `${program}.part-${process.pid}`);
  try {
    await build(go, part);
    renameSync(part, join(bin, program));
  } finally {
    rmSync(part, { force: true });
  }
  for (const name of servers) {
    rmSync(join(bin, name), { force: true });
    symlinkSync(program, join(bin, name));
  }
  writeFileSync(stampFile, `${stamp}\n`);
  return bin;
}

/** The version of Kubernetes that build/go.mod pins, e.g. `1.35.4`. */
function kubernetesVersion(): string {
  const found = /^\s*k8s\.io\/kubernetes v(\S+)$/m.exec(readFileSync(join(source, 'go.mod'), 'utf8'));
  if (found?.[1] === undefined) throw new Error(`${join(source, 'go.mod')} requires no k8s.io/kubernetes`);
  return found[1];
}

/** What the program depends on. Not the Go version: a newer Go makes no other Kubernetes. */
function sourceStamp(): string {
  const hash = createHash('sha256');
  for (const file of ['go.mod', 'go.sum', 'main.go']) hash.update(readFileSync(join(source, file)));
  return hash.update(JSON.stringify([linkerFlags(), process.platform, process.arch])).digest('hex').slice(0, 16);
}

/** Without the version stamped in, `kubectl version` and the checks for version skew would see v0.0.0. */
function linkerFlags(): string {
  const version = kubernetesVersion();
  const [major, minor] = version.split('.');
  const values = { gitVersion: `v${version}`, gitMajor: major, gitMinor: minor, gitTreeState: 'clean' };
  return ['-s', '-w', ...Object.entries(values).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)].join(' ');
}

async function build(go: string, output: string): Promise<void> {
  const child = spawn(go, ['build', '-trimpath', `-ldflags=${linkerFlags()}`, '-o', output, '.'], {
    cwd: source,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly -buildvcs=false', GOTOOLCHAIN: 'local', GOWORK: 'off' },
  });
  // Beside the tests: the compilers that Go starts inherit the low priority.
  if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL);
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => { errors = (errors + text).slice(-4000); });
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
  if (code !== 0) throw new Error(`go build of Kubernetes ended with ${code ?? 'a signal'}:\n${errors.trim().split('\n').slice(-15).join('\n')}`);
}
