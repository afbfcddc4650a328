import { spawn } from 'node:child_process';
import { get } from 'node:http';
import { join } from 'node:path';
import { until } from './until.ts';

export interface OperatorLine {
  readonly level: string;
  readonly event: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

/** `operator/main.ts` as a process of its own, before a real API server. */
export interface OperatorProcess {
  readonly pid: number;
  readonly ports: { readonly probe: number; readonly distributor?: number; readonly webhook?: number };
  readonly output: () => string;
  readonly lines: () => readonly OperatorLine[];
  readonly exited: Promise<number | null>;
  kill(signal: NodeJS.Signals): void;
  close(): Promise<void>;
}

export interface OperatorProcessOptions {
  readonly kubeconfig: string;
  readonly role?: string;
  readonly args?: readonly string[];
  readonly env?: { readonly [name: string]: string };
  /** Resolves without waiting for it to listen. */
  readonly early?: boolean;
}

const main = join(import.meta.dirname, '../../operator/main.ts');

/** Starts it on free ports of loopback, and resolves once it listens. */
export async function startOperator({ kubeconfig, role = 'controller,distributor', args = [], env = {}, early = false }: OperatorProcessOptions): Promise<OperatorProcess> {
  const fixed = ['--namespace=belay-system', '--probe-address=127.0.0.1', '--probe-port=0', '--distributor-port=0', '--webhook-port=0', '--certificate-name=127.0.0.1'];
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, `--role=${role}`, `--kubeconfig=${kubeconfig}`, ...fixed, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => { output += text; });
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  const lines = (): readonly OperatorLine[] => output.split('\n').slice(0, -1).filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as OperatorLine);
  const close = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  const told = early ? 'operator-started' : 'operator-listening';
  await until(() => child.exitCode !== null || lines().some(({ event }) => event === told), 20_000).catch(() => undefined);
  const started = lines().find(({ event }) => event === told);
  if (started === undefined) {
    await close();
    throw new Error(`the operator did not start: ${output}`);
  }
  return { pid: child.pid ?? 0, ports: started['ports'] as OperatorProcess['ports'], output: () => output, lines, exited, kill: (signal) => void child.kill(signal), close };
}

/** Status and text of its probe, over a connection of its own. */
export function probe({ ports }: OperatorProcess, path: string): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    get(`http://127.0.0.1:${ports.probe}${path}`, { agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => { text += part; }).once('end', () => resolve({ status: response.statusCode ?? 0, text }));
    }).once('error', reject);
  });
}
