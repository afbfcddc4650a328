import { createServer, request as send, type Agent, type IncomingHttpHeaders, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { canonicalJson, type ChainEntry, type Clock, type Decision, type ProviderEntry, type RoutingTable, type TargetEntry } from '@belay/contract';
import { createSidecar } from '@belay/sidecar/shell/create-sidecar.ts';
import type { LogLine, Sidecar, SidecarOptions } from '@belay/sidecar/shell/sidecar-options.ts';
import { systemClock, systemWallClock } from '@belay/sidecar/shell/system-clock.ts';

/** A provider of a test: what it does with each request, and what may differ from the usual entry. */
export interface StandIn {
  readonly handler: (request: IncomingMessage, response: ServerResponse, body: string) => void;
  readonly provider?: Partial<ProviderEntry>;
  readonly target?: Partial<TargetEntry>;
}

/** A sidecar and its stand-ins on free ports of loopback. */
export interface RunningSidecar {
  readonly port: number;
  readonly adminPort: number;
  readonly sidecar: Sidecar;
  readonly log: LogLine[];
  /** Where a stand-in answers. */
  readonly url: (name: string) => string;
  readonly server: (name: string) => Server;
  /** Timers of the sidecar that would still fire. */
  readonly armed: () => number;
  readonly table: (chain?: Partial<ChainEntry>) => RoutingTable;
  close(): Promise<void>;
}

/** Starts stand-ins and a sidecar with one chain `chat` over them, in their order. */
export async function runSidecar(standIns: { readonly [name: string]: StandIn }, chain: Partial<ChainEntry> = {}, options: Partial<SidecarOptions> = {}): Promise<RunningSidecar> {
  const servers = new Map<string, Server>();
  for (const [name, { handler }] of Object.entries(standIns)) servers.set(name, await listening(withBody(handler)));
  const url = (name: string): string => `http://127.0.0.1:${portOf(servers.get(name))}/v1`;
  const { clock, armed } = countingClock();
  const log: LogLine[] = [];
  const sidecar = createSidecar({
    address: '127.0.0.1', port: 0, adminAddress: '127.0.0.1', adminPort: 0, podName: 'pod', standalone: true, allowOrigins: [], clientKey: null,
    faults: [], clock, wallClock: systemWallClock, random: () => 0.5, log: (line) => log.push(line), ...options,
  });
  const table = (more: Partial<ChainEntry> = {}): RoutingTable => tableOf(standIns, url, { ...chain, ...more });
  const applied = sidecar.applyTable(table());
  if (!applied.ok) throw new Error(JSON.stringify(applied.problems));
  const stopStandIns = (): void => {
    for (const server of servers.values()) {
      server.closeAllConnections();
      server.close();
    }
  };
  const ports = await sidecar.listen().catch((error: unknown) => {
    stopStandIns();
    throw error;
  });
  return {
    ...ports, sidecar, log, url, armed, table,
    server: (name) => servers.get(name)!,
    async close() {
      await sidecar.close(0);
      stopStandIns();
    },
  };
}

/** A table with one chain; its version is the content itself. */
function tableOf(standIns: { readonly [name: string]: StandIn }, url: (name: string) => string, chain: Partial<ChainEntry>): RoutingTable {
  const providers = Object.entries(standIns).map(([name, { provider }]): ProviderEntry => ({
    name, preset: null, dialect: 'OpenAI', address: url(name), inCluster: true, allowInsecureHTTP: false, needsKey: false, suspended: false, failureDomain: name,
    cancellation: 'Unknown', timeouts: { connectMs: null, firstContentMs: null, idleMs: null }, headers: [], caCertificates: [], concurrency: null, ...provider,
  })).sort((a, b) => (a.name < b.name ? -1 : 1));
  const targets = Object.entries(standIns).map(([name, { target }]): TargetEntry => ({ name, provider: name, model: `model-${name}`, tier: 'InterProvider', contextTokens: null, suspended: false, ...target }));
  const entry: ChainEntry = {
    name: 'chat', modelNames: ['chat'], fallbackMode: 'Sequential', latencyBudgetMs: null, deadlineMs: 600_000, retries: 1, egress: 'Any', targets,
    race: { prefer: 'Primary', hedgeDelayMs: null, extraRequests: 0.05 }, rateLimitWaitUpToMs: 0, unroutable: null, ...chain,
  };
  const content = { schemaVersion: 1 as const, namespace: 'tests', providers, chains: [entry] };
  return { ...content, version: `sha256:${Buffer.from(canonicalJson(content)).toString('hex').slice(0, 64).padEnd(64, '0')}` };
}

export interface ClientAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The connection broke before the answer's normal end. */
  readonly broken: boolean;
}

export interface ClientCall {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: { readonly [name: string]: string };
  readonly body?: string | object;
}

