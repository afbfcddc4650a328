import { createServer, type Server } from 'node:http';

/** What the kubelet and a scraper ask. */
export interface ProbeServerOptions {
  /** Why the process should be started anew; null: it should not. */
  readonly notAlive: () => string | null;
  /** Why nobody should be sent to it; null: it is ready. */
  readonly notReady: () => string | null;
  readonly metrics: () => Promise<{ readonly text: string; readonly contentType: string }>;
}

export interface ProbeServer {
  /** Resolves to the port; rejects where it cannot listen there. */
  listen(address: string, port: number): Promise<number>;
  close(): Promise<void>;
}

/** The port is open to every pod (control-plane: Security promises, 10): more than kubelet, scrapers and people need. */
const mostConnections = 256;
const headerLimit = 8 * 1024;
const silentMs = 10_000;

/** `/live`, `/ready` and `/metrics` over http. That it answers shows that the event loop turns. */
export function createProbeServer({ notAlive, notReady, metrics }: ProbeServerOptions): ProbeServer {
  const server: Server = createServer({ headersTimeout: silentMs, requestTimeout: silentMs, maxHeaderSize: headerLimit }, (request, response) => {
    const answer = (status: number, text: string, contentType = 'text/plain; charset=utf-8'): void => void response.writeHead(status, { 'content-type': contentType }).end(text);
    const judge = (problem: string | null): void => answer(problem === null ? 200 : 503, `${problem ?? 'ok'}\n`);
    if (request.method !== 'GET' && request.method !== 'HEAD') return answer(405, 'GET /live, /ready or /metrics\n');
    switch (request.url?.split('?')[0]) {
      case '/live': return judge(notAlive());
      case '/ready': return judge(notReady());
      case '/metrics': return void metrics().then(({ text, contentType }) => answer(200, text, contentType), (error: unknown) => answer(500, `${String(error)}\n`));
      default: return answer(404, 'There are /live, /ready and /metrics here.\n');
    }
  });
  server.maxConnections = mostConnections;
  return {
    listen: (address, port) => new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, address, () => {
        const at = server.address();
        resolve(typeof at === 'object' && at !== null ? at.port : port);
      });
    }),
    close: () => new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    }),
  };
}
