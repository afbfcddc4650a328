import { Agent as HttpAgent, request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from 'node:https';
import type { Clock } from './clock.ts';
import type { KubeClient } from './kube-client.ts';
import { kubeErrorOf } from './kube-error.ts';
import type { WatchEvent } from './kube-object.ts';
import { describePlace, resourcePath, type ObjectPlace, type Place } from './resource-path.ts';

export interface ApiServerAddress {
  /** `https://HOST:PORT`; `http://` for a loopback address alone, as of `kubectl proxy`. */
  readonly server: string;
  /** PEM; the system's roots where there is none. A function is asked for every request, so that a new connection trusts a rotated CA. */
  readonly ca?: string | (() => string | Promise<string>);
  /** Asked for every request, so that a rotated token is used at once. */
  readonly token?: () => string | Promise<string>;
  /** As `token`, for whoever identifies otherwise. */
  readonly credentials?: () => ClientCredentials | Promise<ClientCredentials>;
  /** Trusts any certificate: what a kubeconfig calls `insecure-skip-tls-verify`. */
  readonly insecure?: boolean;
  /** Name that the server's certificate must carry, where it is not the host's. */
  readonly serverName?: string;
  /** Makes the connections, e.g. through a proxy; closing the client ends it. */
  readonly agent?: HttpAgent;
}

export interface ClientCredentials {
  readonly headers?: Readonly<Record<string, string>>;
  /** Client certificate and its key, as PEM. */
  readonly cert?: string;
  readonly key?: string;
}

export interface HttpsClientOptions extends ApiServerAddress {
  readonly clock: Clock;
  /** A request other than a watch that is not answered in full within so long has failed. Default 30 s. */
  readonly requestTimeoutMs?: number;
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly what: string;
  readonly body?: string;
  readonly contentType?: string;
  readonly signal?: AbortSignal | undefined;
}

type Open = (call: Call) => Promise<IncomingMessage>;

/** A client over kept HTTP/1.1 connections, one a running watch; `close` ends all of them. */
export function createHttpsClient(options: HttpsClientOptions): KubeClient & { close(): void } {
  const { open, close } = connect(options);
  const send = async <R>(method: string, place: Place | ObjectPlace, more: { readonly query?: object; readonly body?: unknown; readonly contentType?: string; readonly signal?: AbortSignal | undefined } = {}): Promise<R> => {
    const body = more.body === undefined ? {} : { body: JSON.stringify(more.body), contentType: more.contentType ?? 'application/json' };
    const call = { method, path: `${resourcePath(place)}${queryOf(more.query)}`, what: `${method} ${describePlace(place)}`, ...body };
    return exchange(open, options, call, more.signal) as Promise<R>;
  };
  return {
    close,
    list: (place, query, signal) => send('GET', place, { query, signal }),
    get: (place, signal) => send('GET', place, { signal }),
    create: (place, body, signal) => send('POST', 'subresource' in place ? place : { resource: place.resource, ...(place.namespace === undefined ? {} : { namespace: place.namespace }) }, { body, signal }),
    replace: (place, body, signal) => send('PUT', place, { body, signal }),
    patch: (place, body, signal) => send('PATCH', place, { body, contentType: 'application/merge-patch+json', signal }),
    // JSON is YAML, and the content type that every server since 1.22 takes is the YAML one.
    apply: (place, body, { fieldManager, force, signal }) => send('PATCH', place, { query: { fieldManager, force }, body, contentType: 'application/apply-patch+yaml', signal }),
    async delete(place, signal) { await send('DELETE', place, { signal }); },
    async watch(place, query, onEvent, signal) {
      const what = `watch of ${describePlace(place)}`;
      const path = `${resourcePath(place)}${queryOf({ ...query, watch: true, allowWatchBookmarks: true })}`;
      await readEvents(await open({ method: 'GET', path, what, signal }), what, onEvent);
    },
  };
}

function connect(address: ApiServerAddress): { readonly open: Open; readonly close: () => void } {
  const { server } = address;
  const url = new URL(server);
  if (url.protocol === 'http:' && !/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname)) throw new Error(`${server}: a token travels over https alone, or http to a loopback address.`);
  const secure = url.protocol !== 'http:';
  const kept = { keepAlive: true, keepAliveMsecs: 30_000 };
  const agent = address.agent ?? (secure ? new HttpsAgent(kept) : new HttpAgent(kept));
  const open: Open = async ({ method, path, what, body, contentType, signal }) => {
    const { headers: identity, ...connection } = await identify(address);
    const headers = {
      accept: 'application/json',
      ...identity,
      ...(body === undefined ? {} : { 'content-type': contentType, 'content-length': Buffer.byteLength(body) }),
    };
    const settings = { method, agent, headers, ...(signal === undefined ? {} : { signal }) };
    const to = new URL(path, url);
    const response = await answer(secure ? httpsRequest(to, { ...settings, ...connection }) : httpRequest(to, settings), body);
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) return response;
    throw kubeErrorOf(what, status, parsed(await readAll(response)), response.headers['retry-after']);
  };
  return { open, close: () => agent.destroy() };
}

