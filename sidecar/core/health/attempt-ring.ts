const bucketMs = 10_000;
const buckets = 12;

/** Attempts and failures of the last 120 s in steps of 10 s: O(1) in time and memory. */
export interface AttemptRing {
  attempted(atMs: number): void;
  failed(atMs: number): void;
  /** Of the last `windowMs`, whole buckets: what is older by up to one bucket has left. */
  counts(atMs: number, windowMs: number): { readonly attempts: number; readonly failures: number };
  clear(): void;
}

export function createAttemptRing(): AttemptRing {
  const attempts = new Uint32Array(buckets);
  const failures = new Uint32Array(buckets);
  let newest = 0;

  /** Clears the buckets that time has passed over, and gives the place of the current one. */
  function roll(atMs: number): number {
    const now = Math.floor(atMs / bucketMs);
    for (let bucket = Math.max(newest + 1, now - buckets + 1); bucket <= now; bucket++) {
      attempts[bucket % buckets] = 0;
      failures[bucket % buckets] = 0;
    }
    newest = Math.max(newest, now);
    return newest % buckets;
  }

  function add(ring: Uint32Array, atMs: number): void {
    const place = roll(atMs);
    ring[place] = (ring[place] ?? 0) + 1;
  }

  function counts(atMs: number, windowMs: number): { attempts: number; failures: number } {
    roll(atMs);
    const sum = { attempts: 0, failures: 0 };
    for (let age = 0; age < Math.min(buckets, windowMs / bucketMs) && age <= newest; age++) {
      sum.attempts += attempts[(newest - age) % buckets] ?? 0;
      sum.failures += failures[(newest - age) % buckets] ?? 0;
    }
    return sum;
  }

  return {
    attempted: (atMs) => { add(attempts, atMs); },
    failed: (atMs) => { add(failures, atMs); },
    counts,
    clear: () => { attempts.fill(0); failures.fill(0); },
  };
}
