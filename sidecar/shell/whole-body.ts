import type { IncomingHttpHeaders } from 'node:http';
import { maxBodyBytes } from '@belay/contract';
import { failure } from '../core/failure/failure.ts';
import { streamEnd } from '../dialects/openai-chat/client/stream.ts';
import { checkUnaryAnswer, isFailure, streamOfAnswer } from '../dialects/openai-chat/upstream/answer.ts';
import { complete, fail, failureContext, type Attempt, type BodyReader } from './attempt.ts';
import { plainHeaders } from './plain-headers.ts';

/** Gathers a JSON answer and checks it; for a client that asked for a stream it becomes one. */
export function readWhole(attempt: Attempt, headers: IncomingHttpHeaders): BodyReader {
  const parts: Uint8Array[] = [];
  let size = 0;
  return {
    data(chunk) {
      size += chunk.length;
      attempt.lastFedMs = attempt.clock.nowMs();
      if (size > maxBodyBytes) fail(attempt, failure('Transient', 'answer is larger than 32 MiB', { status: attempt.status }));
      else parts.push(chunk);
    },
    end() {
      const text = Buffer.concat(parts, size).toString('utf8');
      const checked = checkUnaryAnswer({ status: attempt.status, headers: plainHeaders(headers), body: text }, failureContext(attempt));
      if (isFailure(checked)) return fail(attempt, checked);
      attempt.servedModel = checked.servedModel;
      attempt.usage = checked.usage;
      if (attempt.request.stream) attempt.held = [withoutEnd(streamOfAnswer(checked.body, attempt.request))];
      else attempt.answer = checked.body;
      complete(attempt);
    },
    failed: (reason) => fail(attempt, reason),
  };
}

/** The end is written when the request ends, behind what Belay may have to add. */
function withoutEnd(stream: Uint8Array): Uint8Array {
  return stream.subarray(0, stream.length - streamEnd.length);
}
