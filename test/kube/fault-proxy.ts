import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { readFileSync } from 'node:fs';

export type Fault =
  | { readonly kind: 'none' }
  | { readonly kind: '429'; readonly retryAfterSeconds: number }
  | { readonly kind: '500' }
  | { readonly kind: '410' }
  /** The connection is reset before a word of answer. */
  | { readonly kind: 'reset' }
  /** The request is taken and never answered. */
  | { readonly kind: 'silence' }
  /** The first lines pass, then the stream falls silent and stays open. */
  | { readonly kind: 'falls-silent'; readonly afterLines: number }
  /** The first lines pass, then half of the next, then the connection is reset. */
  | { readonly kind: 'truncated'; readonly afterLines: number }
  /** As before, but the stream ends as if it were whole. */
  | { readonly kind: 'half-line'; readonly afterLines: number }
  /** The first lines pass, then an ERROR of the API server's own shape. */
  | { readonly kind: 'error-event'; readonly afterLines: number };

export interface FaultProxy {
  readonly url: string;
  /** What was asked so far, and what became of it. */
  readonly asked: readonly { readonly path: string; readonly watch: boolean; readonly fault: Fault['kind']; readonly atMs: number }[];
  close(): Promise<void>;
}

/** A loopback HTTP server before a real API server; `choose` picks what befalls each request. */
export async function startFaultProxy(target: { readonly url: string; readonly caFile: string }, choose: (asked: { readonly watch: boolean; readonly path: string }) => Fault): Promise<FaultProxy> {
  const asked: FaultProxy['asked'][number][] = [];
  const ca = readFileSync(target.caFile);
  const server = createServer((incoming, outgoing) => {
    const watch = incoming.url?.includes('watch=true') === true;
    const fault = choose({ watch, path: incoming.url ?? '' });
    asked.push({ path: incoming.url ?? '', watch, fault: fault.kind, atMs: performance.now() });
    if (!refused(fault, outgoing)) pass(target.url, ca, incoming, outgoing, fault);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: () => new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    }),
  };
}

function refused(fault: Fault, outgoing: ServerResponse): boolean {
  switch (fault.kind) {
    case '429': outgoing.writeHead(429, { 'retry-after': String(fault.retryAfterSeconds) }).end('too many requests'); return true;
    case '500': outgoing.writeHead(500).end(status(500, 'InternalError')); return true;
    case '410': outgoing.writeHead(410).end(status(410, 'Expired')); return true;
    case 'reset': outgoing.socket?.resetAndDestroy(); return true;
    case 'silence': return true;
    default: return false;
  }
}

function status(code: number, reason: string): string {
  return JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', message: `injected ${reason}`, reason, code });
}

function pass(url: string, ca: Buffer, incoming: IncomingMessage, outgoing: ServerResponse, fault: Fault): void {
  const { host: _, ...headers } = incoming.headers;
  const upstream = request(new URL(incoming.url ?? '/', url), { method: incoming.method ?? 'GET', headers, ca, agent: false }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, { 'content-type': answer.headers['content-type'] ?? 'application/json' });
    outgoing.flushHeaders();
    answer.on('error', () => outgoing.destroy());
    if ('afterLines' in fault) cutShort(answer, outgoing, fault);
    else answer.pipe(outgoing);
  });
  upstream.on('error', () => outgoing.destroy());
  outgoing.on('close', () => upstream.destroy());
  incoming.pipe(upstream);
}

function cutShort(answer: IncomingMessage, outgoing: ServerResponse, fault: Extract<Fault, { readonly afterLines: number }>): void {
  let lines = 0;
  let text = '';
  answer.setEncoding('utf8').on('end', () => outgoing.end()).on('data', (chunk: string) => {
    text += chunk;
    for (let end = text.indexOf('\n'); end >= 0 && lines <= fault.afterLines; end = text.indexOf('\n')) {
      const line = text.slice(0, end + 1);
      text = text.slice(end + 1);
      if (lines++ < fault.afterLines) outgoing.write(line);
      else spoil(line, outgoing, fault.kind);
    }
  });
}

function spoil(line: string, outgoing: ServerResponse, kind: Fault['kind']): void {
  if (kind === 'error-event') outgoing.end(`${JSON.stringify({ type: 'ERROR', object: JSON.parse(status(410, 'Expired')) as unknown })}\n`);
  else if (kind === 'half-line') outgoing.end(line.slice(0, line.length / 2));
  else if (kind === 'truncated') outgoing.write(line.slice(0, line.length / 2), () => outgoing.socket?.resetAndDestroy());
}
