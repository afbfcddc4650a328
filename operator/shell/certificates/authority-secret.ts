import { createPrivateKey, X509Certificate } from 'node:crypto';
import { apiGroup, formatDuration, parsed, parseDuration, refused, type Parsed } from '@belay/contract';
import type { AuthorityState } from '../../core/certificates/authority-step.ts';
import type { KubeMetadata, KubeObject } from '../kube/kube-object.ts';
import { certificateFacts, certificatesOf, type KeyPair } from './issue-certificates.ts';

/** The CA Secret; `data` is base64. */
export interface SecretObject extends KubeObject {
  readonly type?: string;
  readonly data?: Readonly<Record<string, string>>;
}

/** Keys of the CA Secret: PEM each, the private ones PKCS#8. */
const secretKeys = {
  /** The CA that signs. */
  cert: 'tls.crt',
  key: 'tls.key',
  /** The CA that will sign: trusted already. Absent most of the time. */
  nextCert: 'next.crt',
  nextKey: 'next.key',
  /** CAs that signed before, without their keys: trusted until their last leaf has expired. Absent most of the time. */
  oldCerts: 'old.crt',
} as const;

const secretAnnotations = {
  /** `now`, or how long the new CA is trusted before it signs (e.g. `2m`): asks for a new CA; taken away when it is made. */
  rotate: `${apiGroup}/rotate`,
  /** RFC 3339: when the API server was first seen to trust `next.crt`. */
  nextPublished: `${apiGroup}/next-published`,
  /** A duration: what `rotate` said, kept for the CA that it asked for. */
  nextSettle: `${apiGroup}/next-settle`,
  /** RFC 3339: since when `tls.crt` signs. */
  signingSince: `${apiGroup}/signing-since`,
} as const;

/** What the CA Secret says. */
export interface AuthorityContent {
  readonly signing: KeyPair;
  readonly signingSinceMs: number | null;
  readonly next: (KeyPair & { readonly publishedMs: number | null; readonly settleMs: number }) | null;
  /** One certificate each. */
  readonly old: readonly string[];
  /** How long a CA that somebody asks for is trusted before it signs; null: nobody asks. */
  readonly rotation: { readonly settleMs: number } | null;
}

/** Reads a CA Secret; each problem's path is a key of it. `usualSettleMs` holds where the Secret says nothing else. */
export function parseAuthoritySecret({ metadata, data = {} }: SecretObject, usualSettleMs: number): Parsed<AuthorityContent> {
  const annotations = metadata.annotations ?? {};
  const text = (key: string): string => Buffer.from(data[key] ?? '', 'base64').toString('utf8');
  const signing = parseAuthority(secretKeys.cert, text(secretKeys.cert), secretKeys.key, text(secretKeys.key));
  if (!signing.ok) return signing;
  const old = parseCertificates(secretKeys.oldCerts, text(secretKeys.oldCerts));
  if (!old.ok) return old;
  const next = data[secretKeys.nextCert] === undefined ? parsed(null) : parseAuthority(secretKeys.nextCert, text(secretKeys.nextCert), secretKeys.nextKey, text(secretKeys.nextKey));
  if (!next.ok) return next;
  const rotate = annotations[secretAnnotations.rotate];
  return parsed({
    signing: signing.value,
    signingSinceMs: momentOf(annotations[secretAnnotations.signingSince]),
    next: next.value === null ? null : { ...next.value, publishedMs: momentOf(annotations[secretAnnotations.nextPublished]), settleMs: settleOf(annotations[secretAnnotations.nextSettle], usualSettleMs) },
    old: old.value,
    rotation: rotate === undefined ? null : { settleMs: settleOf(rotate, usualSettleMs) },
  });
}

