import { sleep, type Clock, type Random, type WallClock } from './clock.ts';
import type { KubeClient } from './kube-client.ts';
import { hasStatus } from './kube-error.ts';
import type { KubeMetadata, KubeObject } from './kube-object.ts';

export interface LeaseOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly wallClock: WallClock;
  readonly random: Random;
  readonly namespace: string;
  readonly name: string;
  /** Unlike every other candidate's, e.g. the pod's name and uid. */
  readonly identity: string;
  /** Written onto the Lease by whoever holds it, e.g. its address. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Begins what only the holder may do; `signal` is aborted at the moment the lease is lost or closed. */
  readonly onHeld: (signal: AbortSignal) => void;
  readonly onProblem?: (message: string) => void;
}

export interface Lease {
  /** For the last moment before a write: true only while this candidate is sure, by its own clock, that no other can hold it. */
  holds(): boolean;
  /** Stops what the holder does, hands the lease back and ends. */
  close(): Promise<void>;
}

/** Others wait this long after the last renewal that they saw; the holder stops itself after `renewMs`. client-go's figures. */
const leaseMs = 15_000;
const renewMs = 10_000;
const retryMs = 2_000;
/** One try may hang so long: of the time to renew, enough is left for another connection. */
const tryMs = 4_000;
/** A candidate waits `retryMs` times 1 to 2.2. */
const jitter = 1.2;

const resource = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases' };

interface LeaseObject extends KubeObject {
  readonly spec?: {
    readonly holderIdentity?: string | null;
    readonly leaseDurationSeconds?: number;
    readonly acquireTime?: string;
    readonly renewTime?: string;
    readonly leaseTransitions?: number;
  };
}

interface Candidate {
  readonly options: LeaseOptions;
  readonly stop: AbortSignal;
  /** The Lease as last read or written, and when that version was first seen by the local clock. */
  seen: LeaseObject | null;
  seenMs: number;
  /** When the last successful renewal was begun. */
  renewedMs: number;
  term: AbortController | null;
}

/**
 * Takes part in an election over a Lease (client-go's leaderelection): times of others are never compared, only how long
 * their last change has been seen; writes carry the resourceVersion that was read. After a loss it is a candidate again.
 */
export function createLease(options: LeaseOptions): Lease {
  const stop = new AbortController();
  const candidate: Candidate = { options, stop: stop.signal, seen: null, seenMs: 0, renewedMs: Number.NEGATIVE_INFINITY, term: null };
  const ended = run(candidate);
  return {
    holds: () => holds(candidate),
    async close() {
      const held = candidate.term !== null;
      candidate.term?.abort();
      stop.abort();
      await ended;
      if (held) await release(candidate);
    },
  };
}

function holds({ term, renewedMs, options: { clock } }: Candidate): boolean {
  return term !== null && !term.signal.aborted && clock.nowMs() - renewedMs < renewMs;
}

async function run(candidate: Candidate): Promise<void> {
  const { clock, random } = candidate.options;
  while (!candidate.stop.aborted) {
    if (await acquireOrRenew(candidate, candidate.stop)) await hold(candidate);
    await sleep(clock, retryMs * (1 + random() * jitter), candidate.stop);
  }
}

/** From having got the lease to having lost it, or to the end. */
async function hold(candidate: Candidate): Promise<void> {
  const { clock, onHeld } = candidate.options;
  const term = new AbortController();
  candidate.term = term;
  const expire = (): void => term.abort();
  const expiryMs = (): number => Math.max(0, candidate.renewedMs + renewMs - clock.nowMs());
  let disarm = clock.after(expiryMs(), expire);
  const signal = AbortSignal.any([term.signal, candidate.stop]);
  onHeld(signal);
  while (!signal.aborted) {
    await sleep(clock, retryMs, signal);
    if (signal.aborted || !(await acquireOrRenew(candidate, signal))) {
      // Another's name on the lease is certain loss; a failed write is one only when time runs out.
      if (isTaken(candidate)) expire();
      continue;
    }
    disarm();
    disarm = clock.after(expiryMs(), expire);
  }
  disarm();
  candidate.term = candidate.stop.aborted ? term : null;
  if (!candidate.stop.aborted) candidate.options.onProblem?.(`lease ${candidate.options.name}: lost; what only its holder may do has stopped`);
}

