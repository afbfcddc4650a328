import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { ProviderEntry } from '@belay/contract';
import { until } from '../../test/support/running-sidecar.ts';
import { testCa, testCertificate, testKey } from '../../test/support/test-certificates.ts';
import type { Failure } from '../core/failure/failure.ts';
import { guardedLookup } from './address-guard.ts';
import { createConnectionPools, type ConnectionPools } from './connection-pool.ts';
import { systemClock } from './system-clock.ts';
import { startUpstream, type UpstreamCall } from './upstream.ts';

const provider = { name: 'a', address: 'http://127.0.0.1', caCertificates: [] } as unknown as ProviderEntry;
const servers: { close(): void; closeAllConnections?(): void }[] = [];
let pools: ConnectionPools = createConnectionPools({});
afterEach(() => {
  pools.close();
  pools = createConnectionPools({});
  for (const server of servers.splice(0)) {
    server.closeAllConnections?.();
    server.close();
  }
});

interface Seen {
  status: number;
  body: string;
  connected: number;
  ended: boolean;
  failure: Failure | null;
  call: UpstreamCall;
}

/** One call; what came of it so far. */
function post(url: string, entry: ProviderEntry = provider): Seen {
  const seen: Seen = { status: 0, body: '', connected: 0, ended: false, failure: null, call: undefined as unknown as UpstreamCall };
  const target = new URL(url);
  seen.call = startUpstream(pools.poolFor(target, entry), { url: target, headers: { 'content-type': 'application/json' }, body: Buffer.from('{}') }, systemClock, {
    connected: () => seen.connected++,
    head: (status) => (seen.status = status),
    data: (chunk) => (seen.body += Buffer.from(chunk).toString('utf8')),
    end: () => (seen.ended = true),
    failed: (failure) => (seen.failure = failure),
  });
  return seen;
}

async function over(seen: Seen): Promise<Seen> {
  await until(() => seen.ended || seen.failure !== null);
  return seen;
}

async function serve(handler: (request: IncomingMessage, response: ServerResponse) => void, create: (handler: (request: IncomingMessage, response: ServerResponse) => void) => Server = (given) => createServer(given)): Promise<{ url: string; port: number; server: Server }> {
  const server = create((request, response) => {
    request.resume();
    request.on('end', () => handler(request, response));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, port, server };
}

describe('a compressed body', () => {
  const text = 'data: one\n\ndata: two\n\n';
  test.each([
    ['gzip', gzipSync(text)], ['x-gzip', gzipSync(text)], ['deflate', deflateSync(text)], ['br', brotliCompressSync(text)], ['zstd', zstdCompressSync(text)],
    ['gzip, br', brotliCompressSync(gzipSync(text))], ['identity', Buffer.from(text)],
  ])('%s is decoded', async (coding, body) => {
    const { url } = await serve((_request, response) => response.writeHead(200, { 'content-encoding': coding }).end(body));
    expect(await over(post(url))).toMatchObject({ status: 200, body: text, ended: true });
  });

  test.each([
    ['cut short', 'gzip', gzipSync(text).subarray(0, 20), 'compressed answer is damaged'],
    ['damaged', 'br', Buffer.from('not brotli at all'), 'compressed answer is damaged'],
    ['unknown', 'lzma', Buffer.from('x'), 'answer has an unknown content-encoding'],
  ])('%s is a failure', async (_sentence, coding, body, detail) => {
    const { url } = await serve((_request, response) => response.writeHead(200, { 'content-encoding': coding }).end(body));
    expect((await over(post(url))).failure).toMatchObject({ class: 'Transient', detail });
  });

  test('what was flushed is decoded at once, not at the end', async () => {
    let answer: ServerResponse | null = null;
    const gzip = (await import('node:zlib')).createGzip();
    const { url } = await serve((_request, response) => {
      answer = response;
      response.writeHead(200, { 'content-encoding': 'gzip' });
      gzip.pipe(response);
      gzip.write('one');
      gzip.flush();
    });
    const seen = post(url);
    await until(() => seen.body === 'one');
    expect(seen.ended).toBe(false);
    gzip.end('two');
    expect(await over(seen)).toMatchObject({ body: 'onetwo', ended: true });
    expect(answer).not.toBeNull();
  });
});

describe('a reset', () => {
  test('on a reused connection before any byte is repeated once on a fresh one, uncounted', async () => {
    let asked = 0;
    const ports = new Set<number | undefined>();
    const { url } = await serve((request, response) => {
      ports.add(request.socket.remotePort);
      if (++asked === 2) request.socket.resetAndDestroy();
      else response.end('good');
    });
    await over(post(url));
    const second = await over(post(url));
    expect(second).toMatchObject({ body: 'good', ended: true, failure: null, connected: 1 });
    expect([asked, ports.size]).toEqual([3, 2]);
  });

  test('on a fresh connection is a failure', async () => {
    const { url } = await serve((request) => request.socket.resetAndDestroy());
    expect((await over(post(url))).failure).toMatchObject({ class: 'Transient', detail: 'connection reset' });
  });

  test('on a reused connection after the first byte is a failure', async () => {
    let asked = 0;
    const { url } = await serve((request, response) => {
      if (++asked === 1) return response.end('good');
      request.socket.write('HTTP/1.1 200 O');
      setImmediate(() => request.socket.destroy());
      return response;
    });
    await over(post(url));
    expect((await over(post(url))).failure).toMatchObject({ class: 'Transient' });
    expect(asked).toBe(2);
  });

  test('a body that is cut short never ends well', async () => {
    const { url } = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('part');
      setImmediate(() => response.destroy());
    });
    expect(await over(post(url))).toMatchObject({ ended: false, failure: { class: 'Transient', detail: 'connection reset' } });
  });
});

