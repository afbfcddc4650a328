import { spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { get } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { WallClock } from '@belay/contract';
import { findLlamaServer } from './find-llama-server.ts';
import type { ServerEnd, ServerHost, ServerProcess } from './server-host.ts';

const keptLines = 20;
/** A model file that was written to within this time may still be growing. */
const settledAfterMs = 1_000;
const healthTimeoutMs = 1_000;

/**
 * The shell becomes the server (same pid), beside a watcher that kills it when the pipe on descriptor 3 ends without a
 * line: so the server is gone also where this process was ended with SIGKILL. A line sends the watcher home.
 */
const guard = '(read -r line <&3 || kill -KILL $$) >/dev/null 2>&1 & exec "$0" "$@" 3<&-';

/**
 * llama-server on this machine, bound to loopback. It answers those alone who send `key`, for it lets every web page ask (CORS); its environment
 * brings it the key, since everybody sees arguments.
 */
export function createMachineHost(env: NodeJS.ProcessEnv, wallClock: WallClock, key: string): ServerHost {
  return {
    cores: availableParallelism(),
    findServer: () => findLlamaServer(env),
    lookAtModel: (file) => lookAtModel(file, wallClock()),
    freePort,
    start: (server, args, onEnd) => startGuarded(server, args, { ...env, LLAMA_API_KEY: key }, onEnd),
    isReady,
  };
}

function lookAtModel(file: string, now: number): 'Missing' | 'Growing' | 'Whole' {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined || !found.isFile() || found.size === 0) return 'Missing';
  return Math.abs(now - found.mtimeMs) < settledAfterMs ? 'Growing' : 'Whole';
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

function startGuarded(server: string, args: readonly string[], env: NodeJS.ProcessEnv, onEnd: (end: ServerEnd) => void): ServerProcess {
  // A session of its own: Ctrl-C reaches Belay alone, which lets requests end before it stops the server.
  const child = spawn('sh', ['-c', guard, server, ...args], { detached: true, env, stdio: ['ignore', 'ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  const stderr = createInterface({ input: child.stdio[2] as Readable });
  stderr.on('line', (line) => {
    lines.push(line);
    if (lines.length > keptLines) lines.shift();
  });
  const watcher = child.stdio[3] as Writable;
  // The watcher is gone first where both were killed; its pipe has nobody to tell then.
  watcher.on('error', () => watcher.destroy());
  let ended = false;
  const end = (how: ServerEnd): void => {
    if (ended) return;
    ended = true;
    onEnd(how);
  };
  child.once('error', (error) => end(error.message));
  // Not 'exit': what the server said last is still on its way then.
  child.once('close', (code, signal) => end(signal ?? `exit code ${code}`));
  child.once('exit', () => watcher.end('\n'));
  return {
    pid: child.pid ?? null,
    kill: (signal) => void child.kill(signal),
    lastLines: () => [...lines],
  };
}

function isReady(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path: '/health', agent: false, timeout: healthTimeoutMs }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    request.once('timeout', () => request.destroy());
    request.once('error', () => resolve(false));
    request.once('close', () => resolve(false));
  });
}
