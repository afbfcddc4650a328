import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { maxClientFrameLength, type ChainReport, type ClientFrame, type Clock, type Parsed, type Random, type WallClock } from '@belay/contract';
import type { SidecarIdentity } from '../../core/distribute/connection.ts';
import { createDistribution, type Distribution, type DistributionEffect, type DistributionEvent } from '../../core/distribute/create-distribution.ts';
import type { NamespaceContent } from '../../core/distribute/select-resources.ts';
import type { SidecarCounts } from '../../core/distribute/sidecar-counts.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import type { Log } from '../log.ts';
import { newDistributorCounters, type DistributorCounters } from './distributor-counters.ts';
import { readRequest } from './read-request.ts';
import { openSidecarLink, refuseStream, type SidecarLink } from './sidecar-link.ts';
import { createStreamServer, type ServingCertificate, type StreamServer } from './stream-server.ts';
import { createTokenReviews, type TokenReviews } from './token-reviews.ts';

export interface DistributorOptions {
  /** For TokenReview alone. */
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly wallClock: WallClock;
  readonly random: Random;
  readonly log: Log;
  /** An `Authority` whose `ready` has resolved. */
  readonly authority: ServingCertificate;
  readonly onReport: (identity: SidecarIdentity, chains: readonly ChainReport[]) => void;
  /** Its pod has had no connection for 15 s: it has not merely moved to another. */
  readonly onGone: (identity: SidecarIdentity) => void;
  /** Somebody asks for a namespace that was never published: `publish` it, also where it holds no chain. */
  readonly onNamespaceWanted: (namespace: string) => void;
  readonly limits?: Partial<DistributorLimits>;
}

export interface DistributorLimits {
  /** TCP connections that may begin TLS. */
  readonly acceptsPerSecond: number;
  readonly connections: number;
  /** Of one pod; the oldest makes room. */
  readonly connectionsPerPod: number;
  readonly framesPerSecond: number;
  /** Of text, in UTF-16 code units: what a second of one connection may cost to read. */
  readonly charactersPerSecond: number;
  /** Of a connection, whatever HTTP/2 makes of them. */
  readonly bytesPerSecond: number;
  readonly reviewsAtOnce: number;
}

export interface Distributor {
  /** Resolves to the port; rejects where it cannot listen. */
  listen(address: string, port: number): Promise<number>;
  /** Every reflector of a Belay kind has its first list; before, nobody gets anything. */
  synced(): void;
  publish(namespace: string, content: NamespaceContent): void;
  countSidecars(namespace: string, chain: string): SidecarCounts;
  /** Streams that are open now. */
  connected(): number;
  readonly counters: Readonly<DistributorCounters>;
  /** Takes nobody new, asks all to go, and closes when they have gone or `graceMs` have passed. */
  drain(graceMs: number): Promise<void>;
  close(): Promise<void>;
}

const usualLimits: DistributorLimits = { acceptsPerSecond: 200, connections: 20_000, connectionsPerPod: 4, framesPerSecond: 200, charactersPerSecond: 4 * maxClientFrameLength, bytesPerSecond: 8 * maxClientFrameLength, reviewsAtOnce: 50 };
const tickMs = 1_000;
const goneMs = 15_000;
const longestReviewQueue = 2_000;
/** A pod may be gone long before its connection: whoever took its token would be given rotated keys for as long. ± 20 %. */
const reviewIntervalMs = 10 * 60_000;
/** Where nobody answered; what was accepted stays meanwhile. */
const reviewRetryMs = 60_000;

interface Connected {
  readonly identity: SidecarIdentity;
  readonly link: SidecarLink;
  /** To be reviewed again; never to be logged. */
  readonly token: string;
  /** When that is due. */
  reviewMs: number;
  /** Since the last tick. */
  frames: number;
  characters: number;
}

interface Running {
  readonly options: DistributorOptions;
  readonly limits: DistributorLimits;
  readonly counters: DistributorCounters;
  readonly distribution: Distribution;
  readonly reviews: TokenReviews;
  readonly links: Map<number, Connected>;
  /** Connections of each pod, by its uid, the oldest first. */
  readonly pods: Map<string, Set<number>>;
  /** Pods without a connection, and since when. */
  readonly gone: Map<string, { readonly identity: SidecarIdentity; readonly sinceMs: number }>;
  readonly timers: Set<() => void>;
  lastConnection: number;
  leaving: boolean;
  onEmpty: (() => void) | null;
}

/**
 * The distributor: streams of configuration to sidecars over TLS 1.3 and HTTP/2 (control-plane: Distribution). Who a sidecar is says the API server's
 * review of its token, and nothing else; what it gets decides `createDistribution`.
 */
