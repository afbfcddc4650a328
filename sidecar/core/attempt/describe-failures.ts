import type { Failure } from '../failure/failure.ts';
import type { AttemptPlan } from './protocol.ts';
import type { RequestState } from './request-state.ts';

/** `3 of 3 targets failed: opus 429 (resets in 12 s), gemini silent 2.0 s, local loading`: each target's last failure, in order of trial. */
export function describeFailures(plan: AttemptPlan, state: RequestState): string {
  const clauses = failureClauses(plan, state);
  return `${clauses.length} of ${plan.targets.length} targets failed: ${clauses.join(', ')}`;
}

/** One clause for each target that failed, in order of trial. */
export function failureClauses(plan: AttemptPlan, state: RequestState): string[] {
  const last = new Map<number, Failure>();
  for (const { target, failure } of state.attempts) {
    if (failure !== null) last.set(target, failure);
  }
  return [...last].map(([target, failure]) => `${plan.targets[target]?.name ?? ''} ${describeOne(failure)}`);
}

/** `429 (resets in 12 s)`, `silent 2.0 s`, `loading`; a detail's second half goes into parentheses. */
function describeOne({ class: name, status, detail }: Failure): string {
  if (detail === '') return status === null ? name.toLowerCase() : `${status}`;
  const [first = '', ...rest] = detail.split(', ');
  return rest.length === 0 ? first : `${first} (${rest.join(', ')})`;
}

/** `2.0 s` below ten seconds, `12 s` from there on. */
export function describeSeconds(ms: number): string {
  return ms < 9_950 ? `${(ms / 1_000).toFixed(1)} s` : `${Math.round(ms / 1_000)} s`;
}

/** The whole sentence of an answer when a chain failed: `support-chat: 3 of 3 targets failed: …. id pod.7`. */
export function describeChainFailed(chain: string, reason: string, id: string): string {
  return `${chain}: ${reason.replace(/\.$/, '')}. id ${id}`;
}
