import type { ClientRequest, IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { Clock } from '@belay/contract';
import { failure, type Failure } from '../core/failure/failure.ts';
import type { ConnectionPool } from './connection-pool.ts';
import { decodedBody } from './decode-body.ts';
import { failureFromNode, isConnectionLoss, type AttemptPhase } from './failure-from-node.ts';

/** How long a body that nobody reads any more may take to end before its connection is given up. */
const releaseMs = 1_000;

/** One POST to a provider. */
export interface UpstreamRequest {
  readonly url: URL;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Uint8Array;
}

/** What comes of it: `connected`, `head`, `data`…, then exactly one of `end` and `failed`; nothing after a cancel. */
export interface UpstreamListener {
  /** TCP and TLS are up, or a pooled connection was taken. */
  connected(): void;
  head(status: number, headers: IncomingHttpHeaders): void;
  /** Bytes of the body without their content-encoding. */
  data(chunk: Uint8Array): void;
  end(): void;
  failed(failure: Failure): void;
}

/** A request under way. */
export interface UpstreamCall {
  pause(): void;
  resume(): void;
  /** Destroys the connection: the provider sees it close. */
  cancel(): void;
  /** Reads no more, but lets a body that is about to end do so, so that its connection stays warm. */
  release(): void;
}

interface Exchange {
  readonly pool: ConnectionPool;
  readonly request: UpstreamRequest;
  readonly listener: UpstreamListener;
  /** Nothing is told any more. */
  over: boolean;
  /** The one uncounted repeat was used. */
  repeated: boolean;
  phase: AttemptPhase;
  sent: ClientRequest | null;
  body: Readable | null;
  /** Bytes that the connection had read for others before this request. */
  bytesBefore: number;
}

/**
 * One attempt on the wire. A reset on a reused connection before any byte of an answer is repeated once on a fresh one,
 * uncounted (routing rule 4). No timers but that of `release`: the limits are the core's. No redirect is followed.
 */
export function startUpstream(pool: ConnectionPool, request: UpstreamRequest, clock: Clock, listener: UpstreamListener): UpstreamCall {
  const exchange: Exchange = { pool, request, listener, over: false, repeated: false, phase: 'connecting', sent: null, body: null, bytesBefore: 0 };
  send(exchange);
  return {
    pause: () => void exchange.body?.pause(),
    resume: () => void exchange.body?.resume(),
    cancel() {
      if (exchange.over) return;
      exchange.over = true;
      exchange.sent?.destroy();
    },
    release: () => release(exchange, clock),
  };
}

function send(exchange: Exchange): void {
  const { pool, request } = exchange;
  const sent = pool.request(request.url, { method: 'POST', agent: pool.agent, headers: request.headers });
  exchange.sent = sent;
  sent.on('socket', (socket) => {
    exchange.bytesBefore = socket.bytesRead;
    if (socket.connecting) socket.once(request.url.protocol === 'https:' ? 'secureConnect' : 'connect', () => onConnected(exchange));
    else onConnected(exchange);
  });
  sent.on('response', (answer) => onHead(exchange, answer));
  sent.on('error', (error) => onError(exchange, sent, error));
  sent.on('close', () => onClose(exchange, sent));
  sent.end(request.body);
}

function onConnected(exchange: Exchange): void {
  if (exchange.over || exchange.phase !== 'connecting') return;
  exchange.phase = 'sent';
  exchange.listener.connected();
}

function onHead(exchange: Exchange, answer: IncomingMessage): void {
  if (exchange.over) return void answer.resume();
  exchange.phase = 'answering';
  const status = answer.statusCode ?? 0;
  const body = decodedBody(answer);
  if (body === null) return fail(exchange, failure('Transient', 'answer has an unknown content-encoding', { status }));
  exchange.body = body;
  body.on('data', (chunk: Uint8Array) => {
    if (!exchange.over) exchange.listener.data(chunk);
  });
  body.on('end', () => {
    if (exchange.over) return;
    exchange.over = true;
    exchange.listener.end();
  });
  body.on('error', (error) => fail(exchange, failureFromNode(error, 'answering')));
  exchange.listener.head(status, answer.headers);
}

function onError(exchange: Exchange, sent: ClientRequest, error: Error): void {
  if (exchange.over || sent !== exchange.sent) return;
  const unanswered = exchange.phase !== 'answering' && (sent.socket?.bytesRead ?? exchange.bytesBefore) === exchange.bytesBefore;
  if (!exchange.repeated && unanswered && sent.reusedSocket && isConnectionLoss(error)) {
    exchange.repeated = true;
    exchange.pool.closeIdle();
    return send(exchange);
  }
  fail(exchange, failureFromNode(error, exchange.phase));
}

/** Closed without an answer and without an error: Node ends a connection so that was switched to another protocol (101). */
function onClose(exchange: Exchange, sent: ClientRequest): void {
  if (exchange.phase !== 'answering' && sent === exchange.sent) fail(exchange, failure('Transient', 'connection closed without an answer'));
}

function fail(exchange: Exchange, reason: Failure): void {
  if (exchange.over) return;
  exchange.over = true;
  exchange.listener.failed(reason);
  exchange.sent?.destroy();
}

function release(exchange: Exchange, clock: Clock): void {
  if (exchange.over) return;
  exchange.over = true;
  const { body, sent } = exchange;
  if (body === null || body.readableEnded) return void sent?.destroy();
  const disarm = clock.after(releaseMs, () => sent?.destroy());
  body.once('close', disarm);
  body.resume();
}
