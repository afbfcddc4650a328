import { expect, test } from '@jest/globals';
import { conditionEvents } from './condition-events.ts';
import type { ResourceStatus } from './status-delay.ts';

const status = (...conditions: readonly (readonly [type: string, status: 'True' | 'False' | 'Unknown', reason: string, message?: string])[]): ResourceStatus =>
  ({ conditions: conditions.map(([type, value, reason, message = reason]) => ({ type, status: value, reason, message, lastTransitionTime: '2026-01-01T00:00:00Z' })) });

test.each<readonly [string, ResourceStatus | null, ResourceStatus, readonly string[]]>([
  ['right from the start is silence', null, status(['Accepted', 'True', 'Accepted'], ['Ready', 'True', 'Ready']), []],
  ['right after waiting is silence', status(['Ready', 'Unknown', 'Pending']), status(['Accepted', 'True', 'Accepted']), []],
  ['wrong from the start is told', null, status(['ResolvedRefs', 'False', 'SecretNotFound']), ['Warning SecretNotFound']],
  ['what goes wrong is told once, and Ready, which follows from it, is not', status(['Accepted', 'True', 'Accepted'], ['Ready', 'True', 'Ready']), status(['Accepted', 'False', 'NameTaken'], ['Ready', 'False', 'NotAccepted']), ['Warning NameTaken']],
  ['what is still wrong is not told again', status(['Accepted', 'False', 'NameTaken']), status(['Accepted', 'False', 'NameTaken']), []],
  ['wrong for another reason is told', status(['ResolvedRefs', 'False', 'SecretNotFound']), status(['ResolvedRefs', 'False', 'SecretKeyMissing']), ['Warning SecretKeyMissing']],
  ['wrong in another target is told', status(['ResolvedRefs', 'False', 'ProviderNotFound', 'a']), status(['ResolvedRefs', 'False', 'ProviderNotFound', 'a and b']), ['Warning ProviderNotFound']],
  ['a local model whose file is gone is told', status(['Ready', 'True', 'Ready']), status(['Ready', 'False', 'ModelMissing']), ['Warning ModelMissing']],
  ['a local model that loads is silence', status(['Ready', 'False', 'Pending']), status(['Ready', 'False', 'Loading']), []],
  ['one that has loaded is told', status(['Ready', 'False', 'Loading']), status(['Ready', 'True', 'Ready']), ['Normal Ready']],
  ['a Ready that repeats another condition is silence', null, status(['ResolvedRefs', 'False', 'SecretNotFound', 'none'], ['Ready', 'False', 'SecretNotFound', 'none']), ['Warning SecretNotFound']],
  ['and so it is when both are right again', status(['ResolvedRefs', 'False', 'SecretNotFound', 'none'], ['Ready', 'False', 'SecretNotFound', 'none']), status(['ResolvedRefs', 'True', 'ResolvedRefs'], ['Ready', 'True', 'Ready']), ['Normal ResolvedRefs']],
  ['a chain that no target can answer is told', status(['Accepted', 'True', 'Accepted'], ['Ready', 'True', 'Ready']), status(['Accepted', 'True', 'Accepted'], ['Ready', 'False', 'NoUsableTarget']), ['Warning NoUsableTarget']],
  ['a chain that is accepted again is told once, and not also for the Ready that followed', status(['Accepted', 'False', 'NameTaken'], ['Ready', 'False', 'NotAccepted']), status(['Accepted', 'True', 'Accepted'], ['Ready', 'True', 'Ready']), ['Normal Accepted']],
  ['another reason in the same words is told', status(['Programmed', 'False', 'Pending', 'no']), status(['Programmed', 'False', 'Rejected', 'no']), ['Warning Rejected']],
  ['right again is told', status(['Programmed', 'False', 'Rejected']), status(['Programmed', 'True', 'Programmed']), ['Normal Programmed']],
])('%s', (_, before, after, events) => {
  expect(conditionEvents(before, after).map(({ type, reason }) => `${type} ${reason}`)).toEqual(events);
});
