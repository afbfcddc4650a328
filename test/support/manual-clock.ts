import type { Clock } from '@belay/contract';

interface Waiter {
  readonly dueMs: number;
  readonly order: number;
  readonly callback: () => void;
}

/** Virtual time: callbacks fire in the order they are due, ties in the order they were armed. */
export class ManualClock implements Clock {
  #nowMs = 0;
  #order = 0;
  readonly #waiters = new Set<Waiter>();

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    const waiter = { dueMs: this.#nowMs + delayMs, order: this.#order++, callback };
    this.#waiters.add(waiter);
    return () => this.#waiters.delete(waiter);
  }

  /** Timers that would still fire; 0 where nothing leaked. */
  get armed(): number {
    return this.#waiters.size;
  }

  /** Moves time on, firing what falls due; promise callbacks run between two timers. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await settle();
    for (let next = this.#next(untilMs); next !== undefined; next = this.#next(untilMs)) {
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      this.#waiters.delete(next);
      next.callback();
      await settle();
    }
    this.#nowMs = untilMs;
  }

  #next(untilMs: number): Waiter | undefined {
    let first: Waiter | undefined;
    for (const waiter of this.#waiters) {
      if (waiter.dueMs > untilMs) continue;
      if (first === undefined || waiter.dueMs < first.dueMs || (waiter.dueMs === first.dueMs && waiter.order < first.order)) first = waiter;
    }
    return first;
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 8; turn++) await Promise.resolve();
}
