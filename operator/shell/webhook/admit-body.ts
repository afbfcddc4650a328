import type { Clock } from '@belay/contract';
import type { RequestHandler, Response } from 'express';

export interface BodyLimits {
  /** Of one body; a longer one is refused by whoever reads it. */
  readonly longest: number;
  /** Of all that are being read. */
  readonly together: number;
  readonly arriveMs: number;
}

/**
 * The webhook's port is open to every pod, and its memory is small: bodies that do not say how long they are, that together are too much, or that
 * do not arrive are refused in a sentence (control-plane: Security promises, 10).
 */
export function admitBody(clock: Clock, { longest, together, arriveMs }: BodyLimits, onRefused: () => void): RequestHandler {
  let held = 0;
  const refuse = (response: Response, status: number, error: string): void => {
    if (response.headersSent) return;
    onRefused();
    response.status(status).set('connection', 'close').json({ error });
  };
  return (request, response, next) => {
    const declared = Number(request.headers['content-length'] ?? 'NaN');
    if (Number.isNaN(declared)) return refuse(response, 411, 'A review must say how long it is, in content-length.');
    if (declared > longest) return next();
    if (held + declared > together) return refuse(response, 429, `More than ${together / 2 ** 20} MiB of reviews are being read: send this one again in a second.`);
    held += declared;
    const disarm = clock.after(arriveMs, () => {
      refuse(response, 408, `The review did not arrive within ${arriveMs / 1_000} s.`);
      request.destroy();
    });
    request.once('end', disarm);
    response.once('close', () => {
      disarm();
      held -= declared;
    });
    next();
  };
}
