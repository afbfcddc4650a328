import type { Clock } from '@belay/contract';

/** Wakes a loop early. */
export interface Alarm {
  ring(): void;
  /** Resolves after `waitMs`, when it rings or has rung since the last time, or at the end. */
  wait(waitMs: number): Promise<void>;
}

export function newAlarm(clock: Clock, signal: AbortSignal): Alarm {
  let rung = false;
  let wake = (): void => {};
  signal.addEventListener('abort', () => wake());
  return {
    ring() {
      rung = true;
      wake();
    },
    async wait(waitMs) {
      if (!rung && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const disarm = clock.after(waitMs, resolve);
          wake = () => { disarm(); resolve(); };
        });
      }
      rung = false;
    },
  };
}

/** Resolves with all of them, or when aborted. */
export async function allOrAborted(promises: readonly Promise<unknown>[], signal: AbortSignal): Promise<void> {
  const aborted = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await Promise.race([Promise.all(promises), aborted]);
}
