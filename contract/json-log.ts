import type { WallClock } from './clock.ts';

/** One line of a program's log: never a key, a token, a prompt or an answer. */
export interface LogLine {
  readonly level: 'error' | 'warn' | 'info';
  /** Noun and verb, past: `table-published`, `request-fell-back`. */
  readonly event: string;
  /** A sentence for people. */
  readonly message: string;
  readonly [field: string]: unknown;
}

const ranks: { readonly [level in LogLine['level']]: number } = { error: 0, warn: 1, info: 2 };

/** Both programs' log: one JSON object a line, with when it was written (`at`, RFC 3339); lines above `level` are left out. */
export function createJsonLog(level: LogLine['level'], wallClock: WallClock, write: (text: string) => void): (line: LogLine) => void {
  return (line) => {
    if (ranks[line.level] <= ranks[level]) write(`${JSON.stringify({ at: new Date(wallClock()).toISOString(), ...line })}\n`);
  };
}
