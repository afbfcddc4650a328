/** Monotonic time: the only way product code may read or wait for it. */
export interface Clock {
  /** Milliseconds since an arbitrary origin; never goes back. */
  nowMs(): number;
  /** Calls back once after `delayMs`; the returned function disarms it and may be called twice. */
  after(delayMs: number, callback: () => void): () => void;
}

/** Wall time in milliseconds since the Unix epoch: for records and HTTP dates, never for waiting. */
export type WallClock = () => number;

/** Uniform on [0, 1). */
export type Random = () => number;
