import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import { describeProblem, type Clock } from '@belay/contract';
import { patchFor, type InjectionOutcome } from '../../core/inject/patch-for.ts';
import type { InjectionSettings } from '../../core/inject/sidecar-container.ts';
import type { Authority } from '../certificates/authority.ts';
import { allOrAborted } from '../certificates/alarm.ts';
import { sleep } from '../kube/clock.ts';
import type { Log } from '../log.ts';
import { admitBody, type BodyLimits } from './admit-body.ts';
import { parseReview, reviewResponse, type ReviewedPod } from './admission-review.ts';

export interface WebhookOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly authority: Authority;
  /** The CAs of a new pod come from the authority, at the moment of the request. */
  readonly settings: Omit<InjectionSettings, 'caCertificates'>;
}

export interface Webhook {
  /** Resolves to the port, once there is a certificate and it listens; rejects where the port is taken. */
  listen(address: string, port: number): Promise<number>;
  /** Why no review should come here, in a sentence; null: it can. */
  obstacle(): string | null;
  /** Reviews answered since the start. */
  counts(): ReviewCounts;
  /** Serves on for `graceMs` (10 s), asking every client to go, until the API server has heard that this replica is unready; then closes. */
  drain(graceMs?: number): Promise<void>;
  /** Ends at once; running reviews are answered. */
  close(): Promise<void>;
}

export type ReviewCounts = Readonly<Record<InjectionOutcome['kind'] | 'malformed' | 'failed', number>>;

/** An API server takes requests of 3 MiB at most, and hands them on with their defaults and as JSON, whatever they came as. Nobody waits longer than `timeoutSeconds`. */
const bodies: BodyLimits = { longest: 7 * 2 ** 20, together: 32 * 2 ** 20, arriveMs: 5_000 };
/**
 * Longer than the 90 s after which an API server drops a connection that it keeps: closed from this end, it could meet a review on its way,
 * which nobody would send again.
 */
const idleMs = 120_000;
const usualGraceMs = 10_000;
/** A review that still runs has this long. */
const lastMs = 5_000;

interface State {
  phase: 'waiting' | 'listening' | 'draining' | 'closed';
  readonly counts: { -readonly [kind in keyof ReviewCounts]: number };
}

/** The injection webhook: `POST /inject` over TLS, one AdmissionReview in and out (control-plane: Injection). It writes nothing. */
export function createWebhook(options: WebhookOptions): Webhook {
  const { clock, authority } = options;
  const state: State = { phase: 'waiting', counts: { patched: 0, denied: 0, skipped: 0, malformed: 0, failed: 0 } };
  const stop = new AbortController();
  const server = createServer({ minVersion: 'TLSv1.2', keepAlive: true, keepAliveTimeout: idleMs, headersTimeout: idleMs, requestTimeout: idleMs }, application(options, state));
  server.maxConnections = 1_000;
  const present = (): void => {
    const { cert, key } = authority.leaf();
    server.setSecureContext({ cert, key, minVersion: 'TLSv1.2' });
  };
  let unsubscribe = (): void => {};
  const close = async (): Promise<void> => {
    state.phase = 'closed';
    stop.abort();
    unsubscribe();
    await closeServer(server, clock);
  };
  return {
    async listen(address, port) {
      await allOrAborted([authority.ready], stop.signal);
      if (stop.signal.aborted) throw new Error('the webhook was closed before it could listen');
      present();
      unsubscribe = authority.onChange(present);
      const taken = await listenOn(server, address, port);
      state.phase = 'listening';
      return taken;
    },
    obstacle: () => ({ waiting: 'the webhook does not listen yet', draining: 'the webhook is shutting down', closed: 'the webhook has shut down', listening: null })[state.phase],
    counts: () => ({ ...state.counts }),
    async drain(graceMs = usualGraceMs) {
      state.phase = 'draining';
      await sleep(clock, graceMs, stop.signal);
      await close();
    },
    close,
  };
}

function application(options: WebhookOptions, state: State): Express {
  const app = express().disable('x-powered-by').disable('etag');
  app.use((_request, response, next) => {
    if (state.phase !== 'listening') response.set('connection', 'close');
    next();
  });
  app.post('/inject', admitBody(options.clock, bodies, () => state.counts.malformed++), express.json({ limit: bodies.longest }), review(options, state));
  app.use((request, response) => {
    response.status(404).json({ error: `There is no ${request.method} ${request.path} here: POST /inject is.` });
  });
  app.use(failure(options, state));
  return app;
}

function review({ authority, settings, log }: WebhookOptions, state: State): RequestHandler {
  return (request, response) => {
    const read = parseReview(request.body);
    if (!read.ok) {
      state.counts.malformed++;
      response.status(400).json({ error: `This is no review that can be answered: ${read.problems.map(describeProblem).join('; ')}.` });
      return;
    }
    const outcome = outcomeOf(read.value, { ...settings, caCertificates: authority.trusted() });
    state.counts[outcome.kind]++;
    tell(log, read.value, outcome);
    response.json(reviewResponse(read.value.uid, outcome));
  };
}

function outcomeOf({ pod }: ReviewedPod, settings: InjectionSettings): InjectionOutcome {
  return pod === null ? { kind: 'skipped', reason: 'NotAnnotated', message: 'no pod is being created' } : patchFor(pod, settings);
}

function tell(log: Log, { namespace, name }: ReviewedPod, outcome: InjectionOutcome): void {
  const pod = `${namespace}/${name}`;
  if (outcome.kind === 'denied') log({ level: 'warn', event: 'pod-denied', message: `Pod ${pod} was denied: ${outcome.message}.`, pod });
  else if (outcome.kind === 'patched' && outcome.patch.length > 0) log({ level: 'info', event: 'pod-injected', message: `Pod ${pod} gets a sidecar.`, pod, notices: outcome.notices });
}

/** Four arguments make it express's handler of errors: a body that cannot be read is the caller's, anything else a bug. */
function failure({ log }: WebhookOptions, state: State): ErrorRequestHandler {
  return (error: unknown, _request, response, _next) => {
    // Told already: what is read no more is no news.
    if (response.headersSent) return;
    const { status, type } = (typeof error === 'object' && error !== null ? error : {}) as { readonly status?: unknown; readonly type?: unknown };
    if (typeof status === 'number' && status >= 400 && status < 500) {
      state.counts.malformed++;
      response.status(status).json({ error: type === 'entity.too.large' ? 'The review is longer than 7 MiB.' : 'The body must be an AdmissionReview in JSON.' });
      return;
    }
    state.counts.failed++;
    log({ level: 'error', event: 'review-failed', message: 'A review could not be answered.', cause: error instanceof Error ? error.stack : String(error) });
    response.status(500).json({ error: 'Belay failed at this review; its log says why.' });
  };
}

async function listenOn(server: Server, address: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** Answers what runs and closes; what does not end in time is cut. */
async function closeServer(server: Server, clock: Clock): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const disarm = clock.after(lastMs, () => server.closeAllConnections());
  await closed;
  disarm();
}