/** The Secret with this content; what others wrote on it stays. */
export function authoritySecret(content: AuthorityContent, before: KubeMetadata, type = 'kubernetes.io/tls'): SecretObject {
  const { signing, next, old } = content;
  const data = {
    [secretKeys.cert]: signing.cert, [secretKeys.key]: signing.key,
    ...(next === null ? {} : { [secretKeys.nextCert]: next.cert, [secretKeys.nextKey]: next.key }),
    ...(old.length === 0 ? {} : { [secretKeys.oldCerts]: old.join('') }),
  };
  return {
    apiVersion: 'v1', kind: 'Secret', type,
    metadata: { ...before, labels: { 'app.kubernetes.io/managed-by': 'belay', ...before.labels }, annotations: annotationsOf(content, before) },
    data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')])),
  };
}

function annotationsOf({ signingSinceMs, next, rotation }: AuthorityContent, { annotations: before = {} }: KubeMetadata): Readonly<Record<string, string>> {
  const names: readonly string[] = Object.values(secretAnnotations);
  const own = {
    [secretAnnotations.rotate]: rotation === null ? null : before[secretAnnotations.rotate] ?? null,
    [secretAnnotations.nextPublished]: timestamp(next?.publishedMs ?? null),
    [secretAnnotations.nextSettle]: next === null ? null : formatDuration(next.settleMs),
    [secretAnnotations.signingSince]: timestamp(signingSinceMs),
  };
  const written = Object.entries(own).flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]));
  return Object.fromEntries([...Object.entries(before).filter(([name]) => !names.includes(name)), ...written]);
}

/** The content as decisions see it. */
export function authorityState({ signing, signingSinceMs, next, old, rotation }: AuthorityContent): AuthorityState {
  return {
    signing: certificateFacts(signing.cert), signingSinceMs,
    next: next === null ? null : { ...certificateFacts(next.cert), publishedMs: next.publishedMs, settleMs: next.settleMs },
    old: old.map(certificateFacts),
    rotationAsked: rotation !== null,
  };
}

/** Every CA to trust, as PEM, in an order that every replica has alike. */
export function trustedBundle({ signing, next, old }: AuthorityContent): string {
  return [...new Set([signing.cert, ...(next === null ? [] : [next.cert]), ...old])].join('');
}

function parseAuthority(certKey: string, certText: string, keyKey: string, keyText: string): Parsed<KeyPair> {
  const certificates = parseCertificates(certKey, certText);
  if (!certificates.ok) return certificates;
  const [cert, ...more] = certificates.value;
  if (cert === undefined || more.length > 0) return refused(certKey, `must hold one certificate in PEM, and holds ${certificates.value.length}`);
  const certificate = new X509Certificate(cert);
  if (!certificate.ca) return refused(certKey, 'must be the certificate of a CA (basicConstraints CA:TRUE), and is none');
  try {
    const key = createPrivateKey(keyText);
    if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') return refused(keyKey, 'must be a P-256 key');
    if (!certificate.checkPrivateKey(key)) return refused(keyKey, `is not the key of ${certKey}`);
    return parsed({ cert, key: String(key.export({ format: 'pem', type: 'pkcs8' })) });
  } catch {
    // OpenSSL's words about a key that it cannot read help nobody, and might quote it.
    return refused(keyKey, 'must be a private key in PEM');
  }
}

function parseCertificates(key: string, text: string): Parsed<readonly string[]> {
  const certificates = certificatesOf(text);
  try {
    certificates.forEach(certificateFacts);
    return certificates.length === 0 && text.trim() !== '' ? refused(key, 'must be a certificate in PEM') : parsed(certificates);
  } catch {
    return refused(key, 'must be a certificate in PEM, and cannot be read');
  }
}

function settleOf(text: string | undefined, usualMs: number): number {
  const duration = parseDuration(text);
  return duration.ok ? duration.value : usualMs;
}

function momentOf(text: string | undefined): number | null {
  const ms = Date.parse(text ?? '');
  return Number.isNaN(ms) ? null : ms;
}

function timestamp(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
