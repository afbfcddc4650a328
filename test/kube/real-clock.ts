import type { Clock } from '@belay/operator/shell/kube/clock.ts';

/** The machine's time, for tests before a real API server. */
export const realClock: Clock = {
  nowMs: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};
