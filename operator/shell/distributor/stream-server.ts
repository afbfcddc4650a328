import type { Clock } from '@belay/contract';
import { constants, createSecureServer, type Http2SecureServer, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { createServer, type Server, type Socket } from 'node:net';
import { createAcceptLimiter } from './accept-limiter.ts';
import type { DistributorCounters } from './distributor-counters.ts';
import { headerLimit } from './read-request.ts';

/** What the server shows: a certificate that may change while it runs. An `Authority` is one. */
export interface ServingCertificate {
  leaf(): { readonly cert: string; readonly key: string };
  onChange(listener: () => void): () => void;
}

export interface StreamServerOptions {
  readonly clock: Clock;
  readonly certificate: ServingCertificate;
  readonly counters: DistributorCounters;
  readonly acceptsPerSecond: number;
  readonly connections: number;
  readonly bytesPerSecond: number;
  /** One request; it is the only one of its session at that time. */
  readonly onStream: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;
}

export interface StreamServer {
  /** Resolves to the port. */
  listen(address: string, port: number): Promise<number>;
  /**
   * To be called every second: closes whoever has sent more than `bytesPerSecond` since, and gives their addresses. PING, SETTINGS and WINDOW_UPDATE
   * are answered by HTTP/2 itself, as fast as they come and whether a token was ever shown: no limit of a stream counts them.
   */
  closeFloods(): readonly string[];
  /** Takes no more connections; those that are there go on. */
  stopListening(): void;
  close(): Promise<void>;
}

/** A connection without a request after so long is closed. */
const silentSessionMs = 10_000;
/** A sidecar gives a connection up after 10 s: more of them than can be met within half of that wait for nothing. */
const longestWaitS = 5;

/**
 * TLS 1.3 and HTTP/2 alone, over connections that are let through at a steady rate before any of their bytes are read. A certificate that changes
 * is shown to whoever connects next; what runs goes on.
 */
export function createStreamServer(options: StreamServerOptions): StreamServer {
  const { clock, certificate, counters, acceptsPerSecond, connections, bytesPerSecond, onStream } = options;
  const secure = secureServer(certificate);
  /** And how much each had sent when that was looked at last. */
  const sockets = new Map<Socket, number>();
  const sessions = new Set<ServerHttp2Session>();
  const limiter = createAcceptLimiter<Socket>({
    clock, perSecond: acceptsPerSecond, burst: Math.max(1, Math.ceil(acceptsPerSecond / 10)), longestQueue: acceptsPerSecond * longestWaitS,
    accept: (socket) => meet(socket, secure, counters),
    refuse: (socket) => turnAway(socket, counters),
  });
  // Paused: not a byte is read before its turn has come.
  const front = createServer({ pauseOnConnect: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 }, (socket) => {
    sockets.set(socket, 0);
    socket.once('close', () => sockets.delete(socket));
    // Told by 'close'; a peer that resets while it waits is of no interest.
    socket.on('error', () => undefined);
    if (sockets.size > connections) turnAway(socket, counters);
    else limiter.take(socket);
  });
  secure.on('tlsClientError', () => { counters.handshakesFailed += 1; });
  secure.on('session', (session) => {
    sessions.add(session);
    serveSession(session, clock, onStream, () => sessions.delete(session));
  });
  // What it shows next; minVersion and ALPN stay as they were made.
  const forget = certificate.onChange(() => secure.setSecureContext({ ...certificate.leaf(), minVersion: 'TLSv1.3' }));
  return {
    listen: (address, port) => listen(front, address, port),
    closeFloods() {
      const floods = [...sockets].filter(([socket, before]) => socket.bytesRead - before > bytesPerSecond).map(([socket]) => socket);
      for (const socket of sockets.keys()) sockets.set(socket, socket.bytesRead);
      return floods.map((socket) => {
        const address = socket.remoteAddress ?? 'unknown';
        socket.destroy();
        return address;
      });
    },
    stopListening: () => void front.close(),
    async close() {
      forget();
      limiter.close();
      for (const session of sessions) session.destroy();
      for (const socket of sockets.keys()) socket.destroy();
      await new Promise<void>((resolve) => { front.close(() => resolve()); });
    },
  };
}

function secureServer(certificate: ServingCertificate): Http2SecureServer {
  return createSecureServer({
    ...certificate.leaf(), minVersion: 'TLSv1.3', handshakeTimeout: silentSessionMs,
    settings: { maxConcurrentStreams: 1, maxHeaderListSize: headerLimit, enablePush: false },
    maxHeaderListPairs: 32, maxSessionInvalidFrames: 10, maxSessionRejectedStreams: 10, maxSettings: 16,
  });
}

function meet(socket: Socket, secure: Http2SecureServer, counters: DistributorCounters): void {
  if (socket.destroyed) return;
  counters.accepted += 1;
  secure.emit('connection', socket);
}

function turnAway(socket: Socket, counters: DistributorCounters): void {
  counters.turnedAway += 1;
  socket.destroy();
}

/** One request a session: whoever asked in vain, or is done, comes back by a new one, past the limiter. */
function serveSession(session: ServerHttp2Session, clock: Clock, onStream: StreamServerOptions['onStream'], ended: () => void): void {
  let disarm = clock.after(silentSessionMs, () => session.destroy());
  let asked = false;
  // Whatever went wrong, the session closes.
  session.on('error', () => undefined);
  session.on('stream', (stream, headers) => {
    // One after another is refused here, two at once by maxConcurrentStreams.
    if (asked) return refuseAnother(stream);
    asked = true;
    disarm();
    stream.once('close', () => {
      session.close();
      disarm = clock.after(silentSessionMs, () => session.destroy());
    });
    onStream(stream, headers);
  });
  session.once('close', () => {
    disarm();
    ended();
  });
}

function refuseAnother(stream: ServerHttp2Stream): void {
  stream.on('error', () => undefined);
  stream.close(constants.NGHTTP2_REFUSED_STREAM);
}

function listen(server: Server, address: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, () => {
      server.off('error', reject);
      const bound = server.address();
      resolve(typeof bound === 'object' && bound !== null ? bound.port : port);
    });
  });
}
