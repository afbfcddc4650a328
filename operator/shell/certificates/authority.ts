import { describeProblem, type Clock, type Random, type WallClock } from '@belay/contract';
import { authorityStep, retirementMs, type AuthorityStep } from '../../core/certificates/authority-step.ts';
import { leafStep } from '../../core/certificates/leaf-step.ts';
import { lifetimes, type CertificateFacts } from '../../core/certificates/lifetimes.ts';
import { exponentialBackoff, type Backoff } from '../kube/backoff.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { hasStatus } from '../kube/kube-error.ts';
import { createReflector, type Reflector } from '../kube/reflector.ts';
import type { Log } from '../log.ts';
import { allOrAborted, newAlarm, type Alarm } from './alarm.ts';
import { authoritySecret, authorityState, parseAuthoritySecret, trustedBundle, type AuthorityContent, type SecretObject } from './authority-secret.ts';
import { newProblemLog, type ProblemLog } from './problem-log.ts';
import { certificateFacts, certificatesOf, issueAuthority, issueLeaf, type IssuedLeaf, type KeyPair } from './issue-certificates.ts';

export interface AuthorityOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly wallClock: WallClock;
  readonly random: Random;
  readonly log: Log;
  readonly namespace: string;
  /** Default `belay-ca`. */
  readonly secretName?: string;
  /** Names of the leaf. */
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  /** How long a new CA is trusted before it signs. Default 10 min. */
  readonly settleMs?: number;
}

export interface Authority {
  /** Resolves with the first leaf; never rejects: what is in the way is logged and tried again. */
  readonly ready: Promise<void>;
  /** PEM bundle to trust: old and new. Equal in all replicas that have read the same Secret. Empty before `ready`. */
  trusted(): string;
  /** The same, of the Secret as it is now and not as it was last heard of; what was last heard of where it is gone or cannot be read. Rejects where the API server does not answer. */
  confirmed(): Promise<string>;
  /** Of this replica, in memory, 7 days, for the names given. Throws before `ready`. */
  leaf(): KeyPair;
  /** Called when `trusted()` or `leaf()` changed; returns an unsubscribe. */
  onChange(listener: () => void): () => void;
  /** Tells that the API server trusts these CAs (PEM): a new CA signs only so long after it has been told. */
  notePublished(bundle: string): void;
  /** False once its watch has ended: a failed liveness probe. */
  alive(): boolean;
  close(): Promise<void>;
}

const resource = { group: '', version: 'v1', plural: 'secrets' };
/** Wall time is looked at so often: a machine that slept, or whose clock was set, misses no renewal. */
const tickMs = 60_000;

interface Signed extends IssuedLeaf {
  readonly issuer: CertificateFacts;
  readonly issuerCert: string;
}

interface Replica {
  readonly options: AuthorityOptions;
  readonly name: string;
  readonly settleMs: number;
  readonly reflector: Reflector<SecretObject>;
  readonly backoff: Backoff;
  /** When, by wall time, others can all have learnt to trust a CA that came in while this replica ran: a leaf by another CA waits for that. */
  readonly settled: Map<string, number>;
  readonly listeners: Set<() => void>;
  readonly signal: AbortSignal;
  readonly tellReady: () => void;
  readonly problems: ProblemLog;
  /** What the Secret said when it could last be read. */
  content: AuthorityContent | null;
  /** The Secret's version that was read last, and whether it could be. */
  read: { readonly version: string; readonly ok: boolean };
  leaf: Signed | null;
  published: ReadonlySet<string>;
}

/**
 * A CA that all replicas share in one Secret, and a leaf of this replica's own (control-plane: Certificates). Whoever comes first makes the Secret;
 * any replica may take its next step, with the resourceVersion that it read.
 */
