/** Why a local tier is as it is; the reason of its provider's `Ready`. */
export type LocalTierReason =
  | 'Ready' | 'Loading' | 'Pending'
  | 'ScaledToZero' | 'ModelMissing' | 'ClaimNotFound' | 'ClaimUnbound' | 'ImagePullBackOff' | 'ContainerRefused'
  | 'Unschedulable' | 'QuotaExceeded' | 'PodRefused' | 'CrashLoop' | 'OOMKilled' | 'ProgressDeadlineExceeded' | 'Evicted'
  | 'InvalidPath' | 'NameTaken' | 'ApplyFailed';

/** `Absent`: there is nothing to wait for until somebody acts. */
export interface LocalTierReadiness {
  readonly state: 'Loading' | 'Ready' | 'Absent';
  readonly reason: LocalTierReason;
  /** Sentences for the status: what, where, what would be right. */
  readonly message: string;
}

export function absent(reason: LocalTierReason, message: string): LocalTierReadiness {
  return { state: 'Absent', reason, message };
}

export function loading(message: string): LocalTierReadiness {
  return { state: 'Loading', reason: 'Loading', message };
}

/** Words that are not Belay's as a clause: one line of at most 300 characters, without its full stop. */
export function quoted(text: string | undefined): string {
  const line = (text ?? '').replace(/\s+/g, ' ').trim();
  return (line.length > 300 ? `${line.slice(0, 300)}…` : line).replace(/\.$/, '');
}
