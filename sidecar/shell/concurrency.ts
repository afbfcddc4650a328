/** Attempts under way at each provider, and who waits for a free slot. */
export interface Concurrency {
  inFlight(provider: string): number;
  /**
   * Takes a slot and calls `start` at once, or queues where `limit` is reached and calls it when a slot is free, first
   * come first served. The returned function gives the slot back, or leaves the queue; it may be called twice.
   */
  enter(provider: string, limit: number | null, start: () => void): () => void;
}

interface Slots {
  used: number;
  limit: number | null;
  readonly queue: Set<() => void>;
}

/** Counts for one sidecar; kept over table swaps, since running attempts are. */
export function createConcurrency(): Concurrency {
  const providers = new Map<string, Slots>();

  function slotsOf(provider: string): Slots {
    const known = providers.get(provider);
    if (known !== undefined) return known;
    const slots: Slots = { used: 0, limit: null, queue: new Set() };
    providers.set(provider, slots);
    return slots;
  }

  function startWaiting(slots: Slots): void {
    for (const start of slots.queue) {
      if (slots.limit !== null && slots.used >= slots.limit) return;
      slots.queue.delete(start);
      start();
    }
  }

  return {
    inFlight: (provider) => providers.get(provider)?.used ?? 0,
    enter(provider, limit, start) {
      const slots = slotsOf(provider);
      slots.limit = limit;
      startWaiting(slots);
      let state: 'waiting' | 'running' | 'over' = 'waiting';
      const begin = (): void => {
        state = 'running';
        slots.used += 1;
        start();
      };
      if (limit === null || slots.used < limit) begin();
      else slots.queue.add(begin);
      return () => {
        if (state === 'waiting') slots.queue.delete(begin);
        const wasRunning = state === 'running';
        state = 'over';
        if (!wasRunning) return;
        slots.used -= 1;
        startWaiting(slots);
      };
    },
  };
}