export function createAuthority(options: AuthorityOptions): Authority {
  const { client, clock, random, log, namespace, secretName: name = 'belay-ca' } = options;
  const stop = new AbortController();
  const alarm = newAlarm(clock, stop.signal);
  let tellReady = (): void => {};
  const ready = new Promise<void>((resolve) => { tellReady = resolve; });
  const watchProblems = newProblemLog(log);
  const reflector = createReflector<SecretObject>({
    client, clock, random, place: { resource, namespace }, fieldSelector: `metadata.name=${name}`,
    onChange: () => { watchProblems.over(); alarm.ring(); },
    onProblem: ({ message }) => watchProblems.tell({ level: 'warn', event: 'authority-watch-failed', message: `The CA's Secret could not be watched, which is tried again: ${message}.` }),
  });
  const replica: Replica = {
    options, name, settleMs: options.settleMs ?? lifetimes.settleMs, reflector, backoff: exponentialBackoff(clock, random, { firstMs: 500, longestMs: 30_000 }),
    settled: new Map(), listeners: new Set(), signal: stop.signal, tellReady, content: null, read: { version: '', ok: false }, leaf: null, published: new Set(), problems: newProblemLog(log),
  };
  const ended = run(replica, alarm);
  return {
    ready,
    trusted: () => bundleOf(replica),
    confirmed: () => confirmedBundle(replica),
    leaf() {
      if (replica.leaf === null) throw new Error('there is no leaf yet: wait for ready.');
      return replica.leaf;
    },
    onChange(listener) {
      replica.listeners.add(listener);
      return () => replica.listeners.delete(listener);
    },
    notePublished(bundle) {
      replica.published = new Set(certificatesOf(bundle).map((cert) => certificateFacts(cert).id));
      alarm.ring();
    },
    alive: () => reflector.alive(),
    async close() {
      stop.abort();
      await Promise.all([reflector.close(), ended]);
    },
  };
}

function bundleOf({ content }: Replica): string {
  return content === null ? '' : trustedBundle(content);
}

async function confirmedBundle(replica: Replica): Promise<string> {
  const { options: { client, namespace }, name, settleMs, signal } = replica;
  try {
    const content = parseAuthoritySecret(await client.get<SecretObject>({ resource, namespace, name }, signal), settleMs);
    return content.ok ? trustedBundle(content.value) : bundleOf(replica);
  } catch (error) {
    if (!hasStatus(error, 404)) throw error;
    return bundleOf(replica);
  }
}

async function run(replica: Replica, alarm: Alarm): Promise<void> {
  const { reflector, signal } = replica;
  await allOrAborted([reflector.synced], signal);
  while (!signal.aborted) {
    const waitMs = await attempt(replica);
    await alarm.wait(Math.max(0, Math.min(waitMs, tickMs)));
  }
}

/** One look at everything and one step; resolves to the wait before the next. */
async function attempt(replica: Replica): Promise<number> {
  try {
    const waitMs = await step(replica);
    replica.backoff.reset();
    return waitMs;
  } catch (error) {
    if (replica.signal.aborted) return 0;
    // Another replica was faster: its Secret is on its way.
    if (!hasStatus(error, 409)) complain(replica, error instanceof Error ? error.message : String(error));
    return replica.backoff.nextMs();
  }
}

async function step(replica: Replica): Promise<number> {
  const { options: { namespace, wallClock }, reflector } = replica;
  const secret = reflector.store.get(`${namespace}/${replica.name}`);
  if (secret === undefined) {
    await create(replica);
    return tickMs;
  }
  const readable = readSecret(replica, secret);
  if (replica.content === null) return tickMs;
  const leafUntilMs = await renewLeaf(replica, replica.content);
  if (!readable) return leafUntilMs - wallClock();
  const next = authorityStep(authorityState(replica.content), { nowMs: wallClock(), leafIssuer: replica.leaf?.issuer ?? null, published: replica.published });
  if (next.kind === 'wait') {
    replica.problems.over();
    return Math.min(next.untilMs, leafUntilMs) - wallClock();
  }
  await change(replica, secret, replica.content, next);
  return tickMs;
}

/** The first Secret, or the one that somebody deleted under us. */
async function create(replica: Replica): Promise<void> {
  const { options: { client, wallClock, namespace, log }, name, signal } = replica;
  const content = replica.content ?? { signing: await issueAuthority(wallClock()), signingSinceMs: null, next: null, old: [], rotation: null };
  await client.create({ resource, namespace }, authoritySecret(content, { name, namespace }), signal);
  log({ level: 'info', event: 'authority-created', message: replica.content === null ? `Secret ${name} in namespace ${namespace} was made, with a new CA.` : `Secret ${name} in namespace ${namespace} was gone and has been made again, with the same CA.` });
}

/** False where the Secret cannot be read: what it said before holds. */
function readSecret(replica: Replica, secret: SecretObject): boolean {
  const { options: { namespace, wallClock }, name } = replica;
  const version = secret.metadata.resourceVersion ?? '';
  if (version === replica.read.version) return replica.read.ok;
  const content = parseAuthoritySecret(secret, replica.settleMs);
  replica.read = { version, ok: content.ok };
  if (!content.ok) {
    complain(replica, `Secret ${name} in namespace ${namespace}: ${content.problems.map(describeProblem).join('; ')}. Put it right, or delete the Secret and Belay makes ${replica.content === null ? 'a new one' : 'it again from memory'}.`);
    return false;
  }
  const before = bundleOf(replica);
  replica.content = content.value;
  for (const { id, settleMs } of cameIn(content.value, replica.settleMs)) {
    if (!replica.settled.has(id)) replica.settled.set(id, wallClock() + settleMs);
  }
  if (before !== bundleOf(replica)) notify(replica);
  return true;
}

