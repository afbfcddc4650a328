import { failure, type Failure } from '../failure/failure.ts';
import { describeSeconds } from './describe-failures.ts';
import type { PlannedTarget, Settlement } from './protocol.ts';
import type { AttemptState } from './request-state.ts';
import { isSilent } from './time-limits.ts';

/** A give-up counts against health only from a target's q99 on; cold, from this on (routing rule 7). */
const coldBlameMs = 2_000;
/** Real timers fire up to a millisecond early. */
const slackMs = 1;

/** Silence as a failure: `silent 2.0 s`, or `no content in 2.0 s` where headers or pings came. */
export function silenceFailure({ streamed }: PlannedTarget, { stirred }: AttemptState, elapsedMs: number): Failure {
  return failure('Timeout', `${stirred ? 'no content in' : 'silent'} ${describeSeconds(elapsedMs)}`, { silent: streamed && !stirred });
}

/** A client in a hurry opens no breaker for others: a give-up before the target's q99 is a lower bound. */
export function giveUpHealth({ quantiles }: PlannedTarget, elapsedMs: number): Settlement['health'] {
  return elapsedMs + slackMs < (quantiles?.q99Ms ?? coldBlameMs) ? 'LowerBound' : 'Failed';
}

/** The loser of a race was silent for the whole of the budget: it lost as one that is given up at L, and not as one that was slower. */
export function wasGivenUp(latencyBudgetMs: number | null, { streamed }: PlannedTarget, attempt: AttemptState, elapsedMs: number): boolean {
  return latencyBudgetMs !== null && streamed && isSilent(attempt) && elapsedMs + slackMs >= latencyBudgetMs;
}
