import { describeProblem, type Clock, type EndpointEntry } from '@belay/contract';
import type { LogLine } from '@belay/sidecar/shell/sidecar-options.ts';
import { llamaArguments, type LocalModel } from './local-model.ts';
import { isHopeless, noRestarts, restartsAfterEnd, type Restarts } from './restarts.ts';
import type { ServerEnd, ServerHost, ServerProcess } from './server-host.ts';

const lookAgainMs = 250;
const pollReadyMs = 100;
const killAfterMs = 2_000;

export interface LocalServerOptions {
  readonly model: LocalModel;
  /** The model's file; it may appear later. */
  readonly file: string;
  readonly host: ServerHost;
  readonly clock: Clock;
  readonly log: (line: LogLine) => void;
  /** Called when `endpoint()` changed. */
  readonly onChange: () => void;
}

/** One llama-server that is kept running. */
export interface LocalServer {
  /** `Absent` where there is nothing to wait for: no llama-server, or one that cannot start. */
  endpoint(): EndpointEntry;
  /** Stops the server: SIGTERM, SIGKILL after 2 s (llama.cpp does not drain). Resolves when it is gone. */
  close(): Promise<void>;
}

interface Supervision {
  readonly options: LocalServerOptions;
  state: EndpointEntry['state'];
  /** Why it is Absent. */
  absence: string;
  /** Kept over restarts, so that pooled connections find the new server; given up with a start that failed. */
  port: number | null;
  running: ServerProcess | null;
  restarts: Restarts;
  readySinceMs: number;
  /** The last thing said to be missing: said once. */
  missing: string;
  /** The endpoint that `onChange` last told of, as JSON. */
  told: string;
  closed: boolean;
  disarm: () => void;
  onGone: () => void;
  /** The last start that failed and said why; null: none did since the server was ready. */
  failedStart: { readonly end: ServerEnd; readonly stderr: readonly string[] } | null;
}

/** A line of llama.cpp's log that says why. */
const reason = /error|fail/i;

/**
 * Waits for binary and model file, starts the server, polls its health until the model is loaded, and starts it again
 * when it ends.
 */
export function createLocalServer(options: LocalServerOptions): LocalServer {
  const nothing = (): void => {};
  const supervision: Supervision = {
    options, state: 'Loading', absence: '', port: null, running: null, restarts: noRestarts, readySinceMs: 0, missing: '', told: '',
    closed: false, disarm: nothing, onGone: nothing,
    failedStart: null,
  };
  begin(supervision);
  return { endpoint: () => endpointOf(supervision), close: () => stop(supervision) };
}

function endpointOf({ state, absence, port, options }: Supervision): EndpointEntry {
  const { name } = options.model;
  if (state === 'Absent') return { name, state, url: null, detail: absence };
  return { name, state, url: port === null ? null : `http://127.0.0.1:${port}/v1` };
}

function begin(supervision: Supervision): void {
  start(supervision).catch((error: unknown) => {
    ended(supervision, error instanceof Error ? error.message : String(error), []);
  });
}

async function start(supervision: Supervision): Promise<void> {
  const { options, restarts } = supervision;
  const server = programToStart(supervision);
  if (server === null) return later(supervision, lookAgainMs, () => begin(supervision));
  supervision.missing = '';
  supervision.port ??= await options.host.freePort();
  if (supervision.closed) return;
  enter(supervision, isHopeless(restarts) ? 'Absent' : 'Loading');
  const args = llamaArguments(options.model, options.file, supervision.port, options.host.cores);
  const process = options.host.start(server, args, (end) => ended(supervision, end, wordsOf(supervision, end, process.lastLines())));
  supervision.running = process;
  say(supervision, 'info', 'local-server-started', `llama-server started on port ${supervision.port}`, { pid: process.pid, port: supervision.port });
  pollReady(supervision, process, options.clock.nowMs());
}

/** The program, where everything is there to start it; null says once what is missing. */
function programToStart(supervision: Supervision): string | null {
  const { host, file } = supervision.options;
  const server = host.findServer();
  if (!server.ok) {
    supervision.absence = server.problems.map(describeProblem).join('; ');
    sayMissing(supervision, 'local-server-missing', `${supervision.absence}; its targets are left out until then`);
    enter(supervision, 'Absent');
    return null;
  }
  const seen = host.lookAtModel(file);
  if (seen === 'Whole') return server.value;
  if (seen === 'Missing') sayMissing(supervision, 'local-model-missing', `its model file is not there yet: put the GGUF file at ${file}; requests wait or go to other targets`);
  enter(supervision, 'Loading');
  return null;
}

