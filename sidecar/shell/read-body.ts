import type { IncomingMessage } from 'node:http';
import { maxBodyBytes } from '@belay/contract';
import type { OwnError } from '../dialects/dialect.ts';

/** Bytes of request bodies that may be held at once; more is answered 429 (control-plane.md, promise 10). */
export interface BytesInFlight {
  /** False where the budget is used up; otherwise these bytes are taken. */
  take(bytes: number): boolean;
  release(bytes: number): void;
  readonly held: number;
}

/** A budget of `limit` bytes; one request alone may always take its whole body. */
export function createBytesInFlight(limit: number): BytesInFlight {
  let held = 0;
  return {
    take(bytes) {
      if (held > 0 && held + bytes > limit) return false;
      held += bytes;
      return true;
    },
    release(bytes) {
      held -= bytes;
    },
    get held() {
      return held;
    },
  };
}

/** A body, with what must be given back to the budget when the request is over; or why it is not taken. */
export type BodyRead =
  | { readonly type: 'body'; readonly body: Buffer; readonly bytes: number }
  | { readonly type: 'refused'; readonly error: OwnError }
  /** The client went away while it was sending. */
  | { readonly type: 'gone' };

/**
 * Reads one request body. A declared length over the cap or the budget is refused before a byte is read; one
 * that is not declared (chunked) as soon as it passes either. What was taken of the budget for a refused body is given back.
 */
export function readBody(request: IncomingMessage, budget: BytesInFlight, onAccepted: () => void): Promise<BodyRead> {
  const declared = Number(request.headers['content-length'] ?? 'NaN');
  if (declared > maxBodyBytes) return Promise.resolve(refused(tooLarge(`${mebibytes(declared)} MiB`)));
  let taken = 0;
  const take = (bytes: number): boolean => {
    if (!budget.take(bytes)) return false;
    taken += bytes;
    return true;
  };
  const giveBack = (): void => {
    budget.release(taken);
    taken = 0;
  };
  if (declared > 0 && !take(declared)) return Promise.resolve(refused(busy));
  onAccepted();
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    let size = 0;
    const finish = (read: BodyRead): void => {
      request.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone);
      if (read.type !== 'body') giveBack();
      resolve(read);
    };
    const onData = (part: Buffer): void => {
      size += part.length;
      if (size > maxBodyBytes) return finish(refused(tooLarge(`more than ${mebibytes(maxBodyBytes)} MiB`)));
      if (size > taken && !take(size - taken)) return finish(refused(busy));
      parts.push(part);
    };
    const onEnd = (): void => finish({ type: 'body', body: joined(parts, size), bytes: taken });
    const onGone = (): void => finish({ type: 'gone' });
    request.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone);
  });
}

function joined(parts: readonly Buffer[], size: number): Buffer {
  const first = parts[0];
  return parts.length === 1 && first !== undefined ? first : Buffer.concat(parts, size);
}

function refused(error: OwnError): BodyRead {
  return { type: 'refused', error };
}

function tooLarge(size: string): OwnError {
  return {
    status: 413, type: 'invalid_request_error', code: 'request_too_large', retryAfterMs: null,
    message: `A request body may have ${mebibytes(maxBodyBytes)} MiB at most; this one has ${size}.`,
  };
}

function mebibytes(bytes: number): string {
  const size = bytes / 1_048_576;
  return Number.isInteger(size) ? String(size) : size.toFixed(1);
}

const busy: OwnError = {
  status: 429, type: 'rate_limit_error', code: 'bytes_in_flight', retryAfterMs: 1_000,
  message: 'Too many bytes of requests are under way in this sidecar. Try again in a second, or give it more memory.',
};
