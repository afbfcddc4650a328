import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { manifestText, type Fields } from './manifests.ts';

/** The command that a user types, run from the sources. */
export const belayBin = join(dirname(fileURLToPath(import.meta.url)), '../../cli/bin/belay.mjs');

/** `belay run` as a process of its own. */
export interface BelayProcess {
  readonly pid: number;
  /** `http://127.0.0.1:PORT`, without a path. */
  readonly origin: string;
  readonly baseUrl: string;
  readonly adminOrigin: string;
  /** Folder of its manifests. */
  readonly folder: string;
  /** What it wrote to stdout and stderr so far. */
  readonly output: () => string;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** Puts this file in place of the manifests at once, as an editor that saves does. */
  write(documents: readonly Fields[], file?: string): void;
  kill(signal: NodeJS.Signals): void;
  /** Ends it and removes its folder. */
  close(): Promise<void>;
}

export interface BelayOptions {
  readonly manifests: readonly Fields[];
  readonly args?: readonly string[];
  readonly env?: { readonly [name: string]: string };
  /** Program to start in place of the sources: the arguments before `run`. */
  readonly command?: readonly string[];
  /** Listed models do not say that it is ready: for chains that cannot serve. */
  readonly startLimitMs?: number;
}

/** Writes the manifests into a folder of their own, starts `belay run` on them, and resolves once it serves. */
export async function startBelay(options: BelayOptions): Promise<BelayProcess> {
  for (let tries = 1; ; tries++) {
    const belay = await launch(options);
    const ready = await waitUntilServing(belay, options.startLimitMs ?? 30_000);
    if (ready === null) return belay;
    await belay.close();
    if (tries === 3 || !/in use|EADDRINUSE/.test(ready)) throw new Error(`belay run did not start: ${ready}`);
  }
}

async function launch({ manifests, args = [], env = {}, command = [process.execPath, '--disable-warning=ExperimentalWarning', belayBin] }: BelayOptions): Promise<BelayProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'belay-'));
  const manifestFolder = join(folder, 'manifests');
  mkdirSync(manifestFolder);
  const write = (documents: readonly Fields[], file = 'manifests.yaml'): void => writeFileSync(join(manifestFolder, file), manifestText(documents));
  write(manifests);
  const [port, adminPort] = await freePorts();
  const [program, ...before] = command;
  const child = spawn(program ?? '', [...before, 'run', '-f', manifestFolder, '--port', String(port), '--admin-port', String(adminPort), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1', ...env },
  });
  return belayOf(child, { folder, manifestFolder, port, adminPort, write });
}

interface Launched {
  readonly folder: string;
  readonly manifestFolder: string;
  readonly port: number;
  readonly adminPort: number;
  readonly write: BelayProcess['write'];
}

function belayOf(child: ChildProcess, { folder, manifestFolder, port, adminPort, write }: Launched): BelayProcess {
  let output = '';
  const add = (part: Buffer): void => void (output += part.toString());
  child.stdout?.on('data', add);
  child.stderr?.on('data', add);
  const exited: BelayProcess['exited'] = new Promise((resolve) => {
    child.on('error', (error) => add(Buffer.from(error.message)));
    child.on('close', (code, signal) => resolve({ code, signal }));
  });
  return {
    pid: child.pid ?? 0,
    origin: `http://127.0.0.1:${port}`,
    baseUrl: `http://127.0.0.1:${port}/v1`,
    adminOrigin: `http://127.0.0.1:${adminPort}`,
    folder: manifestFolder,
    output: () => output,
    exited,
    write,
    kill: (signal) => void child.kill(signal),
    close: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      const impatience = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await exited;
      clearTimeout(impatience);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** null once it answers; else what went wrong. */
async function waitUntilServing(belay: BelayProcess, limitMs: number): Promise<string | null> {
  const limit = Date.now() + limitMs;
  let over = false;
  void belay.exited.then(() => (over = true));
  while (Date.now() < limit) {
    if (over) return belay.output().trim() || 'it ended without a word';
    if ((await statusOf(`${belay.baseUrl}/models`)) === 200) return null;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return `nothing serves at ${belay.origin} after ${limitMs} ms. It said: ${belay.output().trim()}`;
}

/** Status of a GET; null where nothing answers. */
export function statusOf(url: string): Promise<number | null> {
  return new Promise((resolve) => {
    const request = get(url, { agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? null);
    });
    request.on('error', () => resolve(null));
  });
}

/** Two ports that nobody listened on a moment ago. */
export async function freePorts(): Promise<readonly [number, number]> {
  const servers = [createServer(), createServer()];
  const ports = await Promise.all(servers.map((server) => new Promise<number>((resolve, reject) => {
    server.on('error', reject).listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  })));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return [ports[0] ?? 0, ports[1] ?? 0];
}
