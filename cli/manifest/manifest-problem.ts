import type { Problem } from '@belay/contract';

/** One finding in a manifest: where it stands, and the API server's path, reason and message. */
export interface ManifestProblem extends Problem {
  /** `warning` never keeps anything from being served. */
  readonly severity: 'error' | 'warning';
  /** The API server's (`FieldValueInvalid`), the reason of a condition (`ProviderNotFound`), or the reader's (`ManifestUnreadable`). */
  readonly reason: string;
  readonly file: string;
  /** From 1; 0 where the whole file is meant. */
  readonly line: number;
  /** From 1; 0 where the whole file is meant. */
  readonly column: number;
  /** `FallbackChain support/chat`; null where the finding is about a file. */
  readonly resource: string | null;
}
