// The smallest proxy in node:http that still falls back before the first content: what a data plane in TypeScript starts
// from. Measured beside Belay, never shipped: no breaker, no retries, no manifests, no metrics, no record.
//   node floor-proxy.ts PORT BUDGET_MS PRIMARY_PORT FALLBACK_PORT
import { Agent, createServer, request, type IncomingHttpHeaders, type ServerResponse } from 'node:http';

const [port = 0, budgetMs = 2_000, ...chain] = process.argv.slice(2).map(Number);
const agent = new Agent({ keepAlive: true, scheduling: 'lifo' });
const contentKey = Buffer.from('"content":"');
const quote = 34;

createServer(async (incoming, outgoing) => {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part as Buffer);
  const body = Buffer.concat(parts);
  for (const [index, upstream] of chain.entries()) {
    if (await attempt({ upstream, headers: incoming.headers, path: incoming.url ?? '/', body, outgoing, last: index === chain.length - 1 })) return;
  }
  if (!outgoing.headersSent) outgoing.writeHead(502);
  outgoing.end();
}).listen(port, '127.0.0.1');

interface Attempt {
  readonly upstream: number;
  readonly headers: IncomingHttpHeaders;
  readonly path: string;
  readonly body: Buffer;
  readonly outgoing: ServerResponse;
  readonly last: boolean;
}

/** True once the client has its answer, or the beginning of it. */
function attempt({ upstream, headers, path, body, outgoing, last }: Attempt): Promise<boolean> {
  return new Promise((resolve) => {
    let committed = false;
    const sent = request({ agent, host: '127.0.0.1', port: upstream, method: 'POST', path, headers: { ...headers, host: 'upstream', connection: 'keep-alive' } });
    const fail = (): void => {
      clearTimeout(timer);
      if (committed) outgoing.destroy();
      else sent.destroy();
      resolve(committed);
    };
    const timer = setTimeout(fail, budgetMs);
    sent.on('error', fail);
    outgoing.on('close', () => outgoing.writableFinished || sent.destroy());
    sent.on('response', (answer) => {
      const status = answer.statusCode ?? 0;
      if ((status >= 500 || status === 429) && !last) {
        clearTimeout(timer);
        answer.resume();
        return resolve(false);
      }
      const commit = (): void => {
        committed = true;
        clearTimeout(timer);
        outgoing.writeHead(status, answer.headers);
      };
      if (answer.headers['content-type']?.startsWith('text/event-stream') !== true) commit();
      const held: Buffer[] = [];
      answer.on('data', (part: Buffer) => {
        if (committed) return void outgoing.write(part);
        held.push(part);
        if (!holdsContent(part)) return;
        commit();
        outgoing.write(Buffer.concat(held));
      });
      answer.on('error', fail);
      answer.on('end', () => {
        if (!committed) return fail();
        outgoing.end();
        resolve(true);
      });
    });
    sent.end(body);
  });
}

/** A `content` that is not the empty one of a role frame. */
function holdsContent(part: Buffer): boolean {
  const first = part.indexOf(contentKey);
  return first >= 0 && (part[first + contentKey.length] !== quote || part.indexOf(contentKey, first + contentKey.length) >= 0);
}
