import type { Clock, Random } from './clock.ts';

export interface BackoffLimits {
  /** Shortest first wait. */
  readonly firstMs: number;
  /** No wait is longer. */
  readonly longestMs: number;
}

export interface Backoff {
  /** The next wait: doubling, times 1 to 2 by chance, never past the longest. */
  nextMs(): number;
  reset(): void;
}

/** After this long without a wait the next one is a first one again (client-go's reflector). */
const forgetMs = 120_000;

/** client-go's exponential backoff manager, with jitter at the longest wait too: all who wait there would return together. */
export function exponentialBackoff(clock: Clock, random: Random, { firstMs, longestMs }: BackoffLimits): Backoff {
  let stepMs = firstMs;
  let lastMs = clock.nowMs();
  return {
    nextMs() {
      if (clock.nowMs() - lastMs > forgetMs) stepMs = firstMs;
      const waitMs = Math.min(stepMs * (1 + random()), longestMs);
      lastMs = clock.nowMs() + waitMs;
      stepMs = Math.min(stepMs * 2, Math.max(firstMs, longestMs / 2));
      return waitMs;
    },
    reset() {
      stepMs = firstMs;
    },
  };
}
