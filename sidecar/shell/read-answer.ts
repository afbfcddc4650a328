import type { IncomingHttpHeaders } from 'node:http';
import { bodyForm, type BodyForm } from '../dialects/openai-chat/upstream/body-form.ts';
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

/**
 * What the answer is decides, not what was asked for: some servers stream unasked, some never do. Its first byte tells;
 * where that says nothing, its content type does.
 */
function bodyOfSuccess(attempt: Attempt, headers: IncomingHttpHeaders): BodyReader {
  const blanks: Uint8Array[] = [];
  let reader: BodyReader | null = null;
  const choose = (form: BodyForm): BodyReader => {
    reader = form === 'events' || (form === 'unclear' && isDeclaredStream(attempt, headers)) ? readStream(attempt) : readWhole(attempt, headers);
    for (const chunk of blanks) reader.data(chunk);
    return reader;
  };
  return {
    data(chunk) {
      if (reader !== null) return reader.data(chunk);
      const form = bodyForm(chunk);
      if (form === null) blanks.push(chunk);
      else choose(form).data(chunk);
    },
    end: () => (reader ?? choose('unclear')).end(),
    failed: (failure) => (reader ?? choose('unclear')).failed(failure),
  };
}

function isDeclaredStream({ planned, unaryOnly, target }: Attempt, headers: IncomingHttpHeaders): boolean {
  const type = (headers['content-type'] ?? '').toLowerCase();
  if (type.includes('text/event-stream')) return true;
  return planned.streamed && !unaryOnly.has(target.healthKey) && !type.includes('json');
}

function requestIdOf(headers: IncomingHttpHeaders): string | null {
  const id = headers['x-request-id'];
  return typeof id === 'string' && id !== '' ? id : null;
}
