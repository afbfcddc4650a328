import type { IncomingHttpHeaders } from 'node:http';
import { classifyAnswer, refusesStreaming } from '../dialects/openai-chat/upstream/failure.ts';
import { fail, failureContext, safely, type Attempt, type BodyReader } from './attempt.ts';
import { plainHeaders } from './plain-headers.ts';

/** More of an error is not read. */
const errorBytesLimit = 64 * 1024;
/** An error whose body does not come is classified by what did. */
const errorBodyMs = 2_000;

/** Gathers the body of an answer that is not 2xx, and classifies it. */
export function readError(attempt: Attempt, headers: IncomingHttpHeaders): BodyReader {
  const parts: Uint8Array[] = [];
  let size = 0;
  let classified = false;
  const classify = (): void => {
    if (classified || attempt.over) return;
    classified = true;
    attempt.disarm?.();
    attempt.disarm = null;
    if (size <= errorBytesLimit) attempt.call?.release();
    const body = Buffer.concat(parts, size).subarray(0, errorBytesLimit).toString('utf8');
    const raw = { status: attempt.status, headers: plainHeaders(headers), body };
    const { unaryOnly, target, planned } = attempt;
    if (planned.streamed && !unaryOnly.has(target.healthKey) && refusesStreaming(raw)) {
      unaryOnly.add(target.healthKey);
      return attempt.resendUnary();
    }
    fail(attempt, classifyAnswer(raw, failureContext(attempt)));
  };
  attempt.disarm = attempt.clock.after(errorBodyMs, () => safely(attempt, classify));
  return {
    data(chunk) {
      parts.push(chunk);
      size += chunk.length;
      if (size > errorBytesLimit) classify();
    },
    end: classify,
    failed: classify,
  };
}
