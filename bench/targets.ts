import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chainManifest, manifestText, providerManifests } from '../test/support/manifests.ts';
import { askOnce } from './ask-once.ts';
import { endProcess, nodeArguments, startProcess } from './processes.ts';
import type { UpstreamPorts } from './upstream-mode.ts';

/** How long a silent primary may be waited for. */
export const patienceMs = 2_000;

export const targetNames = ['direct', 'floor', 'belay', 'belay 2s'] as const;
/** Those that give a silent primary up after `patienceMs`; a chain without latency budget waits 10 s. */
export const patientNames: readonly TargetName[] = ['floor', 'belay 2s'];
export type TargetName = (typeof targetNames)[number];

/** What each column is. */
export const targetNotes: { readonly [name in TargetName]: string } = {
  direct: 'the load generator straight at the upstream',
  floor: 'bench/floor-proxy.ts, the least that a proxy in Node costs',
  belay: '`belay run`, a sequential chain without latency budget: bytes of an unary answer pass as they are',
  'belay 2s': '`belay run`, `latencyBudget: 2s`: every answer is streamed upstream, and put together for a unary client',
};

export interface RunningTarget {
  readonly url: string;
  readonly model: string;
  /** null: nothing runs (direct). */
  readonly pid: number | null;
  /** From the start of the process to the end of its first answer; null: nothing was started. */
  readonly startMs: number | null;
  close(): Promise<void>;
}

const model = 'bench';

/** Starts a target; resolves with its first whole answer. */
export async function startTarget(name: TargetName, ports: UpstreamPorts): Promise<RunningTarget> {
  if (name === 'direct') return { url: urlAt(ports.primary), model, pid: null, startMs: null, close: () => Promise.resolve() };
  const folder = mkdtempSync(join(tmpdir(), 'belay-bench-'));
  const port = await freePort();
  const command = name === 'floor'
    ? nodeArguments('./floor-proxy.ts', String(port), String(patienceMs), String(ports.primary), String(ports.fallback))
    : belayCommand(folder, port, name === 'belay 2s', ports);
  const startedMs = performance.now();
  const child = startProcess('measured', command);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (part: Buffer) => (said = (said + part.toString()).slice(-2_000)));
  while (!(await askOnce(urlAt(port), model, { stream: false, limitMs: 5_000 })).whole) {
    if (child.exitCode !== null || performance.now() - startedMs > 60_000) throw new Error(`${name} does not answer: ${said}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return {
    url: urlAt(port), model, pid: child.pid ?? null, startMs: performance.now() - startedMs,
    close: async () => {
      await endProcess(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function belayCommand(folder: string, port: number, budget: boolean, ports: UpstreamPorts): readonly string[] {
  const names = ['primary', 'fallback'] as const;
  const file = join(folder, 'bench.yaml');
  writeFileSync(file, manifestText([
    ...names.flatMap((name) => providerManifests({ name, spec: { dialect: 'OpenAI', baseURL: `http://127.0.0.1:${ports[name]}/v1` } })),
    chainManifest(model, { retries: 0, ...(budget ? { latencyBudget: `${patienceMs}ms` } : {}), targets: names.map((name) => ({ providerRef: { name }, model: 'm' })) }),
  ]));
  // As a user starts it: its first line says with which flags.
  return [new URL('../cli/bin/belay.mjs', import.meta.url).pathname, 'run', '-f', file, '--port', String(port), '--admin-port', '0'];
}

function urlAt(port: number): string {
  return `http://127.0.0.1:${port}/v1/chat/completions`;
}

/** A port that nobody listened on a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
