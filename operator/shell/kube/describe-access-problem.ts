import { KubeError } from './kube-error.ts';

/** By Node's error codes (OpenSSL's names of certificate errors among them). */
const untrusted = /^(UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|CERT_|ERR_TLS_CERT)/;
const unreachable: { readonly [code: string]: string } = {
  ECONNREFUSED: 'nothing listens there', ECONNRESET: 'the connection was cut', ENOTFOUND: 'its name is not known', EAI_AGAIN: 'its name cannot be looked up',
  ETIMEDOUT: 'it does not answer', EHOSTUNREACH: 'there is no way to it', ENETUNREACH: 'there is no way to it',
};

/** A sentence about an API server that cannot be asked at all; null where it answered, and something else is wrong. */
export function describeAccessProblem(error: unknown, { server, context }: { readonly server: string; readonly context: string }): string | null {
  if (error instanceof KubeError) {
    return error.status === 401 ? `The API server ${server} does not accept the credentials of context "${context}": they may have ended; log in again.` : null;
  }
  const code = codeOf(error);
  if (code === null) return null;
  const why = unreachable[code];
  if (why !== undefined) return `The API server ${server} of context "${context}" cannot be reached: ${why} (${code}).`;
  return untrusted.test(code) ? `The certificate of the API server ${server} is not trusted (${code}): the certificate-authority of context "${context}" must be its CA.` : null;
}

/** Of an error or what it was caused by. */
function codeOf(error: unknown): string | null {
  if (typeof error !== 'object' || error === null) return null;
  const { code, cause } = error as { readonly code?: unknown; readonly cause?: unknown };
  return typeof code === 'string' ? code : codeOf(cause);
}
