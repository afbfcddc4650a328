import { createHash, timingSafeEqual } from 'node:crypto';
import type { Secret } from '@belay/contract';
import type { OwnError } from '../dialects/dialect.ts';

/** Checks `Authorization: Bearer KEY` where a client key is set, in constant time; null: let in. */
export function createBearerCheck(clientKey: Secret | null): (authorization: string | undefined) => OwnError | null {
  if (clientKey === null) return () => null;
  const wanted = digest(clientKey.reveal());
  return (authorization) => {
    const given = /^Bearer +(.+)$/i.exec(authorization ?? '')?.[1] ?? '';
    if (timingSafeEqual(digest(given.trim()), wanted)) return null;
    return { status: 401, type: 'invalid_request_error', code: 'invalid_api_key', message: 'This endpoint demands its client key: send "Authorization: Bearer KEY" with the value of BELAY_CLIENT_KEY.', retryAfterMs: null };
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
