import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { manifestText, type Fields } from './manifests.ts';

/** The command that a user types: the arguments before `run`. */
export const belayCommand: readonly string[] = [process.execPath, '--disable-warning=ExperimentalWarning', join(dirname(fileURLToPath(import.meta.url)), '../../cli/bin/belay.mjs')];

export interface LoggedLine {
  readonly event: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

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
  readonly lines: () => readonly LoggedLine[];
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** Puts this in place of a file of its manifests at once, as an editor that saves does. */
  write(content: readonly Fields[] | string, file?: string): void;
  kill(signal: NodeJS.Signals): void;
  /** Ends it and removes its folder. */
  close(): Promise<void>;
}

export interface BelayOptions {
  /** Documents of one file, or the text of each file by its name. */
  readonly manifests: readonly Fields[] | { readonly [file: string]: string };
  /** Default: any free one. */
  readonly port?: number;
  readonly args?: readonly string[];
  readonly env?: { readonly [name: string]: string };
  /** Program to start in place of the sources: the arguments before `run`. */
  readonly command?: readonly string[];
  readonly startLimitMs?: number;
}

/** Writes the manifests into a folder of their own, starts `belay run` on them, and resolves once it listens. */
export async function startBelay(options: BelayOptions): Promise<BelayProcess> {
  const { child, folder, manifestFolder, write } = launch(options);
  let output = '';
  const add = (part: Buffer): void => void (output += part.toString());
  child.stdout?.on('data', add);
  child.stderr?.on('data', add);
  child.on('error', (error) => add(Buffer.from(error.message)));
  const exited: BelayProcess['exited'] = new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal })));
  const close = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    const impatience = setTimeout(() => child.kill('SIGKILL'), 5_000);
    await exited;
    clearTimeout(impatience);
    rmSync(folder, { recursive: true, force: true });
  };
  const ports = await listening(() => output, exited, options.startLimitMs ?? 30_000);
  if (typeof ports === 'string') {
    await close();
    throw new Error(`belay run did not start: ${ports}`);
  }
  return {
    pid: child.pid ?? 0,
    origin: `http://127.0.0.1:${ports.port}`,
    baseUrl: `http://127.0.0.1:${ports.port}/v1`,
    adminOrigin: `http://127.0.0.1:${ports.adminPort}`,
    folder: manifestFolder,
    output: () => output,
    lines: () => logLines(output),
    exited,
    write,
    kill: (signal) => void child.kill(signal),
    close,
  };
}

interface Launched {
  readonly child: ChildProcess;
  readonly folder: string;
  readonly manifestFolder: string;
  readonly write: BelayProcess['write'];
}

function launch({ manifests, port = 0, args = [], env = {}, command = belayCommand }: BelayOptions): Launched {
  const folder = mkdtempSync(join(tmpdir(), 'belay-'));
  const manifestFolder = join(folder, 'manifests');
  mkdirSync(manifestFolder);
  const write = (content: readonly Fields[] | string, file = 'manifests.yaml'): void => {
    const draft = join(folder, 'draft');
    writeFileSync(draft, typeof content === 'string' ? content : manifestText(content));
    renameSync(draft, join(manifestFolder, file));
  };
  for (const [file, content] of Array.isArray(manifests) ? [['manifests.yaml', manifests] as const] : Object.entries(manifests)) write(content, file);
  const [program = '', ...before] = command;
  const child = spawn(program, [...before, 'run', '-f', manifestFolder, '--port', String(port), '--admin-port', '0', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1', ...env },
  });
  return { child, folder, manifestFolder, write };
}

/** The ports of its line `serving-started`; a text: why there are none. */
async function listening(output: () => string, exited: Promise<unknown>, limitMs: number): Promise<{ readonly port: number; readonly adminPort: number } | string> {
  const limit = Date.now() + limitMs;
  let over = false;
  void exited.then(() => (over = true));
  while (Date.now() < limit) {
    const started = logLines(output()).find(({ event }) => event === 'serving-started');
    if (started !== undefined) return { port: Number(started['port']), adminPort: Number(started['adminPort']) };
    if (over) return output().trim() || 'it ended without a word';
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return `it did not say that it serves within ${limitMs} ms. It said: ${output().trim()}`;
}

/** Its log: every whole line that is a JSON object. */
function logLines(output: string): readonly LoggedLine[] {
  return output.split('\n').slice(0, -1).filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as LoggedLine);
}

/** Resolves when the condition holds; rejects with `what` after the limit. */
export async function until(what: string, condition: () => boolean | Promise<boolean>, limitMs = 20_000): Promise<void> {
  const limit = Date.now() + limitMs;
  while (!(await condition())) {
    if (Date.now() > limit) throw new Error(`${what}: not within ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Status of a GET over a connection of its own; null where nothing answers. */
export function statusOf(url: string): Promise<number | null> {
  return new Promise((resolve) => {
    const request = get(url, { agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? null);
    });
    request.on('error', () => resolve(null));
  });
}