export function createDistributor(options: DistributorOptions): Distributor {
  const { client, clock, wallClock, log, authority } = options;
  const limits = { ...usualLimits, ...options.limits };
  const counters = newDistributorCounters();
  const running: Running = {
    options, limits, counters,
    distribution: createDistribution(options.random, (text) => createHash('sha256').update(text).digest('hex')),
    reviews: createTokenReviews({ client, clock, wallClock, log, counters, atOnce: limits.reviewsAtOnce, longestQueue: longestReviewQueue }),
    links: new Map(), pods: new Map(), gone: new Map(), timers: new Set(), lastConnection: 0, leaving: false, onEmpty: null,
  };
  const server = createStreamServer({
    clock, counters, certificate: authority, acceptsPerSecond: limits.acceptsPerSecond, connections: limits.connections, bytesPerSecond: limits.bytesPerSecond,
    onStream: (stream, headers) => void meet(running, stream, headers),
  });
  everySecond(running, server);
  return {
    listen: server.listen,
    synced: () => handle(running, { type: 'synced' }),
    publish: (namespace, content) => handle(running, { type: 'namespace-compiled', namespace, content }),
    countSidecars: (namespace, chain) => running.distribution.countSidecars(namespace, chain),
    connected: () => running.links.size,
    counters,
    drain: (graceMs) => drain(running, server, graceMs),
    close: () => close(running, server),
  };
}

function handle(running: Running, event: DistributionEvent): void {
  for (const effect of running.distribution.handle(event, running.options.clock.nowMs())) carryOut(running, effect);
}

function carryOut(running: Running, effect: DistributionEffect): void {
  const { options, links, counters } = running;
  switch (effect.type) {
    case 'send-snapshot':
      links.get(effect.connection)?.link.sendSnapshot(effect.resource, effect.nonce);
      return measure(running, effect.connection);
    case 'send': return links.get(effect.connection)?.link.send(effect.frame);
    case 'note-report':
      counters.reports += 1;
      return options.onReport(effect.identity, effect.chains);
    case 'close': return dismiss(running, effect.connection, effect.reason);
    case 'compile-namespace': return options.onNamespaceWanted(effect.namespace);
    case 'wake': return after(running, effect.delayMs, () => handle(running, { type: 'ticked' }));
  }
}

/** Somebody asks for a stream. */
async function meet(running: Running, stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
  // Told by 'close'.
  stream.on('error', () => undefined);
  const request = readRequest(headers);
  if (!('token' in request)) return refuseStream(stream, request, running.counters);
  const review = await running.reviews.review(request.token);
  if (stream.destroyed) return;
  if (review.kind !== 'accepted') return refuseStream(stream, { status: review.kind === 'refused' ? 401 : 503, message: review.message }, running.counters);
  if (running.leaving) return refuseStream(stream, { status: 503, message: 'This distributor is about to end: connect anew.' }, running.counters);
  connect(running, stream, review.identity, request.token);
}

function connect(running: Running, stream: ServerHttp2Stream, identity: SidecarIdentity, token: string): void {
  const connection = ++running.lastConnection;
  makeRoom(running, identity);
  running.counters.streamsOpened += 1;
  running.gone.delete(identity.uid);
  const link = openSidecarLink(stream, running.counters, {
    onRead: (characters) => weigh(running, connection, characters),
    onFrame: (frame) => receive(running, connection, frame),
    onDrained: () => measure(running, connection),
    onClosed: () => leave(running, connection),
  });
  running.links.set(connection, { identity, link, token, reviewMs: nextReviewMs(running), frames: 0, characters: 0 });
  running.pods.set(identity.uid, (running.pods.get(identity.uid) ?? new Set()).add(connection));
  handle(running, { type: 'connection-opened', connection, identity });
}

/** A pod has one sidecar, and that one connection; what it has forgotten goes. */
function makeRoom(running: Running, { uid }: SidecarIdentity): void {
  const own = [...(running.pods.get(uid) ?? [])];
  for (const connection of own.slice(0, Math.max(0, own.length + 1 - running.limits.connectionsPerPod))) dismiss(running, connection, 'its pod has opened too many others');
}

function weigh(running: Running, connection: number, characters: number): void {
  const connected = running.links.get(connection);
  if (connected === undefined) return;
  connected.characters += characters;
  if (connected.characters > running.limits.charactersPerSecond) dismiss(running, connection, `it sends more than ${running.limits.charactersPerSecond} characters a second`);
}

function receive(running: Running, connection: number, frame: Parsed<ClientFrame>): void {
  const { links, counters, limits } = running;
  const connected = links.get(connection);
  if (connected === undefined) return;
  connected.frames += 1;
  if (connected.frames > limits.framesPerSecond) return dismiss(running, connection, `it sends more than ${limits.framesPerSecond} frames a second`);
  if (frame.ok && frame.value.frame === 'ack') counters.acks += 1;
  if (frame.ok && frame.value.frame === 'nack') noteRefusal(running, connected.identity, frame.value.error);
  try {
    handle(running, { type: 'connection-said', connection, said: { type: 'frame-received', frame } });
  } catch (error) {
    crash(running, connection, connected.identity, error);
  }
}

