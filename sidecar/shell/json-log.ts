import type { WallClock } from '@belay/contract';
import type { LogLine } from './sidecar-options.ts';

const severity: { readonly [level in LogLine['level']]: number } = { error: 0, warn: 1, info: 2 };

/** Log lines as JSON, one each, from `level` up. */
export function createJsonLog(level: LogLine['level'], wallClock: WallClock, write: (text: string) => void): (line: LogLine) => void {
  return (line) => {
    if (severity[line.level] <= severity[level]) write(`${JSON.stringify({ at: new Date(wallClock()).toISOString(), ...line })}\n`);
  };
}
