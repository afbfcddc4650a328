import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { playAttempt } from './play-attempt.ts';
import type { Attempt } from './stand-in-script.ts';

/** One request as the stand-in saw it. Times are `performance.now()` of this process. */
export interface Seen {
  /** Counts from 1 over all requests of this stand-in. */
  readonly number: number;
  readonly atMs: number;
  readonly method: string;
  readonly path: string;
  readonly headers: { readonly [name: string]: string | string[] | undefined };
  readonly text: string;
  /** undefined: the body is not JSON. */
  readonly json: unknown;
  /** The connection had served a request before. */
  readonly reused: boolean;
  /** Met with a reset by `onReused`: no attempt of its own, the script does not move on. */
  readonly reset: boolean;
  /** What was sent so far: the answer's body before compression. */
  readonly sent: () => string;
  /** When the caller closed the connection before the answer was whole; null: it did not. */
  readonly closedByCallerAtMs: () => number | null;
  /** When the answer was over, in whichever way; null: it is not. */
  readonly endedAtMs: () => number | null;
}

export interface StandInOptions {
  /** Stands in the ids of answers: `chatcmpl-A1`. */
  readonly name: string;
  /** One entry an attempt; the last repeats. */
  readonly script: readonly Attempt[];
  /** The one key that it takes: a request with another, or none, is answered 401 and is no attempt of the script. */
  readonly key?: string;
  /** `model` of an answer whose attempt names none. */
  readonly model?: string;
  /** PEM texts: serve https. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Where it listens; 127.0.0.1 and any free port by default. */
  readonly address?: string;
  readonly port?: number;
  /** Told of each request as it comes, before the answer. */
  readonly onRequest?: (seen: Seen) => void;
}

/** An OpenAI-compatible upstream on loopback that answers from a script. */
export interface StandIn {
  readonly name: string;
  readonly port: number;
  /** `http://127.0.0.1:PORT`, without a path. */
  readonly origin: string;
  readonly requests: readonly Seen[];
  /** Goes on with this script from its first entry. */
  setScript(script: readonly Attempt[]): void;
  /** Refuses connections from now on, and resets those there are; may be called twice, like `listen`. */
  refuse(): Promise<void>;
  /** Listens again, at the same port. */
  listen(): Promise<void>;
  close(): Promise<void>;
}

/** Listens at once; at any free port of 127.0.0.1 where the options name no other. */
export async function createStandIn(options: StandInOptions): Promise<StandIn> {
  const sockets = new Set<Socket>();
  const served = new WeakMap<Socket, number>();
  const requests: Seen[] = [];
  let script = options.script;
  let position = 0;
  let attempts = 0;
  let port = options.port ?? 0;
  let server: Server | null = null;

  function nextAttempt(request: IncomingMessage, reused: boolean): { readonly attempt: Attempt; readonly reset: boolean } {
    const refusal = refusalOf(options.key, request);
    if (refusal !== null) return { attempt: refusal, reset: false };
    const attempt = script[Math.min(position, script.length - 1)];
    if (attempt === undefined) throw new Error(`stand-in ${options.name} has an empty script`);
    const reset = attempt.onReused === 'reset' && reused;
    if (!reset) position++;
    return { attempt, reset };
  }

  async function onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const atMs = performance.now();
    const { socket } = request;
    const before = served.get(socket) ?? 0;
    served.set(socket, before + 1);
    const text = await readText(request);
    if (text === null) return;
    const { attempt, reset } = nextAttempt(request, before > 0);
    const record = recordOf(request, response, { number: requests.length + 1, atMs, text, reused: before > 0, reset });
    requests.push(record.seen);
    options.onRequest?.(record.seen);
    if (reset) return void socket.resetAndDestroy();
    attempts++;
    await playAttempt(attempt, response, {
      asked: askedBy(record.seen.json),
      identity: { id: `chatcmpl-${options.name}${attempts}`, model: attempt.model ?? options.model ?? `model-of-${options.name.toLowerCase()}` },
      onSent: record.onSent,
      onClosing: record.onClosing,
    });
  }

  async function listen(): Promise<void> {
    if (server?.listening === true) return;
    const listener = (request: IncomingMessage, response: ServerResponse): void => {
      onRequest(request, response).catch((error: unknown) => response.destroy(error as Error));
    };
    const made = options.tls === undefined ? createHttpServer(listener) : createHttpsServer(options.tls, listener);
    server = made;
    made.keepAliveTimeout = 0;
    made.requestTimeout = 0;
    made.on(options.tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
      sockets.add(socket.setNoDelay(true));
      socket.on('close', () => sockets.delete(socket));
    });
    await new Promise<void>((resolve, reject) => made.once('error', reject).listen(port, options.address ?? '127.0.0.1', resolve));
    port = (made.address() as AddressInfo).port;
  }

  async function refuse(): Promise<void> {
    if (server?.listening !== true) return;
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    server.close(() => resolve());
    for (const socket of sockets) socket.resetAndDestroy();
    await closed;
  }

  await listen();
  return {
    name: options.name,
    port,
    origin: `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    requests,
    setScript: (next) => {
      script = next;
      position = 0;
    },
    refuse,
    listen,
    close: refuse,
  };
}

/** As OpenAI answers a key that is none of its own: with that key in its words. null: the key is right. */
function refusalOf(key: string | undefined, { headers: { authorization = '' } }: IncomingMessage): Attempt | null {
  if (key === undefined || authorization === `Bearer ${key}`) return null;
  return { status: 401, json: { error: { message: `Incorrect API key provided: ${authorization.replace(/^Bearer /, '')}.`, type: 'invalid_request_error', param: null, code: 'invalid_api_key' } } };
}

interface Recording {
  readonly seen: Seen;
  readonly onSent: (text: string) => void;
  readonly onClosing: () => void;
}

interface Arrival {
  readonly number: number;
  readonly atMs: number;
  readonly text: string;
  readonly reused: boolean;
  readonly reset: boolean;
}

function recordOf(request: IncomingMessage, response: ServerResponse, arrival: Arrival): Recording {
  let sent = '';
  let closedByScript = false;
  let closedByCallerAtMs: number | null = null;
  let endedAtMs: number | null = null;
  response.on('close', () => {
    endedAtMs = performance.now();
    if (!response.writableFinished && !closedByScript && !arrival.reset) closedByCallerAtMs = endedAtMs;
  });
  const seen: Seen = {
    ...arrival,
    method: request.method ?? '',
    path: request.url ?? '',
    headers: request.headers,
    json: jsonOrUndefined(arrival.text),
    sent: () => sent,
    closedByCallerAtMs: () => closedByCallerAtMs,
    endedAtMs: () => endedAtMs,
  };
  return { seen, onSent: (text) => (sent += text), onClosing: () => (closedByScript = true) };
}

/** null: the caller left before its request was whole. */
async function readText(request: IncomingMessage): Promise<string | null> {
  const parts: Buffer[] = [];
  try {
    for await (const part of request) parts.push(part as Buffer);
  } catch (error) {
    if (request.destroyed) return null;
    throw error;
  }
  return Buffer.concat(parts).toString('utf8');
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function askedBy(json: unknown): { readonly stream: boolean; readonly includeUsage: boolean } {
  const body = (typeof json === 'object' && json !== null ? json : {}) as { readonly stream?: unknown; readonly stream_options?: { readonly include_usage?: unknown } };
  return { stream: body.stream === true, includeUsage: body.stream_options?.include_usage === true };
}
