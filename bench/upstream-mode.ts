/** How a measured upstream behaves from now on. */
export type UpstreamMode =
  /** Answers: the first content after `firstMs`, then a chunk every `everyMs`; 0: all at once. */
  | { readonly kind: 'well'; readonly firstMs?: number; readonly everyMs?: number }
  | { readonly kind: 'status'; readonly status: number; readonly retryAfterSeconds?: number }
  | { readonly kind: 'silent' }
  | { readonly kind: 'headers-then-silent' }
  | { readonly kind: 'role-then-silent' }
  /** Resets the connection after eight chunks. */
  | { readonly kind: 'cut' }
  | { readonly kind: 'refuses' };

export type UpstreamName = 'primary' | 'fallback';

export interface UpstreamPorts {
  readonly primary: number;
  readonly fallback: number;
}

/** Chunks of a streamed answer. */
export const chunksPerStream = 32;

/**
 * Text of a chunk: who sent it, its number, and the sender's monotonic clock in microseconds, so that a reader on the same
 * machine knows how long each chunk was under way, whatever lies between.
 */
export function stampedText(name: UpstreamName, number: number): string {
  return `${name === 'primary' ? 'P' : 'F'}${number}@${nowMicros()} `;
}

/** Finds stamps in the bytes of an answer: sender, number, clock. */
export const stampPattern = /"content": ?"([PF])(\d+)@(\d+) /g;

export function nowMicros(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}
