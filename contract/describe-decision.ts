import type { AttemptRecord, Decision, FailureRecord } from './decision.ts';

/** The one sentence about a request that log, `/belay/decisions` and `belay why` share. */
export function describeDecision(decision: Decision): string {
  const tried = describeAttempts(decision.attempts);
  const left = decision.excluded.map(({ target, reason, detail }) => `${target} left out (${reason}${detail === '' ? '' : `, ${detail}`})`);
  const parts = [headline(decision), tried, ...left].filter((part) => part !== '');
  return `${parts.join('; ')}. id ${decision.id}`;
}

/** `opus=timeout:2004ms,gemini=ok:611ms`: the value of x-belay-attempts. Times run from the attempt's start. */
export function attemptsHeader(attempts: readonly AttemptRecord[]): string {
  return attempts
    .map(({ target, outcome, failure, startedMs, endedMs, firstContentMs }) => {
      const word = outcome === 'Failed' || outcome === 'Broken' ? (failure?.class ?? outcome).toLowerCase() : outcome.toLowerCase();
      const until = outcome === 'Ok' ? (firstContentMs ?? endedMs) : endedMs;
      return `${target}=${word}:${Math.round(until - startedMs)}ms`;
    })
    .join(',');
}

/** `gemini silent 2.0 s` of one failure: class by its name where the detail does not say it. */
export function describeFailure({ class: name, status, detail }: FailureRecord): string {
  if (detail !== '') return detail;
  return status === null ? name.toLowerCase() : `${status}`;
}

function headline({ chain, outcome, target, reason, status, totalMs }: Decision): string {
  const time = totalMs < 100 ? `${Math.round(totalMs)} ms` : `${(totalMs / 1000).toFixed(1)} s`;
  switch (outcome) {
    case 'Answered': return `${chain}: ${target} answered in ${time} (${reason})`;
    case 'Broken': return `${chain}: ${target} broke off after ${time} (${reason})`;
    case 'ClientGone': return `${chain}: the client left after ${time}`;
    case 'Failed': return `${chain}: failed with ${status} after ${time} (${reason})`;
  }
}

function describeAttempts(attempts: readonly AttemptRecord[]): string {
  return attempts
    .filter(({ failure }) => failure !== null)
    .map(({ target, failure }) => `${target} ${failure === null ? '' : describeFailure(failure)}`)
    .join(', ');
}
