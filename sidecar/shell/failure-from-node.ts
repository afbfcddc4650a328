import type { FailureClass } from '@belay/contract';
import type { LossCause } from '../core/control/control-protocol.ts';
import { failure, type Failure } from '../core/failure/failure.ts';

/** How far an attempt had come when Node reported the error. */
export type AttemptPhase = 'connecting' | 'sent' | 'answering';

/** An address that Belay does not dial, whatever a resource or a resolver says. */
export class AddressRefused extends Error {
  readonly code = 'BELAY_ADDRESS_REFUSED';
}

/** Node's system, DNS and TLS error codes (Node documentation, "Errors" and "TLS: X509 certificate error codes"). */
const words: { readonly [code: string]: readonly [FailureClass, string] } = {
  ECONNREFUSED: ['Unreachable', 'connection refused'],
  ENOTFOUND: ['Unreachable', 'name not found in DNS'],
  EAI_AGAIN: ['Unreachable', 'DNS gave no answer'],
  EAI_FAIL: ['Unreachable', 'DNS failed'],
  EAI_NODATA: ['Unreachable', 'name has no address in DNS'],
  ENODATA: ['Unreachable', 'name has no address in DNS'],
  EHOSTUNREACH: ['Unreachable', 'host unreachable'],
  ENETUNREACH: ['Unreachable', 'network unreachable'],
  EHOSTDOWN: ['Unreachable', 'host down'],
  ENETDOWN: ['Unreachable', 'network down'],
  EADDRNOTAVAIL: ['Unreachable', 'no local address left to connect from'],
  EMFILE: ['Unreachable', 'too many open files'],
  EACCES: ['Unreachable', 'connection forbidden by the system'],
  EPERM: ['Unreachable', 'connection forbidden by the system'],
  EPROTO: ['Unreachable', 'TLS failed'],
  CERT_HAS_EXPIRED: ['Unreachable', 'certificate has expired'],
  CERT_NOT_YET_VALID: ['Unreachable', 'certificate is not valid yet'],
  DEPTH_ZERO_SELF_SIGNED_CERT: ['Unreachable', 'certificate is self-signed: add its CA to tls.caCertificateRefs'],
  SELF_SIGNED_CERT_IN_CHAIN: ['Unreachable', 'certificate of an unknown CA: add it to tls.caCertificateRefs'],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ['Unreachable', 'certificate of an unknown CA: add it to tls.caCertificateRefs'],
  UNABLE_TO_GET_ISSUER_CERT: ['Unreachable', 'certificate of an unknown CA: add it to tls.caCertificateRefs'],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ['Unreachable', 'certificate of an unknown CA: add it to tls.caCertificateRefs'],
  ERR_TLS_CERT_ALTNAME_INVALID: ['Unreachable', 'certificate is for another host name'],
  ERR_PROXY_TUNNEL: ['Unreachable', 'the proxy refused the tunnel'],
  ECONNRESET: ['Transient', 'connection reset'],
  EPIPE: ['Transient', 'connection closed while the request was sent'],
  ECONNABORTED: ['Transient', 'connection aborted'],
  ETIMEDOUT: ['Timeout', 'connection timed out'],
};

/** Codes that share a beginning: the HTTP parser's, OpenSSL's, those of zlib, Brotli and Zstandard. */
const families: readonly (readonly [RegExp, FailureClass, string])[] = [
  [/^HPE_/, 'Transient', 'answer is not HTTP'],
  [/^ERR_(SSL|TLS|OSSL)_/, 'Unreachable', 'TLS failed'],
  [/^(Z_|ZSTD_|ERR__|ERR_BROTLI|ERR_ZSTD)/, 'Transient', 'compressed answer is damaged'],
];

/**
 * One error of Node's sockets, resolver, TLS, HTTP parser or decompressor as a failure (routing rule 4). This file
 * alone knows Node's error codes. The error's own message is not handed on: it may hold what an upstream sent.
 */
