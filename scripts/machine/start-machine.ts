import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { spawnInside, type InsideOptions } from './enter-machine.ts';
import { removeLeftovers } from './machine-records.ts';
import { logFile, settingsFile, type MachineMessage, type MachineSettings } from './machine-settings.ts';
import { isSharedPath } from './private-machine.ts';

export interface RunResult {
  /** Exit code; null where a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions extends Pick<InsideOptions, 'cwd' | 'env'> {
  /** Written to standard input, which is empty otherwise. */
  readonly input?: string;
}

/** Programs in network, mount and process namespaces of their own, from which no packet leaves. */
export interface Machine {
  /** Holds its files, and is what `in-cluster.ts` takes. */
  readonly dir: string;
  /** Runs a command in there; never rejects for its exit code. */
  run(command: string, args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** What a server in there has logged. */
  log(server: string): string;
  /** Ends all of it and removes every trace; may be called twice. */
  close(): Promise<void>;
}

export interface MachineOptions<Own extends object> {
  /** What it is, in messages and in the names of its folder and cgroup. */
  readonly kind: string;
  /** An empty or absent folder; a fresh one by default. Removed by `close`. */
  readonly dir: string | undefined;
  /** Path of the program that starts what is in there; it uses `runServers`. */
  readonly program: string;
  /** From the machine's folder: what else the program reads in its settings, and variables and PATH of commands. */
  readonly settings: (folder: string) => Own & Pick<MachineSettings, 'environment' | 'path'>;
  readonly log: (line: string) => void;
}

/**
 * Makes a private machine and resolves when its program is ready. It ends with this process, however that ends, and
 * leaves nothing: no process, mount, cgroup, kernel setting, interface or file. Needs root and Linux.
 */
export async function startMachine<Own extends object>({ kind, dir, program, settings, log }: MachineOptions<Own>): Promise<Machine> {
  await removeLeftovers(log);
  // What it needs of the kernel; where it is built in, or no module can be loaded, the start itself says what is missing.
  spawnSync('modprobe', ['--quiet', '--all', 'overlay', 'br_netfilter', 'nf_tables']);
  const folder = dir === undefined ? mkdtempSync(join(tmpdir(), `belay-${kind}-`)) : claimFolder(resolve(dir));
  const name = `belay-${kind}-${createHash('sha256').update(folder).digest('hex').slice(0, 12)}`;
  writeFileSync(settingsFile(folder), JSON.stringify({ name, folder, program, ...settings(folder) } satisfies MachineSettings));

  // A process group of its own: a Ctrl-C on the terminal ends the tests first, and this with them.
  const keeper = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'keep-machine.ts'), folder], { detached: true, stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<void>((done) => keeper.once('exit', () => done()));
  const close = async (): Promise<void> => {
    keeper.ref();
    keeper.stdin?.end();
    await ended;
  };
  try {
    await ready(keeper, ended, log);
  } catch (error) {
    const logs = lastLines(folder);
    await close();
    throw new Error(`the ${kind} did not start: ${(error as Error).message}${logs}`, { cause: error });
  }
  // Neither the keeper nor its pipes keep a process alive that has forgotten to close it.
  keeper.unref();
  for (const pipe of [keeper.stdin, keeper.stdout]) (pipe as unknown as { unref(): void }).unref();
  return {
    dir: folder, close,
    run: (command, args, options) => runInside(folder, command, args, options),
    log: (server) => (existsSync(logFile(folder, server)) ? readFileSync(logFile(folder, server), 'utf8') : ''),
  };
}

function claimFolder(folder: string): string {
  if (!isSharedPath(folder)) throw new Error(`its folder cannot be ${folder}: other files are seen there from inside; choose one outside of /run, /var/lib and /var/log`);
  mkdirSync(folder, { recursive: true });
  if (readdirSync(folder).length > 0) throw new Error(`its folder must be empty, and ${folder} is not`);
  return folder;
}

/** Resolves at the message `ready`; what comes later, servers that end by themselves, is logged. */
function ready(keeper: ChildProcess, ended: Promise<void>, log: (line: string) => void): Promise<void> {
  return new Promise((done, fail) => {
    void ended.then(() => fail(new Error('it ended by itself')));
    keeper.once('error', fail);
    if (keeper.stdout === null) return fail(new Error('its output cannot be read'));
    createInterface({ input: keeper.stdout }).on('line', (line) => {
      const message = JSON.parse(line) as MachineMessage;
      switch (message.type) {
        case 'step': return log(`${message.text} (${message.seconds.toFixed(1)} s)`);
        case 'ready': return done();
        case 'failed':
          log(message.why);
          return fail(new Error(message.why));
      }
    });
  });
}

function runInside(folder: string, command: string, args: readonly string[], { input = '', ...options }: RunOptions = {}): Promise<RunResult> {
  return new Promise((done, fail) => {
    const child = spawnInside(folder, command, args, options);
    let [stdout, stderr] = ['', ''];
    child.stdout?.setEncoding('utf8').on('data', (text: string) => { stdout += text; });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => { stderr += text; });
    // A command that ends without reading all of it is not an error of ours.
    child.stdin?.on('error', () => {}).end(input);
    child.once('error', fail).once('close', (code) => done({ code, stdout, stderr }));
  });
}

function lastLines(folder: string): string {
  const logs = existsSync(join(folder, 'log')) ? readdirSync(join(folder, 'log')) : [];
  return logs.map((file) => `\n${file}: ${readFileSync(join(folder, 'log', file), 'utf8').trim().split('\n').slice(-3).join('\n')}`).join('');
}
