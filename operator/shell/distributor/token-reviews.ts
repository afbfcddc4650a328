import { tokenAudience, type Clock, type WallClock } from '@belay/contract';
import { createHash } from 'node:crypto';
import type { SidecarIdentity } from '../../core/distribute/connection.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { Log } from '../log.ts';
import type { DistributorCounters } from './distributor-counters.ts';
import { reviewIdentity, type TokenReviewStatus } from './review-identity.ts';

export type Review =
  | { readonly kind: 'accepted'; readonly identity: SidecarIdentity }
  /** A sentence for whoever sent the token. */
  | { readonly kind: 'refused'; readonly message: string }
  /** Nobody knows: the API server did not answer, or too many wait for it. */
  | { readonly kind: 'unavailable'; readonly message: string };

export interface TokenReviewsOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly wallClock: WallClock;
  readonly log: Log;
  readonly counters: DistributorCounters;
  /** Reviews under way at once, and how many more may wait. */
  readonly atOnce: number;
  readonly longestQueue: number;
}

export interface TokenReviews {
  review(token: string): Promise<Review>;
  /** Forgets what is too old; to be called now and then. */
  sweep(): void;
  /** Reviews under way end as unavailable. */
  close(): void;
}

const resource = { group: 'authentication.k8s.io', version: 'v1', plural: 'tokenreviews' };
const acceptedMs = 60_000;
/** A token that is refused now may be valid in a moment: a pod may be younger than the API server's caches. */
const refusedMs = 5_000;
/** Sooner than the sidecar gives up. */
const reviewLimitMs = 8_000;
const mostKept = 50_000;
const complainMs = 10_000;

interface Kept {
  readonly review: Exclude<Review, { readonly kind: 'unavailable' }>;
  readonly untilMs: number;
}

interface Held extends TokenReviewsOptions {
  readonly kept: Map<string, Kept>;
  readonly underWay: Map<string, Promise<Review>>;
  readonly queue: (() => void)[];
  readonly stop: AbortController;
  running: number;
  complainedMs: number;
}

/**
 * Asks the API server whose a token is (control-plane: Identity). Answers are kept by the SHA-256 of the token, never the token; one token is asked
 * for once at a time. Where nobody answers nobody is accepted.
 */
export function createTokenReviews(options: TokenReviewsOptions): TokenReviews {
  const held: Held = { ...options, kept: new Map(), underWay: new Map(), queue: [], stop: new AbortController(), running: 0, complainedMs: Number.NEGATIVE_INFINITY };
  return {
    review: (token) => review(held, token),
    sweep() {
      for (const [hash, { untilMs }] of held.kept) if (untilMs <= held.clock.nowMs()) held.kept.delete(hash);
    },
    close() {
      held.stop.abort();
      for (const start of held.queue.splice(0)) start();
    },
  };
}

async function review(held: Held, token: string): Promise<Review> {
  // Whatever else it is, it is no service account's: not worth a question.
  if (!/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) return { kind: 'refused', message: `The token is none of a pod: send the pod's projected token of audience ${tokenAudience}.` };
  const hash = createHash('sha256').update(token).digest('base64');
  const kept = held.kept.get(hash);
  if (kept !== undefined && held.clock.nowMs() < kept.untilMs) {
    held.counters.reviewsCached += 1;
    return kept.review;
  }
  const known = held.underWay.get(hash);
  if (known !== undefined) return known;
  const asked = inTurn(held, () => ask(held, token)).then((result) => {
    held.underWay.delete(hash);
    keep(held, hash, token, result);
    return result;
  });
  held.underWay.set(hash, asked);
  return asked;
}

/** Resolves in any case. */
async function inTurn(held: Held, run: () => Promise<Review>): Promise<Review> {
  if (held.running >= held.atOnce) {
    if (held.queue.length >= held.longestQueue) return { kind: 'unavailable', message: 'Too many sidecars wait for their tokens to be reviewed: come back later.' };
    // Whoever ends hands its place over.
    await new Promise<void>((resolve) => held.queue.push(resolve));
  } else {
    held.running += 1;
  }
  try {
    return await run();
  } finally {
    const next = held.queue.shift();
    if (next === undefined) held.running -= 1;
    else next();
  }
}

async function ask(held: Held, token: string): Promise<Review> {
  const { client, clock, counters, stop } = held;
  if (stop.signal.aborted) return { kind: 'unavailable', message: 'This distributor ends: connect anew.' };
  const late = new AbortController();
  const disarm = clock.after(reviewLimitMs, () => late.abort());
  counters.reviews += 1;
  try {
    const { status = {} } = await client.create<KubeObject & { readonly status?: TokenReviewStatus }>({ resource }, {
      apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token, audiences: [tokenAudience] },
    }, AbortSignal.any([late.signal, stop.signal]));
    const reviewed = reviewIdentity(status);
    return reviewed.ok ? { kind: 'accepted', identity: reviewed.identity } : { kind: 'refused', message: reviewed.message };
  } catch (error) {
    counters.reviewsFailed += 1;
    complain(held, late.signal.aborted ? `the API server did not answer within ${reviewLimitMs / 1_000} s` : error instanceof Error ? error.message : String(error), token);
    return { kind: 'unavailable', message: 'The API server could not be asked about the token: come back later.' };
  } finally {
    disarm();
  }
}

/** Said once in a while: ten thousand sidecars meet the same outage. */
function complain(held: Held, why: string, token: string): void {
  const nowMs = held.clock.nowMs();
  if (held.stop.signal.aborted || nowMs - held.complainedMs < complainMs) return;
  held.complainedMs = nowMs;
  held.log({ level: 'error', event: 'token-review-failed', message: `A sidecar's token could not be reviewed, and the sidecar is sent away until it can be: ${why.replaceAll(token, '[redacted]')}.` });
}

function keep({ kept, clock, wallClock }: Held, hash: string, token: string, result: Review): void {
  if (result.kind === 'unavailable') return;
  // The oldest goes: a map keeps the order in which things were put in.
  const [oldest] = kept.keys();
  if (kept.size >= mostKept && oldest !== undefined) kept.delete(oldest);
  const lifeMs = result.kind === 'refused' ? refusedMs : Math.min(acceptedMs, expiryOf(token) - wallClock());
  kept.delete(hash);
  kept.set(hash, { review: result, untilMs: clock.nowMs() + lifeMs });
}

/** `exp` of a token that the API server has accepted, in milliseconds since the epoch (RFC 7519, 4.1.4). */
function expiryOf(token: string): number {
  try {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as { readonly exp?: unknown } | null;
    return typeof claims?.exp === 'number' ? claims.exp * 1_000 : Number.POSITIVE_INFINITY;
  } catch (error) {
    if (error instanceof SyntaxError) return Number.POSITIVE_INFINITY;
    throw error;
  }
}
