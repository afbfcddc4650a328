import { bearerToken, streamContentType, streamPath } from '@belay/contract';
import type { IncomingHttpHeaders } from 'node:http2';

export interface Refusal {
  readonly status: number;
  /** A sentence for whoever asked. */
  readonly message: string;
}

/** Bytes of names and values; the setting of HTTP/2 that says so binds nobody who has not acknowledged it. */
export const headerLimit = 16 * 1024;

/** The token of a request for a stream, or why it is none. */
export function readRequest(headers: IncomingHttpHeaders): { readonly token: string } | Refusal {
  const length = Object.entries(headers).reduce((total, [name, value]) => total + name.length + String(value).length, 0);
  if (length > headerLimit) return { status: 431, message: `The headers must have at most ${headerLimit} bytes together.` };
  const path = headers[':path'] ?? '';
  if (path !== streamPath) return { status: 404, message: `There is nothing at this path: a sidecar asks for POST ${streamPath}.` };
  if (headers[':method'] !== 'POST') return { status: 405, message: `${streamPath} takes POST alone.` };
  if (headers['content-type'] !== streamContentType) return { status: 415, message: `${streamPath} takes frames as ${streamContentType} alone: set content-type so.` };
  const token = bearerToken(headers['authorization']);
  return token === null ? { status: 401, message: 'There is no token: send the pod\'s projected token as authorization: Bearer TOKEN.' } : { token };
}
