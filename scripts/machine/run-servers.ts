import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { logFile, type MachineMessage } from './machine-settings.ts';

export interface Server {
  /** Name of its log file, and of the file with its process number. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

/** What the program inside a private machine starts and waits for, told step by step to whoever made the machine. */
export interface Servers {
  start(server: Server): void;
  /** Resolves when it is so; a question that fails is asked again. Rejects when the time for the whole start is over. */
  eventually(what: string, isSo: () => Promise<boolean>): Promise<void>;
  step(text: string): void;
}

/**
 * Runs `startAll` and tells how it ended. The process ends when standard input closes, the process namespace with it,
 * and the kernel ends all that is in there.
 */
export async function runServers(folder: string, limitMs: number, startAll: (servers: Servers) => Promise<void>): Promise<void> {
  process.stdin.resume().once('close', () => process.exit(0)).once('error', () => process.exit(0));
  process.stdout.once('error', () => process.exit(0));
  try {
    await startAll(createServers(folder, limitMs));
    tell({ type: 'ready' });
  } catch (error) {
    tell({ type: 'failed', why: (error as Error).message });
  }
}

function createServers(folder: string, limitMs: number): Servers {
  const until = Date.now() + limitMs;
  let lastStep = Date.now();
  return {
    start({ name, command, args }) {
      const log = openSync(logFile(folder, name), 'a');
      const child = spawn(command, args, { cwd: folder, stdio: ['ignore', log, log] });
      closeSync(log);
      child.once('error', (error) => tell({ type: 'failed', why: `${name} did not start: ${error.message}` }));
      child.once('exit', (code, signal) => tell({ type: 'failed', why: `${name} ended with ${code ?? signal}:\n${lastLines(folder, name)}` }));
      // As it is numbered in there: for `kill` of a test that stops a server.
      writeFileSync(join(folder, `${name}.pid`), `${child.pid}\n`);
    },
    async eventually(what, isSo) {
      while (!(await isSo().catch(() => false))) {
        if (Date.now() > until) throw new Error(`${what} was not ready after ${limitMs / 1000} s`);
        await sleep(50);
      }
    },
    step(text) {
      tell({ type: 'step', text, seconds: (Date.now() - lastStep) / 1000 });
      lastStep = Date.now();
    },
  };
}

function tell(message: MachineMessage): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

function lastLines(folder: string, server: string): string {
  return readFileSync(logFile(folder, server), 'utf8').trim().split('\n').slice(-8).join('\n');
}
