// Runs the servers of one API server in a folder and ends with whoever started it: when standard input closes, also
// because that process died, the servers are killed and the folder is removed. Nothing in it is worth a slow stop.
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

export interface Supervised {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

const folder = process.argv[2] ?? '';
const servers = JSON.parse(readFileSync(join(folder, 'servers.json'), 'utf8')) as readonly Supervised[];
let stopping = false;
const children = servers.map(start);

process.stdin.resume().once('close', stop).once('error', stop);
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, stop);

function start({ name, command, args }: Supervised): ChildProcess {
  const log = openSync(join(folder, `${name}.log`), 'w');
  const child = spawn(command, args, { cwd: folder, stdio: ['ignore', log, log] });
  closeSync(log);
  child.once('error', (error) => ended(name, error.message));
  child.once('exit', (code, signal) => ended(name, `exit ${code ?? signal}`));
  return child;
}

/** One line on standard output for the process that started this one: a server that ends by itself ended too early. */
function ended(name: string, how: string): void {
  if (!stopping) process.stdout.write(`${name} ended: ${how}\n`);
}

function stop(): void {
  if (stopping) return;
  stopping = true;
  const gone = children.map((child) => new Promise<void>((resolve) => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  }));
  void Promise.all(gone).then(() => {
    rmSync(folder, { recursive: true, force: true });
    process.exit(0);
  });
}
