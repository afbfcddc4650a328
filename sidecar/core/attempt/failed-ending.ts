import type { FailureClass } from '@belay/contract';
import type { Failure } from '../failure/failure.ts';
import { describeFailures } from './describe-failures.ts';
import type { AttemptPlan, Ending } from './protocol.ts';
import type { RequestState } from './request-state.ts';

/** SDKs sleep on whatever they are told (routing rule 4). */
const maxRetryAfterMs = 60_000;

/** The final failure of a request of which nothing was delivered, when no target is left (routing rule 4). */
export function failedEnding(plan: AttemptPlan, state: RequestState, nowMs: number): Ending {
  const failures = state.attempts.flatMap(({ failure }) => (failure === null ? [] : [failure]));
  const reason = describeFailures(plan, state);
  const only = plan.pinned ? failures.at(-1) : undefined;
  if (only !== undefined) return { ...returnedEnding(only, reason), retryAfterMs: soonestReset(state, nowMs) };
  const informative = failures.find((failure) => isInformative(failure.class));
  if (informative !== undefined) {
    const answer = failures.every((failure) => isInformative(failure.class)) ? informative.answer : null;
    return { type: 'failed', status: errorStatus(informative), answer, retryAfterMs: null, reason };
  }
  const limited = failures.length > 0 && failures.every((failure) => failure.class === 'Rate' || failure.class === 'Quota');
  return { type: 'failed', status: limited ? 429 : 503, answer: null, retryAfterMs: soonestReset(state, nowMs), reason };
}

/** One failure that goes back as it is: Client from the first target, a pinned target's error. */
export function returnedEnding(failed: Failure, reason: string): Extract<Ending, { type: 'failed' }> {
  return { type: 'failed', status: errorStatus(failed), answer: failed.answer, retryAfterMs: null, reason };
}

function isInformative(name: FailureClass): boolean {
  return name === 'Client' || name === 'Context' || name === 'Content';
}

/** An error's status is never that of a success: an empty 200 goes out as 503. */
function errorStatus({ answer, status }: Failure): number {
  const known = answer?.status ?? status ?? 503;
  return known >= 400 ? known : 503;
}

function soonestReset(state: RequestState, nowMs: number): number | null {
  const resets = state.targets.flatMap(({ failure, failedMs }) => {
    const retryAfterMs = failure?.retryAfterMs ?? null;
    return retryAfterMs === null ? [] : [failedMs + retryAfterMs - nowMs];
  });
  return resets.length === 0 ? null : Math.min(Math.max(0, Math.min(...resets)), maxRetryAfterMs);
}