/** A bug at the edge of one stream ends that stream alone: thousands of others are served by the same process. */
function crash(running: Running, connection: number, { namespace, pod }: SidecarIdentity, error: unknown): void {
  const cause = error instanceof Error ? (error.stack ?? error.message) : String(error);
  running.options.log({ level: 'error', event: 'stream-crashed', namespace, pod, message: `Belay itself failed at a frame of pod ${namespace}/${pod}; please report this.`, cause });
  dismiss(running, connection, 'Belay itself failed at one of its frames');
}

function noteRefusal({ counters, options }: Running, { namespace, pod }: SidecarIdentity, error: string): void {
  counters.nacks += 1;
  options.log({ level: 'warn', event: 'snapshot-refused', namespace, pod, message: `The sidecar of pod ${namespace}/${pod} refused what it was sent, and serves what it had: ${error}.` });
}

function measure(running: Running, connection: number): void {
  const link = running.links.get(connection)?.link;
  if (link !== undefined) handle(running, { type: 'connection-said', connection, said: { type: 'socket-measured', bufferedBytes: link.bufferedBytes() } });
}

/** Ends a connection that the distributor wants no more. */
function dismiss(running: Running, connection: number, reason: string): void {
  const connected = running.links.get(connection);
  if (connected === undefined) return;
  const { identity: { namespace, pod } } = connected;
  running.counters.closed += 1;
  running.options.log({ level: 'info', event: 'sidecar-dismissed', namespace, pod, message: `The connection of pod ${namespace}/${pod} was closed: ${reason}.` });
  leave(running, connection);
  connected.link.close();
}

function leave(running: Running, connection: number): void {
  const connected = running.links.get(connection);
  if (connected === undefined) return;
  const { links, pods, gone, options: { clock } } = running;
  const { identity } = connected;
  links.delete(connection);
  handle(running, { type: 'connection-closed', connection });
  const others = pods.get(identity.uid);
  others?.delete(connection);
  if (others?.size === 0) {
    pods.delete(identity.uid);
    gone.set(identity.uid, { identity, sinceMs: clock.nowMs() });
  }
  if (links.size === 0) running.onEmpty?.();
}

function everySecond(running: Running, server: StreamServer): void {
  after(running, tickMs, () => {
    everySecond(running, server);
    tellFloods(running, server.closeFloods());
    for (const [connection, connected] of running.links) {
      connected.frames = 0;
      connected.characters = 0;
      measure(running, connection);
    }
    handle(running, { type: 'ticked' });
    running.reviews.sweep();
    reviewAgain(running);
    tellGone(running);
  });
}

function tellFloods({ counters, limits, options: { log } }: Running, addresses: readonly string[]): void {
  if (addresses.length === 0) return;
  counters.closed += addresses.length;
  const from = [...new Set(addresses)].slice(0, 3).join(', ');
  log({ level: 'warn', event: 'floods-closed', message: `${addresses.length} connections were closed that sent more than ${limits.bytesPerSecond} bytes in a second, from ${from}.` });
}

function nextReviewMs({ options: { clock, random } }: Running): number {
  return clock.nowMs() + reviewIntervalMs * (0.8 + 0.4 * random());
}

/** Asks anew about tokens that were accepted a while ago. */
function reviewAgain(running: Running): void {
  const nowMs = running.options.clock.nowMs();
  for (const [connection, connected] of running.links) {
    if (nowMs < connected.reviewMs) continue;
    connected.reviewMs = nowMs + reviewRetryMs;
    void running.reviews.review(connected.token).then(({ kind }) => {
      if (running.links.get(connection) !== connected) return;
      if (kind === 'accepted') connected.reviewMs = nextReviewMs(running);
      if (kind === 'refused') handle(running, { type: 'identity-refused', connection });
    });
  }
}

/** Whoever connected anew is in the list no more. */
function tellGone({ gone, options: { clock, onGone } }: Running): void {
  for (const [uid, { identity, sinceMs }] of gone) {
    if (clock.nowMs() - sinceMs < goneMs) continue;
    gone.delete(uid);
    onGone(identity);
  }
}

async function drain(running: Running, server: StreamServer, graceMs: number): Promise<void> {
  running.leaving = true;
  server.stopListening();
  handle(running, { type: 'draining' });
  await new Promise<void>((resolve) => {
    running.onEmpty = resolve;
    after(running, graceMs, resolve);
    if (running.links.size === 0) resolve();
  });
  await close(running, server);
}

async function close(running: Running, server: StreamServer): Promise<void> {
  running.leaving = true;
  for (const disarm of running.timers) disarm();
  running.timers.clear();
  running.reviews.close();
  await server.close();
}

function after(running: Running, delayMs: number, callback: () => void): void {
  const disarm = running.options.clock.after(delayMs, () => {
    running.timers.delete(disarm);
    callback();
  });
  running.timers.add(disarm);
}