/** Who asks and whom it trusts, for one request; connections are kept apart by what of it belongs to TLS. */
async function identify({ ca, token, credentials, insecure, serverName }: ApiServerAddress): Promise<Pick<RequestOptions, 'ca' | 'cert' | 'key' | 'rejectUnauthorized' | 'servername'> & { readonly headers: Readonly<Record<string, string>> }> {
  const trusted = typeof ca === 'function' ? await ca() : ca;
  const { headers, ...certificate } = (await credentials?.()) ?? {};
  return {
    headers: { ...bearer(await token?.()), ...headers },
    ...(trusted === undefined ? {} : { ca: trusted }),
    ...certificate,
    ...(insecure === true ? { rejectUnauthorized: false } : {}),
    ...(serverName === undefined ? {} : { servername: serverName }),
  };
}

function bearer(token: string | undefined): Readonly<Record<string, string>> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

function answer(request: ClientRequest, body: string | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve);
    // It stays: a connection may break after the answer has begun, which the answer tells.
    request.on('error', reject);
    request.end(body);
  });
}

async function exchange(open: Open, { clock, requestTimeoutMs = 30_000 }: HttpsClientOptions, call: Call, signal?: AbortSignal): Promise<unknown> {
  const late = new AbortController();
  const disarm = clock.after(requestTimeoutMs, () => late.abort());
  try {
    const body = parsed(await readAll(await open({ ...call, signal: signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]) })));
    // Never in the words of the parser: it repeats what stands there, and that may be a Secret.
    if (typeof body !== 'object' || body === null) throw new Error(`${call.what}: the answer is no JSON object: something else may answer in the API server's place`);
    return body;
  } catch (error) {
    if (late.signal.aborted) throw new Error(`${call.what}: the API server did not answer within ${requestTimeoutMs / 1_000} s`, { cause: error });
    throw error;
  } finally {
    disarm();
  }
}

async function readAll(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += String(chunk);
  return text;
}

/** One JSON object a line; a last line without an end was cut off. */
async function readEvents(response: IncomingMessage, what: string, onEvent: (event: WatchEvent) => void): Promise<void> {
  let rest: string[] = [];
  for await (const chunk of response.setEncoding('utf8')) {
    const [first = '', ...lines] = String(chunk).split('\n');
    rest.push(first);
    for (const line of lines) {
      receiveLine(rest.join(''), what, onEvent);
      rest = [line];
    }
  }
  if (rest.join('') !== '') throw new Error(`${what}: the last event was cut off`);
}

function receiveLine(line: string, what: string, onEvent: (event: WatchEvent) => void): void {
  if (line.trim() === '') return;
  const event = parsed(line) as Partial<WatchEvent> | undefined | null;
  if (typeof event?.type !== 'string' || typeof event.object !== 'object' || event.object === null) throw new Error(`${what}: a line that is no event`);
  onEvent({ type: event.type, object: event.object });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    // Some proxy's page, or half a line: it counts as no body at all.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function queryOf(query: object | undefined): string {
  const pairs = Object.entries(query ?? {}).map(([name, value]): [string, string] => [name, String(value)]);
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs).toString()}`;
}
