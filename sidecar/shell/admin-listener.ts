import { createServer, type Server } from 'node:http';
import type { Plane } from './plane.ts';

/** What the probes look at. */
export interface Probed {
  /** A table is served, or `degradedMs` passed without one. */
  started(): boolean;
  /** A table is served, and the sidecar is not closing. */
  ready(): boolean;
}

/** The port is open to every pod (control-plane: Security promises, 10): more than kubelet, scrapers and people need. */
const mostConnections = 256;
const headerLimit = 8 * 1024;
const silentMs = 10_000;

/** Probes and metrics. `/live` is true for as long as the event loop turns. Not listening yet. */
export function createAdminListener(plane: Plane, probed: Probed): Server {
  const server = createServer({ headersTimeout: silentMs, requestTimeout: silentMs, maxHeaderSize: headerLimit }, (request, response) => {
    const path = (request.url ?? '/').replace(/\?.*$/, '');
    const send = (status: number, body: string, type = 'text/plain; charset=utf-8'): void => {
      response.writeHead(status, { 'content-type': type, 'content-length': String(Buffer.byteLength(body)) });
      response.end(request.method === 'HEAD' ? '' : body);
    };
    request.resume();
    if (request.method !== 'GET' && request.method !== 'HEAD') return send(405, 'Probes and metrics take GET.\n');
    switch (path) {
      case '/live': return send(200, 'live\n');
      case '/startup': return probed.started() ? send(200, 'started\n') : send(503, 'No routing table has arrived yet.\n');
      case '/ready': return probed.ready() ? send(200, 'ready\n') : send(503, 'Not ready: no routing table yet, or closing.\n');
      case '/metrics':
        plane.metrics.text().then(
          (text) => send(200, text, plane.metrics.contentType),
          (error: unknown) => send(500, `The metrics could not be written: ${String(error)}\n`),
        );
        return;
      default: return send(404, `Nothing is served at ${path}. There are /startup, /ready, /live and /metrics.\n`);
    }
  });
  server.maxConnections = mostConnections;
  return server;
}