function pollReady(supervision: Supervision, process: ServerProcess, startedMs: number): void {
  const { host, clock } = supervision.options;
  later(supervision, pollReadyMs, () => void check());
  async function check(): Promise<void> {
    const ready = supervision.port !== null && await host.isReady(supervision.port);
    if (supervision.closed || supervision.running !== process) return;
    if (!ready) return pollReady(supervision, process, startedMs);
    supervision.readySinceMs = clock.nowMs();
    supervision.restarts = { ...supervision.restarts, failedStarts: 0 };
    supervision.failedStart = null;
    say(supervision, 'info', 'local-server-ready', `ready after ${((clock.nowMs() - startedMs) / 1000).toFixed(1)} s`, { pid: process.pid, port: supervision.port });
    enter(supervision, 'Ready');
  }
}

/**
 * What a server that ended has said. llama.cpp's exit does not wait for the thread that writes its log, so a failed start
 * may lose its last lines: where none is left that says why, the words of an earlier one that ended alike stand in.
 */
function wordsOf(supervision: Supervision, end: ServerEnd, stderr: readonly string[]): readonly string[] {
  const { state, failedStart } = supervision;
  if (state === 'Ready') return stderr;
  if (stderr.some((line) => reason.test(line))) supervision.failedStart = { end, stderr };
  else if (failedStart?.end === end) return failedStart.stderr;
  return stderr;
}

function ended(supervision: Supervision, end: ServerEnd, stderr: readonly string[]): void {
  supervision.running = null;
  if (supervision.closed) return supervision.onGone();
  const wasReady = supervision.state === 'Ready';
  const readyForMs = wasReady ? supervision.options.clock.nowMs() - supervision.readySinceMs : null;
  const { waitMs, restarts } = restartsAfterEnd(supervision.restarts, readyForMs);
  supervision.restarts = restarts;
  if (!wasReady) supervision.port = null;
  const what = wasReady ? `llama-server ended (${end})` : `llama-server could not start (${describeEnd(end, stderr)})`;
  supervision.absence = what;
  const then = isHopeless(restarts) ? 'its targets are left out until it does' : `starting it again in ${waitMs / 1000} s`;
  say(supervision, isHopeless(restarts) ? 'error' : 'warn', 'local-server-ended', `${what}; ${then}`, { stderr });
  enter(supervision, isHopeless(restarts) ? 'Absent' : 'Loading');
  later(supervision, waitMs, () => begin(supervision));
}

function stop(supervision: Supervision): Promise<void> {
  supervision.closed = true;
  supervision.disarm();
  const { running } = supervision;
  if (running === null) return Promise.resolve();
  return new Promise((resolve) => {
    supervision.onGone = () => {
      supervision.disarm();
      resolve();
    };
    running.kill('SIGTERM');
    later(supervision, killAfterMs, () => running.kill('SIGKILL'));
  });
}

function later(supervision: Supervision, delayMs: number, callback: () => void): void {
  supervision.disarm();
  supervision.disarm = supervision.options.clock.after(delayMs, callback);
}

function enter(supervision: Supervision, state: Supervision['state']): void {
  supervision.state = state;
  const endpoint = JSON.stringify(endpointOf(supervision));
  if (endpoint === supervision.told) return;
  supervision.told = endpoint;
  supervision.options.onChange();
}

function say({ options }: Supervision, level: LogLine['level'], event: string, message: string, fields: Record<string, unknown> = {}): void {
  options.log({ level, event, message: `local model ${options.model.name}: ${message}`, provider: options.model.name, ...fields });
}

function sayMissing(supervision: Supervision, event: string, message: string): void {
  if (message !== supervision.missing) say(supervision, 'warn', event, message);
  supervision.missing = message;
}

function describeEnd(end: ServerEnd, stderr: readonly string[]): string {
  if (end === 'SIGILL') return 'SIGILL: it was built for a processor with more instructions than this one; set BELAY_LLAMA_SERVER to a build for this one';
  const last = stderr.at(-1);
  return last === undefined ? end : `${end}: ${last}`;
}
