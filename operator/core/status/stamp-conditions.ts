import type { FallbackChainStatus } from '../resources/fallback-chain.ts';
import { cutText } from './cut-text.ts';

/** A condition as a status holds it (Kubernetes API conventions: metav1.Condition). */
export type StatusCondition = FallbackChainStatus['conditions'][number];

/** A condition before it is written. */
export interface JudgedCondition {
  readonly type: string;
  readonly status: StatusCondition['status'];
  readonly reason: string;
  readonly message: string;
}

/** `maxLength` of a condition's message in the CRDs. */
const maxMessageLength = 32_768;

/** Conditions to write: the time of the last transition stays where the status did not change. `wallMs`: now, by the wall clock. */
export function stampConditions(conditions: readonly JudgedCondition[], observedGeneration: number | null, before: readonly StatusCondition[], wallMs: number): readonly StatusCondition[] {
  return conditions.map(({ type, status, reason, message }) => {
    const last = before.find((condition) => condition.type === type);
    return {
      type, status, reason,
      message: cutText(message, maxMessageLength),
      ...(observedGeneration === null ? {} : { observedGeneration }),
      lastTransitionTime: last !== undefined && last.status === status ? last.lastTransitionTime : timestamp(wallMs),
    };
  });
}

/** metav1.Time: RFC 3339 in UTC, whole seconds. */
function timestamp(wallMs: number): string {
  return new Date(wallMs).toISOString().replace(/\.\d+Z$/, 'Z');
}
