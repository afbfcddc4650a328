import type { WallClock } from '@belay/contract';
import type { Log, LogLine } from './log.ts';

const ranks = { error: 0, warn: 1, info: 2 } as const;

/** One JSON object a line: time, level, event, message and what else the line carries. Lines above `level` are left out. */
export function createJsonLog(level: LogLine['level'], wallClock: WallClock, write: (text: string) => void): Log {
  return (line) => {
    if (ranks[line.level] > ranks[level]) return;
    write(`${JSON.stringify({ time: new Date(wallClock()).toISOString(), ...line })}\n`);
  };
}
