import { canonicalJson } from '@belay/contract';
import { servingState } from '../status/serving-words.ts';

/** What chains' and providers' statuses have in common. */
export interface ResourceStatus {
  readonly observedGeneration?: number;
  readonly conditions?: readonly StatusCondition[];
  /** Of a chain. */
  readonly serving?: string;
}

export interface StatusCondition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration?: number;
  readonly lastTransitionTime: string;
}

/** Counters are written no more often than this (control-plane: Watching). */
const counterIntervalMs = 10_000;

/**
 * How long to wait before `wanted` is written over `before`: 0 where a condition or the generation they tell of is another, and where a fallback
 * begins or ends; the rest of 10 s since the last write where it is counters alone; null where there is nothing to write. `written`: what this
 * process wrote last. What says nothing new against that was overwritten by somebody, who may do so again at once, and waits as counters do.
 */
export function statusDelay(before: ResourceStatus | null, wanted: ResourceStatus, sinceWriteMs: number, written: ResourceStatus | null = null): number | null {
  if (before !== null && settled(before) === settled(wanted)) return null;
  return isNews(written ?? before, wanted) ? 0 : Math.max(0, counterIntervalMs - sinceWriteMs);
}

function isNews(before: ResourceStatus | null, wanted: ResourceStatus): boolean {
  if (before === null || before.observedGeneration !== wanted.observedGeneration || conditionsOf(before) !== conditionsOf(wanted)) return true;
  return servingState(before.serving ?? '') !== servingState(wanted.serving ?? '');
}

/** The API server keeps conditions as a map: their order says nothing. */
function settled(status: ResourceStatus): string {
  return canonicalJson({ ...status, conditions: [...(status.conditions ?? [])].sort((one, other) => (one.type < other.type ? -1 : 1)) });
}

/** In any order, and without the times, which follow from the rest. */
function conditionsOf({ conditions = [] }: ResourceStatus): string {
  const settled = conditions.map(({ type, status, reason, message, observedGeneration }) => canonicalJson({ type, status, reason, message, observedGeneration: observedGeneration ?? null }));
  return settled.sort().join('\n');
}
