/** What a load process is told to do. */
export interface LoadJob {
  readonly url: string;
  readonly model: string;
  readonly stream: boolean;
  readonly seconds: number;
  /** Requests sent and forgotten before measuring. */
  readonly warmUp: number;
  /** Open: requests leave on schedule whatever the answers do, and latency counts from that moment. Closed: so many under way at once. */
  readonly arrival: { readonly kind: 'open'; readonly perSecond: number } | { readonly kind: 'closed'; readonly atOnce: number };
}

export interface Quantiles {
  readonly p50: number;
  readonly p99: number;
}

/** What came of it. */
export interface LoadResult {
  readonly sent: number;
  /** Whole answers. */
  readonly good: number;
  readonly seconds: number;
  readonly firstError: string | null;
  readonly latencyMs: Quantiles | null;
  /** Streams: to the first chunk with text. */
  readonly firstContentMs: Quantiles | null;
  /** Streams: each chunk from the upstream's write to this process's read. */
  readonly chunkDelayMicros: Quantiles | null;
}
