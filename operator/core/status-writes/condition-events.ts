import type { ResourceStatus, StatusCondition } from './status-delay.ts';

/** An Event about a resource's condition. */
export interface ConditionEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/** Those whose going wrong is worth an on-call's eye. PartiallyInvalid repeats their words. */
const watched = ['Accepted', 'ResolvedRefs', 'Programmed', 'Ready'];
/** Reasons of a Ready that says nothing of its own, or what time alone mends. */
const quiet = ['NotAccepted', 'Loading', 'Pending'];

/**
 * What the change from one written status to the next is worth telling: a condition that became False, or is False in other words, and one that is
 * True again. What has been True from the start is silence, and a Ready that repeats another condition.
 */
export function conditionEvents(before: ResourceStatus | null, after: ResourceStatus): readonly ConditionEvent[] {
  return (after.conditions ?? []).filter(({ type }) => watched.includes(type)).flatMap((condition): readonly ConditionEvent[] => {
    const { type, status, reason, message } = condition;
    const old = before?.conditions?.find((one) => one.type === type);
    const wentWrong = status === 'False' && !isSame(old, condition) && !isQuiet(condition, after);
    if (wentWrong) return [{ type: 'Warning', reason, message }];
    return status === 'True' && old?.status === 'False' && !isRepeated(old, before) ? [{ type: 'Normal', reason, message }] : [];
  });
}

function isQuiet(condition: StatusCondition, status: ResourceStatus): boolean {
  return condition.type === 'Ready' && (quiet.includes(condition.reason) || isRepeated(condition, status));
}

/** Another condition says it already. */
function isRepeated({ type, reason, message }: StatusCondition, status: ResourceStatus | null): boolean {
  const others = (status?.conditions ?? []).filter((other) => other.type !== 'Ready' && other.status === 'False');
  return type === 'Ready' && (reason === 'NotAccepted' || others.some((other) => other.message === message));
}

function isSame(old: StatusCondition | undefined, { status, reason, message }: StatusCondition): boolean {
  return old?.status === status && old.reason === reason && old.message === message;
}
