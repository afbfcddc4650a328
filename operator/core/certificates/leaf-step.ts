import { renewalMs, type CertificateFacts, type Validity } from './lifetimes.ts';

export interface LeafSituation {
  readonly nowMs: number;
  /** The leaf in use and its CA; null: there is none. */
  readonly leaf: (Validity & { readonly issuer: CertificateFacts }) | null;
  readonly signing: CertificateFacts;
  /** When everybody can have learnt to trust the signing CA. */
  readonly settledMs: number;
}

export type LeafStep = { readonly kind: 'sign' } | { readonly kind: 'wait'; readonly untilMs: number };

/**
 * Whether a replica signs itself a new leaf: also in place of one that is not valid yet, made while its clock was ahead. With a CA that has just come
 * in, only after the others can have learnt to trust it, or where nothing is left to lose.
 */
export function leafStep({ nowMs, leaf, signing, settledMs }: LeafSituation): LeafStep {
  if (leaf === null || nowMs >= leaf.notAfterMs || nowMs < leaf.notBeforeMs) return { kind: 'sign' };
  const untilMs = leaf.issuer.id === signing.id ? renewalMs(leaf) : Math.min(settledMs, leaf.notAfterMs);
  return nowMs >= untilMs ? { kind: 'sign' } : { kind: 'wait', untilMs };
}