export function failureFromNode(error: unknown, phase: AttemptPhase): Failure {
  if (error instanceof AddressRefused) return failure('Unreachable', error.message);
  const code = codeOf(error);
  const known = words[code];
  if (phase === 'connecting' && code === 'ECONNRESET') return failure('Unreachable', 'connection closed before it was up');
  if (known !== undefined) return failure(known[0], known[1], { silent: known[0] === 'Timeout' && phase !== 'answering' });
  const family = families.find(([begins]) => begins.test(code));
  if (family !== undefined) return failure(family[1], family[2]);
  return phase === 'connecting' ? failure('Unreachable', `could not connect${inBrackets(code)}`) : failure('Transient', `connection failed${inBrackets(code)}`);
}

/** True for an error that a stale pooled connection gives: the repeat on a fresh one is uncounted (rule 4). */
export function isConnectionLoss(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'ECONNRESET' || code === 'EPIPE';
}

/** Why a connection to the distributor ended; `detail`: a clause for people. */
export interface StreamLoss {
  readonly cause: LossCause;
  readonly detail: string;
}

/** A leaf that none of the trusted CAs has signed: also where a CA of the same name has another key. */
const unknownAuthority = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'UNABLE_TO_GET_ISSUER_CERT', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_SIGNATURE_FAILURE',
]);

const http2Words: { readonly [code: string]: string } = {
  ERR_HTTP2_ERROR: 'it does not speak HTTP/2',
  ERR_HTTP2_GOAWAY_SESSION: 'it takes no more streams (GOAWAY)',
  ERR_HTTP2_SESSION_ERROR: 'it broke the connection off (HTTP/2)',
  ERR_HTTP2_STREAM_ERROR: 'it broke the stream off (HTTP/2)',
};

/** One error of the connection to the distributor, from DNS to HTTP/2. */
export function lossFromNode(error: unknown): StreamLoss {
  const code = codeBehind(error);
  if (code === 'CERT_HAS_EXPIRED') return { cause: 'UnknownAuthority', detail: 'its certificate, or the CA of it that is known here, has expired' };
  if (unknownAuthority.has(code)) return { cause: 'UnknownAuthority', detail: 'its certificate is of no CA that is known here' };
  const known = http2Words[code] ?? words[code]?.[1] ?? families.find(([begins]) => begins.test(code))?.[2];
  return { cause: 'Other', detail: known ?? `the connection failed${inBrackets(code)}` };
}

/** A stream that waited for its connection only says that it was cancelled; what became of the connection is its cause. */
function codeBehind(error: unknown): string {
  const code = codeOf(error);
  if (code !== 'ERR_HTTP2_STREAM_CANCEL' || typeof error !== 'object' || error === null || !('cause' in error)) return code;
  return codeOf(error.cause);
}

/** There is no such file, or no such folder. */
export function isMissingFile(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** A clause for a file that is there and cannot be read. */
export function describeFileError(error: unknown): string {
  const code = codeOf(error);
  if (code === 'EACCES' || code === 'EPERM') return 'this user may not read it';
  return code === 'EISDIR' ? 'it is a folder' : `reading failed${inBrackets(code)}`;
}

/** One sentence for a port that could not be opened. */
export function describeListenError(error: unknown, address: string, port: number): string {
  const code = codeOf(error);
  const where = `${address}:${port}`;
  if (code === 'EADDRINUSE') return `port ${port} on ${address} is in use: stop what listens there, or choose another port`;
  if (code === 'EACCES') return `port ${port} on ${address} may not be opened by this user: choose one above 1023`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return `${address} is no address of this machine: choose 127.0.0.1, or one that it has`;
  return `could not listen on ${where}${inBrackets(code)}`;
}

function codeOf(error: unknown): string {
  if (error instanceof AggregateError && codeIn(error) === '') return codeOf(error.errors[0]);
  return codeIn(error);
}

function codeIn(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

function inBrackets(code: string): string {
  return code === '' ? '' : ` (${code})`;
}
