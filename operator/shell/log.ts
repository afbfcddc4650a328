/** One line of the operator's log: never a key, a token, or a word of an upstream. */
export interface LogLine {
  readonly level: 'error' | 'warn' | 'info';
  /** Noun and verb, past: `table-published`, `watch-failed`. */
  readonly event: string;
  /** A sentence for people. */
  readonly message: string;
  readonly [field: string]: unknown;
}

export type Log = (line: LogLine) => void;
