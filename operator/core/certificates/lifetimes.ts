const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** Lives of certificates, in milliseconds (control-plane: Certificates). */
export const lifetimes = {
  authorityMs: 365 * dayMs,
  leafMs: 7 * dayMs,
  /** Certificates begin so long before they are made: clocks of other machines may be behind. */
  skewMs: 5 * minuteMs,
  /**
   * A CA signs only after everybody has been able to see it for so long. An API server sees a caBundle at once; a kubelet brings a changed
   * ConfigMap within its sync period and its cache's (Kubernetes documentation, "ConfigMaps"), and a sidecar reads it before every connect.
   */
  settleMs: 10 * minuteMs,
} as const;

/** A certificate is renewed when two thirds of its life are over. */
export function renewalMs({ notBeforeMs, notAfterMs }: Validity): number {
  return notBeforeMs + ((notAfterMs - notBeforeMs) * 2) / 3;
}

/** Wall time in milliseconds since the Unix epoch. */
export interface Validity {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** One certificate, by the digest of its content. */
export interface CertificateFacts extends Validity {
  readonly id: string;
}
