import type { LogLine } from '@belay/contract';

export type { LogLine };
export type Log = (line: LogLine) => void;
