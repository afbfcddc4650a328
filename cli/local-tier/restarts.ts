const firstDelayMs = 250;
const longestDelayMs = 10_000;
/** A server that was ready for this long starts its back-off from the beginning. */
const steadyAfterMs = 60_000;
/** After so many starts in a row that never became ready, nobody should wait for it any more. */
const hopelessAfter = 3;

/** What a supervisor remembers of a server's earlier starts. */
export interface Restarts {
  /** In a row, without ever having been ready. */
  readonly failedStarts: number;
  readonly delayMs: number;
}

export const noRestarts: Restarts = { failedStarts: 0, delayMs: firstDelayMs };

/** True where starting is tried on but is not worth a request's wait. */
export function isHopeless({ failedStarts }: Restarts): boolean {
  return failedStarts >= hopelessAfter;
}

/**
 * After a server ended: how long to wait before the next start (0.25 s doubling to 10 s), and what to remember.
 * `readyForMs` is null where it never became ready.
 */
export function restartsAfterEnd(before: Restarts, readyForMs: number | null): { readonly waitMs: number; readonly restarts: Restarts } {
  const waitMs = readyForMs !== null && readyForMs >= steadyAfterMs ? firstDelayMs : before.delayMs;
  return {
    waitMs,
    restarts: { failedStarts: readyForMs === null ? before.failedStarts + 1 : 0, delayMs: Math.min(waitMs * 2, longestDelayMs) },
  };
}
