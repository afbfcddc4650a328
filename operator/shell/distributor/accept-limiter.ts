import type { Clock } from '@belay/contract';

export interface AcceptLimiterOptions<T> {
  readonly clock: Clock;
  readonly perSecond: number;
  /** So many at once after a quiet time. */
  readonly burst: number;
  /** More than so many do not wait: they are refused at once. */
  readonly longestQueue: number;
  readonly accept: (waiting: T) => void;
  readonly refuse: (waiting: T) => void;
}

export interface AcceptLimiter<T> {
  take(arrived: T): void;
  /** Refuses what waits, and disarms the timer. */
  close(): void;
}

/** Lets arrivals through at a steady rate, in their order: a handshake costs CPU, and ten thousand sidecars may come back at once. */
export function createAcceptLimiter<T>({ clock, perSecond, burst, longestQueue, accept, refuse }: AcceptLimiterOptions<T>): AcceptLimiter<T> {
  const queue: T[] = [];
  let tokens = burst;
  let filledMs = clock.nowMs();
  let disarm: (() => void) | null = null;

  function fill(): void {
    const nowMs = clock.nowMs();
    tokens = Math.min(burst, tokens + ((nowMs - filledMs) * perSecond) / 1_000);
    filledMs = nowMs;
  }

  function release(): void {
    disarm = null;
    fill();
    // A token's worth of rounding never costs another wait.
    for (const next of queue.splice(0, Math.floor(tokens + 1e-6))) {
      tokens -= 1;
      accept(next);
    }
    if (queue.length > 0) disarm = clock.after(((1 - tokens) * 1_000) / perSecond, release);
  }

  return {
    take(arrived) {
      if (queue.length >= longestQueue) return refuse(arrived);
      queue.push(arrived);
      if (disarm === null) release();
    },
    close() {
      disarm?.();
      disarm = null;
      for (const waiting of queue.splice(0)) refuse(waiting);
    },
  };
}