function isTaken({ seen, options: { identity } }: Candidate): boolean {
  const holder = seen?.spec?.holderIdentity ?? '';
  return holder !== '' && holder !== identity;
}

/** One try; false where another holds it or the API server did not take it. */
async function acquireOrRenew(candidate: Candidate, wanted: AbortSignal): Promise<boolean> {
  const { clock, onProblem, name } = candidate.options;
  const begunMs = clock.nowMs();
  const late = new AbortController();
  const signal = AbortSignal.any([wanted, late.signal]);
  const disarm = clock.after(tryMs, () => late.abort());
  try {
    await read(candidate, signal);
    if (isTaken(candidate) && clock.nowMs() - candidate.seenMs < leaseMs) return false;
    see(candidate, await write(candidate, signal));
    // An answer that comes after the signal would be a promise to nobody.
    if (signal.aborted) return false;
    candidate.renewedMs = begunMs;
    return true;
  } catch (error) {
    if (!wanted.aborted && !hasStatus(error, 409)) onProblem?.(`lease ${name}: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  } finally {
    disarm();
  }
}

async function read(candidate: Candidate, signal: AbortSignal): Promise<void> {
  const { client, namespace, name } = candidate.options;
  try {
    see(candidate, await client.get<LeaseObject>({ resource, namespace, name }, signal));
  } catch (error) {
    if (!hasStatus(error, 404)) throw error;
    candidate.seen = null;
  }
}

function see(candidate: Candidate, lease: LeaseObject): void {
  if (candidate.seen?.metadata.resourceVersion !== lease.metadata.resourceVersion) candidate.seenMs = candidate.options.clock.nowMs();
  candidate.seen = lease;
}

function write({ seen, options }: Candidate, signal: AbortSignal): Promise<LeaseObject> {
  const { client, wallClock, namespace, name, identity, annotations } = options;
  const metadata: KubeMetadata = { ...(seen?.metadata ?? { name, namespace }), annotations: { ...seen?.metadata.annotations, ...annotations } };
  const spec = nextSpec(seen, identity, microTime(wallClock()));
  const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec };
  return seen === null ? client.create({ resource, namespace }, lease, signal) : client.replace({ resource, namespace, name }, lease, signal);
}

function nextSpec(seen: LeaseObject | null, identity: string, now: string): NonNullable<LeaseObject['spec']> {
  const renewed = { holderIdentity: identity, leaseDurationSeconds: leaseMs / 1_000, renewTime: now };
  if (seen === null) return { ...renewed, acquireTime: now, leaseTransitions: 0 };
  const { holderIdentity, acquireTime = now, leaseTransitions = 0 } = seen.spec ?? {};
  const mine = holderIdentity === identity;
  return { ...renewed, acquireTime: mine ? acquireTime : now, leaseTransitions: leaseTransitions + (mine ? 0 : 1) };
}

/** Hands back what is still this candidate's, so that the next need not wait for it to expire. */
async function release(candidate: Candidate): Promise<void> {
  const { client, namespace, name, onProblem } = candidate.options;
  try {
    await handBack(candidate).catch(async (error: unknown) => {
      if (!hasStatus(error, 409)) throw error;
      // A renewal that was broken off had been taken.
      candidate.seen = await client.get<LeaseObject>({ resource, namespace, name });
      await handBack(candidate);
    });
  } catch (error) {
    onProblem?.(`lease ${name} could not be handed back: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function handBack({ seen, options: { client, wallClock, namespace, name, identity } }: Candidate): Promise<void> {
  if (seen?.spec?.holderIdentity !== identity) return;
  const now = microTime(wallClock());
  const spec = { ...seen.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: now, acquireTime: now };
  await client.replace({ resource, namespace, name }, { ...seen, apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', spec });
}

/** MicroTime of the Kubernetes API. */
function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}
