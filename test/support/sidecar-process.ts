import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { encodeBootstrap, type Bootstrap } from '@belay/contract';
import { statusOf, until, type LoggedLine } from './belay-process.ts';
import { testCa } from './test-certificates.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const bundle = join(root, 'dist/image/sidecar.mjs');
/** As the image starts it. */
export const bundledSidecar: readonly string[] = [process.execPath, '--max-semi-space-size=4', bundle];
const sources: readonly string[] = [process.execPath, '--disable-warning=ExperimentalWarning', join(root, 'sidecar/main.ts')];

export interface SidecarProcessOptions {
  /** Port of the distributor on loopback. */
  readonly distributorPort: number;
  readonly chains?: string;
  readonly bootstrap?: Bootstrap;
  readonly env?: { readonly [name: string]: string };
  /** Program and arguments before its own; default: the bundle where it is no older than the sources, else the sources. */
  readonly command?: readonly string[];
}

/** The sidecar's program as a process of its own, with a folder in place of what the kubelet mounts. */
export interface SidecarProcess {
  readonly pid: number;
  readonly baseUrl: string;
  readonly adminOrigin: string;
  readonly output: () => string;
  readonly lines: () => readonly LoggedLine[];
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** Files as the kubelet replaces them: at once. */
  putToken(token: string): void;
  putBootstrap(bootstrap: Partial<Bootstrap>): void;
  /** Resolves to the status of a probe. */
  probe(path: '/startup' | '/ready' | '/live'): Promise<number | null>;
  page(path: string): Promise<string>;
  /** Resident memory and its anonymous part, in MiB. */
  memory(): { readonly rss: number; readonly anonymous: number };
  kill(signal: NodeJS.Signals): void;
  close(): Promise<void>;
}

/** Resolves once it listens. */
export async function startSidecarProcess({ distributorPort, chains = '*', bootstrap, env = {}, command = isBundleFresh() ? bundledSidecar : sources }: SidecarProcessOptions): Promise<SidecarProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'belay-sidecar-'));
  const mount = join(folder, 'bootstrap');
  mkdirSync(mount);
  const put = (path: string, text: string): void => {
    writeFileSync(join(folder, 'draft'), text);
    renameSync(join(folder, 'draft'), path);
  };
  const putToken = (token: string): void => put(join(folder, 'token'), token);
  const putBootstrap = ({ table, endpoints = [], certificates = '' }: Partial<Bootstrap>): void => {
    if (table === undefined) return put(join(mount, 'ca.crt'), certificates);
    const data = encodeBootstrap({ table, endpoints, certificates });
    if (!data.ok) throw new Error(JSON.stringify(data.problems));
    for (const [name, text] of Object.entries(data.value)) put(join(mount, name), text);
  };
  putToken('the.first.token');
  if (bootstrap !== undefined) putBootstrap(bootstrap);
  const [program = '', ...before] = command;
  const child = spawn(program, [...before, '--port', '0', '--admin-port', '0', '--token-file', join(folder, 'token'), '--bootstrap-folder', mount], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      BELAY_DISTRIBUTOR: `localhost:${distributorPort}`, BELAY_CHAINS: chains, BELAY_POD_NAME: 'shop-1', BELAY_POD_UID: 'uid-of-shop-1', BELAY_POD_NAMESPACE: 'support',
      BELAY_POD_IP: '127.0.0.1', BELAY_LOG_LEVEL: 'info', BELAY_CA_CERTIFICATES: testCa, ...env,
    },
  });
  let output = '';
  const add = (part: Buffer): void => void (output += part.toString());
  child.stdout.on('data', add);
  child.stderr.on('data', add);
  const exited: SidecarProcess['exited'] = new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal })));
  const lines = (): readonly LoggedLine[] => output.split('\n').slice(0, -1).filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as LoggedLine);
  const close = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
    rmSync(folder, { recursive: true, force: true });
  };
  const serving = (): LoggedLine | undefined => lines().find(({ event }) => event === 'serving-started');
  await until(`the sidecar listens; it said: ${output}`, () => serving() !== undefined || child.exitCode !== null);
  const started = serving();
  if (started === undefined) {
    await close();
    throw new Error(`the sidecar did not start: ${output}`);
  }
  const adminOrigin = `http://127.0.0.1:${String(started['adminPort'])}`;
  return {
    pid: child.pid ?? 0,
    baseUrl: `http://127.0.0.1:${String(started['port'])}/v1`,
    adminOrigin,
    output: () => output,
    lines,
    exited,
    putToken,
    putBootstrap,
    probe: (path) => statusOf(`${adminOrigin}${path}`),
    page: (path) => fetch(`http://127.0.0.1:${String(started['port'])}${path}`).then((answer) => answer.text()),
    memory: () => {
      const status = readFileSync(`/proc/${child.pid ?? 0}/status`, 'utf8');
      const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? Number.NaN) / 1024;
      return { rss: field('VmRSS'), anonymous: field('RssAnon') };
    },
    kill: (signal) => void child.kill(signal),
    close,
  };
}

function isBundleFresh(): boolean {
  const newest = ['contract', 'sidecar'].flatMap((folder) => readdirSync(join(root, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && /(?<!\.test)\.ts$/.test(entry.name) && !entry.parentPath.includes('.types'))
    .reduce((latest, { parentPath, name }) => Math.max(latest, statSync(join(parentPath, name)).mtimeMs), 0);
  return existsSync(bundle) && statSync(bundle).mtimeMs >= newest;
}
