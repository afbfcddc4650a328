import { sleep, type Clock } from './clock.ts';

export interface WorkQueueOptions {
  readonly clock: Clock;
  /** How many keys are worked on at a time; one key never twice at once. */
  readonly workers: number;
  /** Brings the world in line with one key. Where it rejects, the key comes again after a wait that doubles each time. */
  readonly work: (key: string, signal: AbortSignal) => Promise<void>;
  readonly onProblem?: (problem: { readonly key: string; readonly message: string; readonly retryInMs: number }) => void;
  /** First and longest wait after a failure: 5 ms and 1,000 s unless told (client-go). */
  readonly firstRetryMs?: number;
  readonly longestRetryMs?: number;
}

export interface WorkQueueStats {
  /** Keys that wait for a worker now. */
  readonly depth: number;
  readonly running: number;
  readonly added: number;
  readonly retried: number;
  /** How long the key that has waited longest has waited, in milliseconds; 0 where none waits. */
  readonly oldestMs: number;
}

export interface WorkQueue {
  /** A key that waits already waits once; one that is worked on is worked on once more afterwards. */
  add(key: string): void;
  /** As `add`, later; of several only the earliest counts. */
  addAfter(key: string, delayMs: number): void;
  stats(): WorkQueueStats;
  /** Takes nothing more, tells the work that runs by its signal, and resolves when it has ended. */
  close(): Promise<void>;
}

/** client-go's rate-limiting work queue, with its workers. */
export function createWorkQueue(options: WorkQueueOptions): WorkQueue {
  const { clock, workers, work, onProblem, firstRetryMs = 5, longestRetryMs = 1_000_000 } = options;
  /** Keys to work on, and since when; a key that runs may be among them, and then waits for its own end. */
  const dirty = new Map<string, number>();
  const processing = new Map<string, Promise<void>>();
  const failures = new Map<string, number>();
  const stop = new AbortController();
  let added = 0;
  let retried = 0;

  const start = (): void => {
    for (const key of dirty.keys()) {
      if (processing.size >= workers || stop.signal.aborted) return;
      if (processing.has(key)) continue;
      dirty.delete(key);
      processing.set(key, run(key));
    }
  };
  const run = async (key: string): Promise<void> => {
    // Whoever adds a key is never called back before `add` returns.
    await sleep(clock, 0, stop.signal);
    try {
      if (!stop.signal.aborted) await work(key, stop.signal);
      failures.delete(key);
    } catch (error) {
      retry(key, error);
    }
    processing.delete(key);
    start();
  };
  const retry = (key: string, error: unknown): void => {
    if (stop.signal.aborted) return;
    const failed = failures.get(key) ?? 0;
    failures.set(key, failed + 1);
    retried++;
    const retryInMs = Math.min(firstRetryMs * 2 ** failed, longestRetryMs);
    onProblem?.({ key, message: error instanceof Error ? error.message : String(error), retryInMs });
    addAfter(key, retryInMs);
  };
  const add = (key: string): void => {
    if (stop.signal.aborted) return;
    added++;
    if (!dirty.has(key)) dirty.set(key, clock.nowMs());
    start();
  };
  const later = delays(clock, add);
  const addAfter = (key: string, delayMs: number): void => stop.signal.aborted ? undefined : later.start(key, delayMs);

  return {
    add, addAfter,
    stats: () => ({ depth: dirty.size, running: processing.size, added, retried, oldestMs: clock.nowMs() - Math.min(clock.nowMs(), ...dirty.values()) }),
    async close() {
      stop.abort();
      later.cancelAll();
      dirty.clear();
      await Promise.all(processing.values());
    },
  };
}

/** One timer a key, the earliest that was asked for. */
function delays(clock: Clock, fire: (key: string) => void): { start(key: string, delayMs: number): void; cancelAll(): void } {
  const armed = new Map<string, { readonly dueMs: number; readonly cancel: () => void }>();
  return {
    start(key, delayMs) {
      const dueMs = clock.nowMs() + delayMs;
      const known = armed.get(key);
      if (known !== undefined && known.dueMs <= dueMs) return;
      known?.cancel();
      const cancel = clock.after(delayMs, () => {
        armed.delete(key);
        fire(key);
      });
      armed.set(key, { dueMs, cancel });
    },
    cancelAll() {
      for (const { cancel } of armed.values()) cancel();
      armed.clear();
    },
  };
}
