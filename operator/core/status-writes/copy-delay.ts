/** Somebody who changes back again and again what was put right, as another installation of Belay would, is met this seldom from then on. */
const patienceMs = 10_000;
const promptTimes = 3;

/** A bootstrap copy as it was applied last. */
export interface AppliedCopy {
  readonly hash: string;
  readonly atMs: number;
  /** How often the very same had to be applied again. */
  readonly times: number;
}

/** How long to wait before a copy is applied: not at all, where it is another than was applied last, or was applied again a few times only. */
export function copyDelay(last: AppliedCopy | undefined, hash: string, nowMs: number): number {
  return last === undefined || last.hash !== hash || last.times < promptTimes ? 0 : Math.max(0, last.atMs + patienceMs - nowMs);
}

/** What to remember after a copy was applied. */
export function appliedCopy(last: AppliedCopy | undefined, hash: string, nowMs: number): AppliedCopy {
  return { hash, atMs: nowMs, times: last?.hash === hash ? last.times + 1 : 0 };
}
