import { lifetimes, renewalMs, type CertificateFacts } from './lifetimes.ts';

/** What all replicas share: the CA Secret's content, without keys. Times are wall time in milliseconds since the Unix epoch. */
export interface AuthorityState {
  readonly signing: CertificateFacts;
  /** When it began to sign; null: it always did, or somebody else put it there. */
  readonly signingSinceMs: number | null;
  /** Trusted already, not signing yet. */
  readonly next: NextAuthority | null;
  /** Trusted still, signing no more. */
  readonly old: readonly CertificateFacts[];
  /** Somebody asked for a new CA now. */
  readonly rotationAsked: boolean;
}

export interface NextAuthority extends CertificateFacts {
  /** When the API server was first seen to trust it; null: not yet. */
  readonly publishedMs: number | null;
  readonly settleMs: number;
}

export interface AuthoritySituation {
  readonly nowMs: number;
  /** The CA of the leaf that this replica serves; null: it serves none. */
  readonly leafIssuer: CertificateFacts | null;
  /** CAs that the API server trusts, as last seen. */
  readonly published: ReadonlySet<string>;
}

export type AuthorityStep =
  | { readonly kind: 'wait'; readonly untilMs: number }
  /** Nobody can trust the signing CA any more: put the next, or a new one, in its place at once. */
  | { readonly kind: 'replace-expired' }
  /** Somebody put another CA in place of the one that leaves in use are signed with: trust that one still. */
  | { readonly kind: 'keep-issuer' }
  | { readonly kind: 'publish-next' }
  | { readonly kind: 'note-published' }
  | { readonly kind: 'promote-next' }
  | { readonly kind: 'retire-old' };

/**
 * The one thing to do next with the shared CA, whoever does it. A CA is published before anything is signed with it, and stays published until
 * the last leaf that it signed has expired.
 */
export function authorityStep(state: AuthorityState, situation: AuthoritySituation): AuthorityStep {
  const { signing, next, old } = state;
  const { nowMs, leafIssuer } = situation;
  if (nowMs >= signing.notAfterMs) return { kind: 'replace-expired' };
  if (leafIssuer !== null && leafIssuer.notAfterMs > nowMs && ![signing, ...(next === null ? [] : [next]), ...old].some(({ id }) => id === leafIssuer.id)) return { kind: 'keep-issuer' };
  return (next === null ? renewalStep(state, nowMs) : promotionStep(next, situation)) ?? retirementStep(state, nowMs) ?? { kind: 'wait', untilMs: nextMomentMs(state, nowMs) };
}

function renewalStep({ signing, rotationAsked }: AuthorityState, nowMs: number): AuthorityStep | null {
  return rotationAsked || nowMs >= renewalMs(signing) ? { kind: 'publish-next' } : null;
}

function promotionStep(next: NextAuthority, { nowMs, published }: AuthoritySituation): AuthorityStep | null {
  if (next.publishedMs === null) return published.has(next.id) ? { kind: 'note-published' } : null;
  return nowMs >= next.publishedMs + next.settleMs ? { kind: 'promote-next' } : null;
}

function retirementStep(state: AuthorityState, nowMs: number): AuthorityStep | null {
  return state.old.some((authority) => nowMs >= retirementMs(authority, state)) ? { kind: 'retire-old' } : null;
}

/** When a CA that signs no more can be forgotten: leaves that it signed have expired, or it has itself. */
export function retirementMs(old: CertificateFacts, { signingSinceMs }: Pick<AuthorityState, 'signingSinceMs'>): number {
  return signingSinceMs === null ? old.notAfterMs : Math.min(old.notAfterMs, signingSinceMs + lifetimes.settleMs + lifetimes.leafMs + 2 * lifetimes.skewMs);
}

function nextMomentMs(state: AuthorityState, nowMs: number): number {
  const { signing, next, old } = state;
  const moments = [signing.notAfterMs, ...(next === null ? [renewalMs(signing)] : []), ...old.map((authority) => retirementMs(authority, state))];
  if (next !== null && next.publishedMs !== null) moments.push(next.publishedMs + next.settleMs);
  return Math.min(...moments.filter((ms) => ms > nowMs));
}
