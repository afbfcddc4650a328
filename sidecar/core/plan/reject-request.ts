import type { ExcludedTarget, ExclusionReason } from '@belay/contract';
import type { Candidate, Exclusion } from './exclude-targets.ts';
import type { PlanInput, PlanResult } from './plan-types.ts';

/** A Rate that is over within this is waited for, once (routing rule 1). */
const maxWaitMs = 10_000;
/** SDKs sleep on whatever they are told. */
const maxRetryAfterMs = 60_000;

type Rejection = Exclude<PlanResult, { readonly type: 'plan' }>;

/** Why this request cannot be planned now; null: it can. */
export function rejectRequest(input: PlanInput, candidates: readonly Candidate[]): Rejection | null {
  const { chain, settings } = input;
  if (candidates.length === 0) return reject(503, chain.entry.unroutable ?? 'the chain has no target');
  const names = candidates.map(({ target }) => target.entry.name);
  const unknown = (settings.targets ?? []).filter((name) => !names.includes(name) && !chain.entry.targets.some((target) => target.name === name));
  if (unknown.length > 0) return reject(400, `${listed(unknown)} is no target of this chain; its targets are ${names.join(', ')}`);
  if (candidates.some(({ excluded }) => excluded === null || excluded.soft)) return null;
  return rejectExcluded(input, candidates.flatMap(({ excluded }) => (excluded === null ? [] : [excluded])));
}

/** Every target is left out for good: wait for a rate limit that is nearly over, else answer at once. */
function rejectExcluded(input: PlanInput, excluded: readonly Exclusion[]): Rejection {
  const records = excluded.map(({ target, reason, detail }) => ({ target, reason, detail }));
  const waitMs = soonest(excluded, ['RateLimited']);
  const limit = Math.min(maxWaitMs + 1, input.clientTimeoutMs ?? Infinity, input.chain.entry.deadlineMs);
  if (waitMs !== null && input.waited !== true && waitMs < limit) return { type: 'wait', afterMs: waitMs, excluded: records };
  const told = records.filter(({ reason }) => reason !== 'NotRequested').map(describeExcluded).join(', ');
  const resetMs = soonest(excluded, ['RateLimited', 'QuotaExhausted']);
  return reject(statusOf(excluded), `no target can serve this request: ${told}`, resetMs === null ? null : Math.min(resetMs, maxRetryAfterMs), records);
}

function reject(status: number, message: string, retryAfterMs: number | null = null, excluded: readonly ExcludedTarget[] = []): Rejection {
  return { type: 'rejected', status, message, retryAfterMs, excluded };
}

/** What was left out by configuration or by the request does not say what is wrong with those that were meant to serve. */
function statusOf(excluded: readonly ExcludedTarget[]): number {
  const meant = excluded.filter(({ reason }) => reason !== 'NotRequested' && reason !== 'Suspended' && reason !== 'EgressClusterOnly');
  if (meant.length === 0) return 503;
  if (meant.every(({ reason }) => reason === 'RateLimited' || reason === 'QuotaExhausted')) return 429;
  return meant.every(({ reason }) => reason === 'ContextWindow') ? 400 : 503;
}

function soonest(excluded: readonly Exclusion[], reasons: readonly ExclusionReason[]): number | null {
  const times = excluded.flatMap(({ reason, returnsInMs }) => (returnsInMs !== null && reasons.includes(reason) ? [returnsInMs] : []));
  return times.length === 0 ? null : Math.min(...times);
}

/** `opus RateLimited (resets in 12 s)`. */
function describeExcluded({ target, reason, detail }: ExcludedTarget): string {
  return `${target} ${reason}${detail === '' ? '' : ` (${detail})`}`;
}

function listed(names: readonly string[]): string {
  return names.map((name) => JSON.stringify(name)).join(', ');
}
