import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { cpus } from 'node:os';

/** CPU in seconds since the start, memory in MiB; of a process and all that it started. */
export interface Usage {
  readonly cpuSeconds: number;
  readonly rssMiB: number;
  /** What no other process shares: RssAnon of /proc. */
  readonly anonymousMiB: number;
}

const canPin = cpus().length > 1 && spawnSync('taskset', ['--version']).status === 0;
const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** Where a process runs: what is measured has the last core to itself, everything else shares the first. */
export type Place = 'measured' | 'around';

export function describePinning(): string {
  return canPin ? `what is measured runs on core ${cpus().length - 1} alone, upstreams and load on core 0` : 'nothing is pinned to a core';
}

/** Starts a program at its place, with an IPC channel where `ipc`. */
export function startProcess(place: Place, [program = '', ...args]: readonly string[], { ipc = false, env = {} }: { readonly ipc?: boolean; readonly env?: NodeJS.ProcessEnv } = {}): ChildProcess {
  const core = place === 'measured' ? cpus().length - 1 : 0;
  const [file, all] = canPin ? ['taskset', ['-c', String(core), program, ...args]] : [program, args];
  return spawn(file, all, { stdio: ['ignore', 'pipe', 'pipe', ...(ipc ? ['ipc' as const] : [])], env: { ...process.env, ...env } });
}

/** Node, running one file of this folder. */
export function nodeArguments(file: string, ...args: readonly string[]): readonly string[] {
  return [process.execPath, '--disable-warning=ExperimentalWarning', new URL(file, import.meta.url).pathname, ...args];
}

/** The next message of a child; rejects where it ends first. */
export function nextMessage<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void => reject(new Error(`a process of the bench ended with ${code}`));
    child.once('exit', onExit);
    child.once('message', (message) => {
      child.off('exit', onExit);
      resolve(message as T);
    });
  });
}

/** SIGTERM, SIGKILL after five seconds; resolves when it is gone. */
export async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const impatience = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await gone;
  clearTimeout(impatience);
}

/** Of Linux's /proc. A child that ended meanwhile counts with what its parent took over. */
export function usageOf(pid: number): Usage {
  const pids = [pid, ...descendants(pid)];
  const own = pids.flatMap((one) => usageOfOne(one) ?? []);
  return { cpuSeconds: sum(own.map(({ cpuSeconds }) => cpuSeconds)), rssMiB: sum(own.map(({ rssMiB }) => rssMiB)), anonymousMiB: sum(own.map(({ anonymousMiB }) => anonymousMiB)) };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

function usageOfOne(pid: number): Usage | null {
  const fields = statFields(pid);
  const status = readProc(pid, 'status');
  if (fields === null || status === null) return null;
  const kib = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0);
  return { cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond, rssMiB: kib('VmRSS') / 1_024, anonymousMiB: kib('RssAnon') / 1_024 };
}

function descendants(pid: number): readonly number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    const fields = /^\d+$/.test(name) ? statFields(Number(name)) : null;
    if (fields !== null) parents.set(Number(name), Number(fields[1]));
  }
  const below = (one: number): number[] => [...parents].filter(([, parent]) => parent === one).flatMap(([child]) => [child, ...below(child)]);
  return below(pid);
}

/** Fields of /proc/PID/stat from the third on: state, parent, … */
function statFields(pid: number): readonly string[] | null {
  const stat = readProc(pid, 'stat');
  return stat === null ? null : stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function readProc(pid: number, file: string): string | null {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  }
}
