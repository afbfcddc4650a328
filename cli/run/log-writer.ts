import type { WallClock } from '@belay/contract';
import type { LogLine } from '@belay/sidecar/shell/sidecar-options.ts';
import type { Colours } from './colours.ts';

export interface LogWriterOptions {
  readonly write: (text: string) => void;
  /** People read it: a short line each, in place of JSON. */
  readonly terminal: boolean;
  readonly colours: Colours;
  readonly wallClock: WallClock;
}

/** Log lines to one stream: JSON for machines, `12:03:04 warn  message` (local time) for people. */
export function createLogWriter({ write, terminal, colours, wallClock }: LogWriterOptions): (line: LogLine) => void {
  return (line) => {
    const now = new Date(wallClock());
    if (!terminal) return write(`${JSON.stringify({ at: now.toISOString(), ...line })}\n`);
    const paint = { info: colours.dim, warn: colours.yellow, error: colours.red }[line.level];
    return write(`${colours.dim(now.toTimeString().slice(0, 8))} ${paint(line.level.padEnd(5))} ${line.message}\n`);
  };
}
