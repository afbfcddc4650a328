import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { namespacesFile, readMachineSettings } from './machine-settings.ts';

export interface InsideOptions extends Pick<SpawnOptions, 'cwd' | 'stdio'> {
  /** Beside this process's own variables and the machine's. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Starts a command inside the namespaces of the machine in `folder`; throws where none runs there. */
export function spawnInside(folder: string, command: string, args: readonly string[], { env = {}, cwd = process.cwd(), stdio = 'pipe' }: InsideOptions = {}): ChildProcess {
  const file = namespacesFile(folder);
  if (!existsSync(file)) throw new Error(`nothing runs in ${folder}: there is no ${file}`);
  const target = readFileSync(file, 'utf8').trim();
  const { environment, path } = readMachineSettings(folder);
  return spawn('nsenter', ['--target', target, '--mount', '--net', '--pid', `--wd=${String(cwd)}`, '--', command, ...args], {
    env: { ...process.env, ...environment, PATH: [...path, '/usr/sbin', '/sbin', process.env['PATH'] ?? ''].join(':'), ...env }, stdio,
  });
}
