/** Failure classes of routing rule 4. The same literals are metric labels, log fields and decision fields. */
export const failureClasses = [
  'Client', 'Context', 'Auth', 'Missing', 'Quota', 'Rate', 'Overload', 'Transient',
  'Unreachable', 'Timeout', 'Content', 'Loading', 'ClientGone',
] as const;
export type FailureClass = (typeof failureClasses)[number];

/** Why a target was left out before any attempt (routing rule 1). */
export const exclusionReasons = [
  'Suspended', 'KeyNotDelivered', 'EgressClusterOnly', 'ContextWindow', 'BreakerOpen', 'RateLimited',
  'AuthFailed', 'ModelMissing', 'QuotaExhausted', 'ConcurrencyCap', 'NotRequested', 'ServerAbsent',
] as const;
export type ExclusionReason = (typeof exclusionReasons)[number];
