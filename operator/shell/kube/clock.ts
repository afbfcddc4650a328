/** Monotonic time, as a parameter: nothing here reads or waits for time otherwise. */
export interface Clock {
  /** Milliseconds since an arbitrary origin; never goes back. */
  nowMs(): number;
  /** Calls back once after `delayMs`; the returned function disarms it and may be called twice. */
  after(delayMs: number, callback: () => void): () => void;
}

/** Wall time in milliseconds since the Unix epoch: written into objects, never waited for or compared. */
export type WallClock = () => number;

/** Uniform on [0, 1). */
export type Random = () => number;

/** Resolves after `delayMs`, or at once when `signal` is aborted; never rejects and leaves no timer behind. */
export function sleep(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const wake = (): void => {
      disarm();
      signal.removeEventListener('abort', wake);
      resolve();
    };
    const disarm = clock.after(delayMs, wake);
    signal.addEventListener('abort', wake);
  });
}
