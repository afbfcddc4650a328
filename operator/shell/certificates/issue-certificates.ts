// @peculiar/x509 finds its parts through the metadata that this import makes room for.
import 'reflect-metadata';
import { createPrivateKey, webcrypto, X509Certificate } from 'node:crypto';
import {
  AuthorityKeyIdentifierExtension, BasicConstraintsExtension, ExtendedKeyUsage, ExtendedKeyUsageExtension, KeyUsageFlags, KeyUsagesExtension,
  SubjectAlternativeNameExtension, SubjectKeyIdentifierExtension, X509Certificate as Certificate, X509CertificateGenerator,
} from '@peculiar/x509';
import { lifetimes, type CertificateFacts, type Validity } from '../../core/certificates/lifetimes.ts';

/** A certificate and its private key, both PEM (the key PKCS#8). */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

export interface IssuedLeaf extends KeyPair, Validity {}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** A self-signed CA for one year, whose name is unlike any other's. `nowMs` is wall time. */
export async function issueAuthority(nowMs: number): Promise<KeyPair> {
  const keys = await newKeys();
  const serialNumber = newSerial();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    keys, serialNumber, name: [{ CN: [`Belay CA ${serialNumber.slice(0, 12)}`] }], signingAlgorithm: algorithm,
    notBefore: new Date(nowMs - lifetimes.skewMs), notAfter: new Date(nowMs + lifetimes.authorityMs),
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { cert: pem(certificate.toString('pem')), key: await exported(keys.privateKey) };
}

/** A server's certificate for these names, for 7 days, or as long as its CA has left. */
export async function issueLeaf(authority: KeyPair, names: { readonly dnsNames: readonly string[]; readonly ipAddresses: readonly string[] }, nowMs: number): Promise<IssuedLeaf> {
  const issuer = new X509Certificate(authority.cert);
  const keys = await newKeys();
  const validity = { notBeforeMs: nowMs - lifetimes.skewMs, notAfterMs: Math.min(nowMs + lifetimes.leafMs, certificateFacts(authority.cert).notAfterMs) };
  const signingKey = await webcrypto.subtle.importKey('pkcs8', createPrivateKey(authority.key).export({ format: 'der', type: 'pkcs8' }), algorithm, false, ['sign']);
  const issuerKey = await webcrypto.subtle.importKey('spki', issuer.publicKey.export({ format: 'der', type: 'spki' }), algorithm, true, ['verify']);
  const certificate = await X509CertificateGenerator.create({
    serialNumber: newSerial(), subject: [{ CN: ['Belay operator'] }], issuer: new Certificate(issuer.raw).subjectName, publicKey: keys.publicKey, signingKey, signingAlgorithm: algorithm,
    notBefore: new Date(validity.notBeforeMs), notAfter: new Date(validity.notAfterMs),
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension([...names.dnsNames.map((value) => ({ type: 'dns' as const, value })), ...names.ipAddresses.map((value) => ({ type: 'ip' as const, value }))]),
      await AuthorityKeyIdentifierExtension.create(issuerKey),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { cert: pem(certificate.toString('pem')), key: await exported(keys.privateKey), ...validity };
}

/** Throws where the text is no certificate. */
export function certificateFacts(cert: string): CertificateFacts {
  const certificate = new X509Certificate(cert);
  return { id: certificate.fingerprint256, notBeforeMs: Date.parse(certificate.validFrom), notAfterMs: Date.parse(certificate.validTo) };
}

/** Each certificate of a PEM bundle on its own. */
export function certificatesOf(bundle: string): readonly string[] {
  return (bundle.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map(pem);
}

/** Whether one of the CAs of `bundle` (PEM) signed `cert`. */
export function isSignedBy(cert: string, bundle: string): boolean {
  const certificate = new X509Certificate(cert);
  return certificatesOf(bundle).map((authority) => new X509Certificate(authority)).some((authority) => certificate.checkIssued(authority) && certificate.verify(authority.publicKey));
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

/** 127 bits of chance, positive and never short (RFC 5280, 4.1.2.2). */
function newSerial(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return Buffer.from(bytes).toString('hex');
}

async function exported(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64');
  return `-----BEGIN PRIVATE KEY-----\n${(der.match(/.{1,64}/g) ?? []).join('\n')}\n-----END PRIVATE KEY-----\n`;
}

/** One line end at the end, so that bundles are their parts put together. */
function pem(text: string): string {
  return `${text.trim()}\n`;
}