/** One request to a port of loopback, read to its end however it ends. */
export function call(port: number, { method = 'POST', path = '/v1/chat/completions', headers = {}, body }: ClientCall): Promise<ClientAnswer> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
    const sent = send({ host: '127.0.0.1', port, method, path, agent: false, headers: { ...(method === 'POST' ? { 'content-type': 'application/json' } : {}), ...headers } }, (answer) => {
      let read = '';
      const end = (broken: boolean): void => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: read, broken });
      answer.setEncoding('utf8').on('data', (part: string) => (read += part));
      answer.on('end', () => end(false)).on('error', () => end(true));
    });
    sent.on('error', reject);
    sent.end(text);
  });
}

/** What the sidecar remembers of its requests, the latest first. */
export async function decisions(port: number): Promise<Decision[]> {
  return (JSON.parse((await call(port, { method: 'GET', path: '/belay/decisions' })).body) as { decisions: Decision[] }).decisions;
}

/** A chat request as SDKs send it. */
export function chat(more: object = {}): object {
  return { model: 'chat', messages: [{ role: 'user', content: 'hello' }], ...more };
}

/** A whole answer of a stand-in. */
export function answerOf(text: string, model = 'served'): string {
  return JSON.stringify({ id: 'one', object: 'chat.completion', created: 1, model, choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }], usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } });
}

/** One event of a stream. */
export function event(delta: object, finish: string | null = null, model = 'served'): string {
  return `data: ${JSON.stringify({ id: 'one', object: 'chat.completion.chunk', created: 1, model, choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
}

/** A stand-in that answers well, streamed or not as asked. */
export function says(text: string): StandIn['handler'] {
  return (_request, response, body) => {
    if ((JSON.parse(body) as { stream?: boolean }).stream !== true) {
      response.writeHead(200, { 'content-type': 'application/json', 'x-request-id': 'theirs' }).end(answerOf(text));
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream', 'x-request-id': 'theirs' });
    response.end(`${event({ role: 'assistant', content: '' })}${event({ content: text })}${event({}, 'stop')}data: [DONE]\n\n`);
  };
}

/** A stand-in that answers this status. */
export function refuses(status: number, headers: { readonly [name: string]: string } = {}, body = '{"error":{"message":"no","type":"server_error","param":null,"code":null}}'): StandIn['handler'] {
  return (_request, response) => void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
}

function withBody(handler: StandIn['handler']): RequestListener {
  return (request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => (body += part));
    request.on('end', () => handler(request, response, body));
  };
}

async function listening(handler: RequestListener): Promise<Server> {
  const server = createServer({ keepAliveTimeout: 60_000 }, handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

function portOf(server: Server | undefined): number {
  return (server?.address() as AddressInfo).port;
}

function countingClock(): { clock: Clock; armed: () => number } {
  const running = new Set<object>();
  return {
    armed: () => running.size,
    clock: {
      nowMs: () => systemClock.nowMs(),
      after(delayMs, callback) {
        const timer = {};
        running.add(timer);
        const stop = systemClock.after(delayMs, () => {
          running.delete(timer);
          callback();
        });
        return () => {
          running.delete(timer);
          stop();
        };
      },
    },
  };
}

/** A client that reads a stream as it comes. */
export interface StreamingClient {
  /** Resolves once what came so far holds these words. */
  readonly sees: (words: string) => Promise<void>;
  readonly read: () => string;
  readonly head: () => IncomingMessage | null;
  /** Resolves when the answer is over; true: it broke before its normal end. */
  readonly ended: Promise<boolean>;
  leave(): void;
}

/** Sends a chat request and goes on while its answer comes. */
export function open(port: number, body: object, headers: { readonly [name: string]: string } = {}, agent: Agent | false = false): StreamingClient {
  let read = '';
  let head: IncomingMessage | null = null;
  const { promise: ended, resolve } = Promise.withResolvers<boolean>();
  const sent = send({ host: '127.0.0.1', port, method: 'POST', path: '/v1/chat/completions', agent, headers: { 'content-type': 'application/json', ...headers } }, (answer) => {
    head = answer;
    answer.setEncoding('utf8').on('data', (part: string) => (read += part));
    answer.on('end', () => resolve(false)).on('error', () => resolve(true));
  });
  sent.on('error', () => resolve(true));
  sent.end(JSON.stringify(body));
  return { sees: (words) => until(() => read.includes(words)), read: () => read, head: () => head, ended, leave: () => void sent.destroy() };
}

/** Resolves once this holds; looked at on each turn of the event loop, so nothing sleeps. Fails after a while. */
export async function until(holds: () => boolean, withinMs = 4_000): Promise<void> {
  const limitMs = systemClock.nowMs() + withinMs;
  while (!holds()) {
    if (systemClock.nowMs() > limitMs) throw new Error(`still not so after ${withinMs} ms: ${holds.toString()}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Resolves once a figure has been the same for 300 ms: everything that moves by itself has come to rest. */
export async function unchanging(figure: () => number): Promise<void> {
  let last = figure();
  let sinceMs = systemClock.nowMs();
  // Turns count too: a machine that was busy elsewhere moved nothing meanwhile.
  let turns = 0;
  await until(() => {
    const now = figure();
    turns += 1;
    if (now !== last) [sinceMs, turns] = [systemClock.nowMs(), 0];
    last = now;
    return turns > 1_000 && systemClock.nowMs() - sinceMs > 300;
  }, 20_000);
}
