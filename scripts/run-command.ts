import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { spawnInside } from './machine/enter-machine.ts';

export interface CommandResult {
  /** Exit code; null where a signal ended it. */
  readonly code: number | null;
  /** Standard output and standard error, in the order they came. */
  readonly output: string;
  readonly seconds: number;
  /** Why it was ended before it ended by itself; null where it was not. */
  readonly ended: string | null;
}

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly limitMs?: number;
  /** Asked every second; a text ends the command and becomes `ended`. */
  readonly watch?: () => string | null;
  readonly onLine?: (line: string) => void;
  /** Folder of a private machine: the program runs in there. */
  readonly inside?: string | undefined;
}

/** Runs one program of this repository under the same Node, its output kept; never rejects for what the program did. */
export async function runNode(args: readonly string[], { env = {}, limitMs = 20 * 60_000, watch = () => null, onLine, inside }: CommandOptions = {}): Promise<CommandResult> {
  const started = Date.now();
  const child = start(['--disable-warning=ExperimentalWarning', ...args], env, inside);
  let output = '';
  let ended: string | null = null;
  let partLine = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (onLine === undefined) return;
      const lines = (partLine + text).split('\n');
      partLine = lines.pop() ?? '';
      lines.forEach(onLine);
    });
  }
  const ticker = setInterval(() => {
    ended ??= Date.now() - started > limitMs ? `ended after its limit of ${limitMs / 60_000} minutes` : watch();
    if (ended !== null) child.kill('SIGKILL');
  }, 1000);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    // A process that the command left behind may hold the pipes open: 'close' might never come.
    child.once('exit', (exit) => {
      const done = (): void => resolve(exit);
      child.once('close', done);
      setTimeout(done, 500);
    });
  });
  clearInterval(ticker);
  child.stdout?.destroy();
  child.stderr?.destroy();
  return { code, output, seconds: (Date.now() - started) / 1000, ended };
}

function start(args: readonly string[], env: Readonly<Record<string, string>>, inside: string | undefined): ChildProcess {
  const stdio: StdioOptions = ['ignore', 'pipe', 'pipe'];
  if (inside !== undefined) return spawnInside(inside, process.execPath, args, { stdio, env });
  return spawn(process.execPath, args, { stdio, env: { ...process.env, ...env } });
}
