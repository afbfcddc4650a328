import { spawn, type ChildProcess } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureKubernetes } from './build-servers.ts';
import type { Supervised } from './supervise.ts';

export interface ApiServer {
  /** Path of a kubeconfig with every right. */
  readonly kubeconfig: string;
  /** `https://127.0.0.1:PORT` */
  readonly url: string;
  /** Bearer token of the same user. */
  readonly token: string;
  /** Path of the PEM file to trust. */
  readonly caFile: string;
  /** Ends both servers and removes their folder; may be called twice. */
  close(): Promise<void>;
}

export interface ApiServerOptions {
  /** Added to kube-apiserver's arguments, e.g. `--feature-gates=…`. */
  readonly apiServerArgs?: readonly string[];
  readonly log?: (line: string) => void;
}

const startLimitMs = 60_000;

/**
 * Starts etcd and kube-apiserver on loopback, on free ports, in a folder of their own, and resolves when the API
 * answers: about 3 s, or minutes where Kubernetes must be built first. No controllers, no nodes. It ends with this
 * process, however that ends. Rejects with a `MissingPart` where it cannot be built here.
 */
export async function startApiServer({ apiServerArgs = [], log = () => {} }: ApiServerOptions = {}): Promise<ApiServer> {
  const bin = await ensureKubernetes(log);
  for (let tries = 1; ; tries++) {
    try {
      return await start(bin, apiServerArgs);
    } catch (error) {
      // Between finding a free port and listening on it somebody else may have taken it.
      if (tries === 3 || !String(error).includes('address already in use')) throw error;
    }
  }
}

async function start(bin: string, apiServerArgs: readonly string[]): Promise<ApiServer> {
  const folder = mkdtempSync(join(tmpdir(), 'belay-api-'));
  const url = `https://127.0.0.1:${await freePort()}`;
  const token = randomBytes(16).toString('hex');
  const caFile = join(folder, 'pki', 'apiserver.crt');
  const kubeconfig = join(folder, 'kubeconfig');
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'pem', type: 'sec1' });
  writeFileSync(join(folder, 'service-account.key'), key, { mode: 0o600 });
  writeFileSync(join(folder, 'tokens.csv'), `${token},admin,admin,system:masters\n`, { mode: 0o600 });
  writeFileSync(kubeconfig, describeKubeconfig(url, caFile, token), { mode: 0o600 });
  writeFileSync(join(folder, 'servers.json'), JSON.stringify([etcd(bin), kubeApiserver(bin, url, apiServerArgs)]));

  // A process group of its own: a Ctrl-C on the terminal ends the tests first, and this with them.
  const supervisor = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'supervise.ts'), folder], {
    detached: true, stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = new Promise<void>((resolve) => supervisor.once('exit', () => resolve()));
  const close = async (): Promise<void> => {
    supervisor.ref();
    supervisor.stdin?.end();
    await exited;
  };
  try {
    await ready(supervisor, url, caFile, token, folder);
  } catch (error) {
    await close();
    throw error;
  }
  // Neither the supervisor nor its pipe keeps a process alive that has forgotten to close it.
  supervisor.unref();
  for (const pipe of [supervisor.stdin, supervisor.stdout]) (pipe as unknown as { unref(): void }).unref();
  return { kubeconfig, url, token, caFile, close };
}

/** Sockets in the servers' folder: no port to find, none for anybody else on the machine to reach. */
function etcd(bin: string): Supervised {
  return { name: 'etcd', command: join(bin, 'etcd'), args: [
    '--data-dir=etcd', '--unsafe-no-fsync', '--log-level=warn',
    '--listen-client-urls=unix://etcd:0', '--advertise-client-urls=unix://etcd:0',
    '--listen-peer-urls=unix://peer:0', '--initial-advertise-peer-urls=unix://peer:0', '--initial-cluster=default=unix://peer:0',
  ] };
}

/** It makes its own serving certificate in `pki/`; no kubelet and no controller exists to need more. */
function kubeApiserver(bin: string, url: string, more: readonly string[]): Supervised {
  return { name: 'kube-apiserver', command: join(bin, 'kube-apiserver'), args: [
    '--etcd-servers=unix://etcd:0', '--bind-address=127.0.0.1', `--secure-port=${new URL(url).port}`, '--cert-dir=pki',
    // 198.18.0.0/15 is set aside for tests (RFC 2544); nothing listens there.
    '--advertise-address=198.18.255.1', '--service-cluster-ip-range=198.19.0.0/16',
    '--token-auth-file=tokens.csv', '--authorization-mode=RBAC', '--allow-privileged=true',
    '--service-account-issuer=https://kubernetes.default.svc', '--service-account-key-file=service-account.key',
    '--service-account-signing-key-file=service-account.key',
    // Nobody makes the default service accounts that this plug-in waits for.
    '--disable-admission-plugins=ServiceAccount', '--shutdown-delay-duration=0s', '--profiling=false', '--v=1', ...more,
  ] };
}

async function ready(supervisor: ChildProcess, url: string, caFile: string, token: string, folder: string): Promise<void> {
  let early = '';
  supervisor.stdout?.setEncoding('utf8').on('data', (text: string) => { early += text; });
  const until = Date.now() + startLimitMs;
  while (!(await answers(`${url}/api/v1/namespaces/default`, caFile, token)) || !(await answers(`${url}/readyz`, caFile, token))) {
    if (early !== '' || Date.now() > until) {
      throw new Error(`the API server did not start: ${early.trim() || `not ready after ${startLimitMs / 1000} s`}\n${lastLines(folder, 'etcd')}\n${lastLines(folder, 'kube-apiserver')}`);
    }
    await sleep(50);
  }
}

async function answers(url: string, caFile: string, token: string): Promise<boolean> {
  if (!existsSync(caFile)) return false;
  return new Promise((resolve) => {
    const request = get(url, { ca: readFileSync(caFile), agent: false, headers: { authorization: `Bearer ${token}` } }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.setTimeout(5_000, () => request.destroy());
    request.once('error', () => resolve(false));
    request.once('close', () => resolve(false));
  });
}

function lastLines(folder: string, name: string): string {
  const file = join(folder, `${name}.log`);
  const text = existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
  return `${name}: ${text.split('\n').slice(-5).join('\n')}`;
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function describeKubeconfig(url: string, caFile: string, token: string): string {
  return JSON.stringify({
    apiVersion: 'v1', kind: 'Config', 'current-context': 'belay',
    clusters: [{ name: 'belay', cluster: { server: url, 'certificate-authority': caFile } }],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'belay', context: { cluster: 'belay', user: 'admin' } }],
  }, null, 2);
}
