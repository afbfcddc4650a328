import type { ResourceStatus, StatusCondition } from './status-delay.ts';

/** An Event about a resource's condition. */
export interface ConditionEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/** Those whose going wrong is worth an on-call's eye. Ready follows from them, and PartiallyInvalid repeats their words. */
const watched = ['Accepted', 'ResolvedRefs', 'Programmed'];

/**
 * What the change from one written status to the next is worth telling: a condition that became False, or is False in other words, and one that is
 * True again. What has been True from the start is silence.
 */
export function conditionEvents(before: ResourceStatus | null, after: ResourceStatus): readonly ConditionEvent[] {
  return (after.conditions ?? []).flatMap((condition): readonly ConditionEvent[] => {
    if (!watched.includes(condition.type)) return [];
    const old = before?.conditions?.find(({ type }) => type === condition.type);
    if (condition.status === 'False') return isSame(old, condition) ? [] : [{ type: 'Warning', reason: condition.reason, message: condition.message }];
    return condition.status === 'True' && old?.status === 'False' ? [{ type: 'Normal', reason: condition.reason, message: condition.message }] : [];
  });
}

function isSame(old: StatusCondition | undefined, { status, reason, message }: StatusCondition): boolean {
  return old?.status === status && old.reason === reason && old.message === message;
}