describe('a connection', () => {
  test('is kept warm, and handed out last in, first out', async () => {
    const ports: (number | undefined)[] = [];
    const { url } = await serve((request, response) => {
      ports.push(request.socket.remotePort);
      response.end('good');
    });
    await over(post(url));
    await over(post(url));
    expect(new Set(ports).size).toBe(1);
  });

  test('whose answer is released stays warm; one that is cancelled is closed', async () => {
    const asked: { port: number | undefined; response: ServerResponse }[] = [];
    const { url } = await serve((request, response) => {
      asked.push({ port: request.socket.remotePort, response });
      response.write('first');
    });
    const begun = async (): Promise<Seen> => {
      const seen = post(url);
      await until(() => seen.body === 'first');
      return seen;
    };
    const first = await begun();
    first.call.release();
    asked[0]!.response.end('last');
    await until(() => Object.keys(pools.poolFor(new URL(url), provider).agent.freeSockets).length === 1);
    expect(first).toMatchObject({ body: 'first', ended: false });
    const second = await begun();
    second.call.cancel();
    await until(() => asked[1]!.response.closed);
    await begun();
    expect(asked[1]!.port).toBe(asked[0]!.port);
    expect(asked[2]!.port).not.toBe(asked[0]!.port);
  });

  test('that nobody accepts is refused', async () => {
    const { url, server } = await serve(() => undefined);
    await new Promise((resolve) => server.close(resolve));
    expect((await over(post(url))).failure).toMatchObject({ class: 'Unreachable', detail: 'connection refused' });
  });
});

test('an answer that switches to another protocol is a failure at once', async () => {
  const { url } = await serve((request) => void request.socket.end('HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n'));
  const { failure: failed } = await over(post(url));
  expect(failed).toMatchObject({ class: 'Transient', detail: 'connection closed without an answer' });
});

test('every pool looks names up through the guard', () => {
  for (const url of ['http://a.svc/', 'https://api.example/']) {
    expect(pools.poolFor(new URL(url), provider).agent).toMatchObject({ options: { lookup: guardedLookup } });
  }
});

describe('TLS', () => {
  const secure = (handler: (request: IncomingMessage, response: ServerResponse) => void): Server => createSecureServer({ key: testKey, cert: testCertificate }, handler) as unknown as Server;

  test('a private CA is trusted where the provider names it, and only there', async () => {
    const { port } = await serve((_request, response) => response.end('good'), secure);
    const trusting = { ...provider, caCertificates: [testCa] };
    const seen = await over(post(`https://localhost:${port}/`, trusting));
    expect(seen).toMatchObject({ body: 'good', ended: true, connected: 1 });
    expect((await over(post(`https://localhost:${port}/`))).failure).toMatchObject({ class: 'Unreachable', detail: 'certificate of an unknown CA: add it to tls.caCertificateRefs' });
    expect((await over(post(`https://127.0.0.1:${port}/`, trusting))).failure).toMatchObject({ class: 'Unreachable', detail: 'certificate is for another host name' });
  });

  test('a server that does not speak it is unreachable', async () => {
    const { port } = await serve((_request, response) => response.end('plain'));
    expect((await over(post(`https://localhost:${port}/`))).failure).toMatchObject({ class: 'Unreachable', detail: 'TLS failed' });
  });

  test('HTTPS_PROXY is asked for a tunnel, NO_PROXY names what goes past it, and loopback always does', async () => {
    const { port } = await serve((_request, response) => response.end('good'), secure);
    const tunnels: string[] = [];
    const { url: proxyUrl, server: proxy } = await serve((_request, response) => response.writeHead(400).end());
    proxy.on('connect', (request: IncomingMessage, socket: Socket) => {
      tunnels.push(request.url ?? '');
      const through = connect(port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        through.pipe(socket).pipe(through);
      });
      for (const end of [through, socket]) end.on('error', () => end.destroy());
    });
    pools = createConnectionPools({ HTTPS_PROXY: proxyUrl, NO_PROXY: 'direct.invalid' });
    const trusting = { ...provider, caCertificates: [testCa] };
    expect(await over(post('https://provider.example/v1', trusting))).toMatchObject({ body: 'good', ended: true, connected: 1 });
    expect(tunnels).toEqual(['provider.example:443']);
    expect(await over(post('https://provider.example/v1', trusting))).toMatchObject({ body: 'good' });
    expect(await over(post(`https://localhost:${port}/`, trusting))).toMatchObject({ body: 'good' });
    expect((await over(post('https://direct.invalid/'))).failure).toMatchObject({ class: 'Unreachable' });
    expect(tunnels).toEqual(['provider.example:443']);
  });

  test('a Service of the cluster is never asked through a proxy', async () => {
    const { url: proxyUrl } = await serve((_request, response) => response.writeHead(418).end());
    pools = createConnectionPools({ HTTP_PROXY: proxyUrl });
    expect(await over(post('http://qwen.models.svc/v1', { ...provider, inCluster: false }))).toMatchObject({ status: 418 });
    expect((await over(post('http://qwen.models.svc/v1', { ...provider, inCluster: true }))).failure).toMatchObject({ class: 'Unreachable' });
  });
});
