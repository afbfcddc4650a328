import type { Condition } from '../compile/conditions.ts';
import type { ModelProviderStatus } from '../resources/model-provider.ts';
import { stampConditions, type JudgedCondition } from './stamp-conditions.ts';

/** Whether the server of a local provider answers; `readinessOf` of the local tier gives it. */
export interface LocalReadiness {
  readonly state: 'Loading' | 'Ready' | 'Absent';
  /** CamelCase. */
  readonly reason: string;
  /** A sentence for people. */
  readonly message: string;
}

export interface ProviderStatusInput {
  /** What the compiler says of it. */
  readonly conditions: readonly Condition[];
  /** Generation that was compiled; null: not known. */
  readonly observedGeneration: number | null;
  /** null: the operator runs no server for it. */
  readonly localReady: LocalReadiness | null;
  /** `spec.suspend`. */
  readonly suspended: boolean;
  /** The status as it stands; undefined: there is none. */
  readonly before: ModelProviderStatus | undefined;
  /** Now, by the wall clock. */
  readonly wallMs: number;
}

/** The whole `status` of a ModelProvider. */
export function providerStatus({ conditions, observedGeneration, localReady, suspended, before, wallMs }: ProviderStatusInput): ModelProviderStatus {
  return {
    ...(observedGeneration === null ? {} : { observedGeneration }),
    conditions: stampConditions([...conditions, readyOf(conditions, localReady, suspended)], observedGeneration, before?.conditions ?? [], wallMs),
  };
}

function readyOf(conditions: readonly Condition[], localReady: LocalReadiness | null, suspended: boolean): JudgedCondition {
  const judge = (status: 'True' | 'False', reason: string, message: string) => ({ type: 'Ready', status, reason, message });
  const refused = conditions.find(({ type, status }) => (type === 'Accepted' || type === 'ResolvedRefs') && status === 'False');
  if (refused !== undefined) return judge('False', refused.reason, refused.message);
  if (suspended && (localReady === null || localReady.state === 'Ready')) return judge('True', 'Ready', 'Chains could use this provider, but spec.suspend keeps it out of all of them until it is set back.');
  if (localReady !== null) return judge(localReady.state === 'Ready' ? 'True' : 'False', localReady.reason, localReady.message);
  return judge('True', 'Ready', 'Chains can use this provider; kubectl describe fbchain tells whether it answers.');
}