/** CAs that sign or will, and for how long each is trusted before: what was said of one that is rotated to counts, and of one that somebody just puts there the usual. */
function cameIn({ signing, next }: AuthorityContent, usualMs: number): readonly { readonly id: string; readonly settleMs: number }[] {
  const ids = [{ id: certificateFacts(signing.cert).id, settleMs: usualMs }];
  return next === null ? ids : [...ids, { id: certificateFacts(next.cert).id, settleMs: next.settleMs }];
}

/** Resolves to the moment, in wall time, when the leaf is to be looked at again. */
async function renewLeaf(replica: Replica, { signing }: AuthorityContent): Promise<number> {
  const { options: { wallClock, dnsNames, ipAddresses, log }, leaf, settled } = replica;
  const issuer = certificateFacts(signing.cert);
  const next = leafStep({ nowMs: wallClock(), leaf, signing: issuer, settledMs: settled.get(issuer.id) ?? wallClock() });
  if (next.kind === 'wait') return next.untilMs;
  const issued = await issueLeaf(signing, { dnsNames, ipAddresses }, wallClock());
  replica.leaf = { ...issued, issuer, issuerCert: signing.cert };
  log({ level: 'info', event: 'leaf-issued', message: `A certificate until ${new Date(issued.notAfterMs).toISOString()} was issued for ${[...dnsNames, ...ipAddresses].join(', ')}.`, authority: issuer.id });
  replica.tellReady();
  notify(replica);
  return wallClock();
}

async function change(replica: Replica, secret: SecretObject, content: AuthorityContent, next: Exclude<AuthorityStep, { kind: 'wait' }>): Promise<void> {
  const { options: { client, namespace, log }, name, signal } = replica;
  const changed = await changedContent(replica, content, next);
  await client.replace({ resource, namespace, name }, authoritySecret(changed.content, secret.metadata, secret.type), signal);
  log({ level: 'info', event: changed.event, message: changed.message });
}

interface Changed {
  readonly content: AuthorityContent;
  readonly event: string;
  readonly message: string;
}

async function changedContent({ options: { wallClock }, settleMs, leaf }: Replica, content: AuthorityContent, next: Exclude<AuthorityStep, { kind: 'wait' }>): Promise<Changed> {
  const nowMs = wallClock();
  switch (next.kind) {
    case 'publish-next': {
      const authority = await issueAuthority(nowMs);
      return { content: { ...content, next: { ...authority, publishedMs: null, settleMs: content.rotation?.settleMs ?? settleMs }, rotation: null }, event: 'authority-added', message: 'A new CA was put beside the old one: it signs nothing until everybody can trust it.' };
    }
    case 'note-published':
      return { content: { ...content, next: content.next === null ? null : { ...content.next, publishedMs: nowMs } }, event: 'authority-published', message: 'The API server trusts the new CA.' };
    case 'promote-next':
      return { content: promoted(content, content.next ?? content.signing, nowMs), event: 'authority-rotated', message: 'The new CA signs from now on; the old one stays trusted until its last certificate has expired.' };
    case 'replace-expired':
      return { content: promoted(content, content.next ?? await issueAuthority(nowMs), nowMs), event: 'authority-replaced', message: 'The CA had expired, and a new one has taken its place at once.' };
    case 'keep-issuer':
      return { content: { ...content, old: leaf === null ? content.old : [...content.old, leaf.issuerCert], signingSinceMs: nowMs }, event: 'authority-kept', message: 'Somebody put another CA into the Secret: the one before stays trusted until its last certificate has expired.' };
    case 'retire-old':
      return { content: { ...content, old: content.old.filter((cert) => nowMs < retirementMs(certificateFacts(cert), content)) }, event: 'authority-retired', message: 'A CA that signs no more, and whose last certificate has expired, is trusted no more.' };
  }
}

function promoted(content: AuthorityContent, { cert, key }: KeyPair, nowMs: number): AuthorityContent {
  const old = [content.signing.cert, ...content.old].filter((before) => certificateFacts(before).notAfterMs > nowMs);
  return { signing: { cert, key }, signingSinceMs: nowMs, next: null, old, rotation: null };
}

function notify({ listeners }: Replica): void {
  for (const listener of listeners) listener();
}

function complain({ problems }: Replica, message: string): void {
  problems.tell({ level: 'error', event: 'authority-failed', message });
}
