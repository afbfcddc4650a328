import type { IncomingHttpHeaders } from 'node:http';
import { fail, safely, stir, type Attempt, type BodyReader } from './attempt.ts';
import { readError } from './error-body.ts';
import { readStream } from './stream-body.ts';
import type { UpstreamListener } from './upstream.ts';
import { readWhole } from './whole-body.ts';

/** Turns what comes over the wire into the attempt's events. */
export function readAnswer(attempt: Attempt): UpstreamListener {
  let body: BodyReader | null = null;
  return {
    connected: () => attempt.tell({ type: 'attempt-connected', attempt: attempt.number }),
    head: (status, headers) => safely(attempt, () => {
      attempt.status = status;
      attempt.requestId = requestIdOf(headers);
      body = status >= 200 && status < 300 ? bodyOfSuccess(attempt, headers) : readError(attempt, headers);
      stir(attempt);
    }),
    data(chunk) {
      try {
        body?.data(chunk);
      } catch (error) {
        attempt.crash(error);
      }
    },
    end: () => safely(attempt, () => body?.end()),
    failed: (failure) => safely(attempt, () => {
      if (body === null) fail(attempt, failure);
      else body.failed(failure);
    }),
  };
}

/** What the answer says it is decides, not what was asked for: some servers stream unasked, some never do. */
function bodyOfSuccess(attempt: Attempt, headers: IncomingHttpHeaders): BodyReader {
  const type = (headers['content-type'] ?? '').toLowerCase();
  if (type.includes('text/event-stream')) return readStream(attempt);
  return attempt.planned.streamed && !attempt.unaryOnly.has(attempt.target.healthKey) && !type.includes('json') ? readStream(attempt) : readWhole(attempt, headers);
}

function requestIdOf(headers: IncomingHttpHeaders): string | null {
  const id = headers['x-request-id'];
  return typeof id === 'string' && id !== '' ? id : null;
}
