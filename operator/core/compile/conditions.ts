import type { Problem } from '@belay/contract';

/** Condition types of Gateway API's meaning; each has one writer. The operator adds `Programmed`. */
export type ConditionType = 'Accepted' | 'ResolvedRefs' | 'PartiallyInvalid' | 'Ready';

export interface Condition {
  readonly type: ConditionType;
  readonly status: 'True' | 'False';
  /** CamelCase; the reason of the first finding behind it. */
  readonly reason: string;
  /** Sentences that a person can act on. */
  readonly message: string;
}

/** Why something of a resource cannot be served. */
export type ErrorReason =
  | 'InvalidValue' | 'InvalidURL' | 'InsecureURL' | 'DialectNotSupported'
  | 'SecretNotFound' | 'SecretKeyMissing' | 'SecretKeyInvalid' | 'SecretAccessDenied'
  | 'ConfigMapNotFound' | 'ConfigMapAccessDenied' | 'CertificateMissing'
  | 'ProviderNotFound' | 'ProviderNotAccepted' | 'RefNotPermitted' | 'NameTaken' | 'EgressForbidden' | 'NoUsableTarget';

/** What will hurt later, though it can be served. */
export type WarningReason =
  | 'KeyMissing' | 'PathMissing' | 'SameFailureDomain' | 'SmallerWindow' | 'SingleTargetRace' | 'HedgeNeverStarts' | 'DefaultNameTaken' | 'AllSuspended';

/** One thing that the compiler found in a resource: where, what, and what would be right. */
export type Finding = Problem & { readonly condition: 'Accepted' | 'ResolvedRefs' } & (
  | { readonly severity: 'Error'; readonly reason: ErrorReason }
  | { readonly severity: 'Warning'; readonly reason: WarningReason }
);

export function errorFinding(condition: Finding['condition'], reason: ErrorReason, path: string, message: string): Finding {
  return { severity: 'Error', condition, reason, path, message };
}

export function warningFinding(reason: WarningReason, path: string, message: string): Finding {
  return { severity: 'Warning', condition: 'Accepted', reason, path, message };
}

/** What the compiler says about one resource: findings with paths for people's files, conditions for its status. */
export interface ResourceConditions {
  readonly kind: 'ModelProvider' | 'FallbackChain';
  readonly name: string;
  /** Of the resource that was compiled; null for one that no cluster has stored. */
  readonly observedGeneration: number | null;
  readonly conditions: readonly Condition[];
  readonly findings: readonly Finding[];
}

/** A condition whose message lists the findings, or says `fine` where there is none. */
export function conditionOf(type: ConditionType, status: Condition['status'], fallbackReason: string, fine: string, findings: readonly Finding[]): Condition {
  const [first] = findings;
  return {
    type,
    status,
    reason: first === undefined || (status === 'True' && first.severity === 'Warning') ? fallbackReason : first.reason,
    message: first === undefined ? fine : findings.map(sentence).join(' '),
  };
}

/** Findings of one severity, those of one condition alone where it is named. */
export function findingsOf(findings: readonly Finding[], severity: Finding['severity'], condition?: Finding['condition']): readonly Finding[] {
  return findings.filter((finding) => finding.severity === severity && (condition === undefined || finding.condition === condition));
}

/** `path: message.` of one finding, as a sentence of a condition. */
function sentence({ path, message }: Finding): string {
  return `${path === '' ? '' : `${path}: `}${message}${message.endsWith('.') ? '' : '.'}`;
}
