import type { Parsed } from '@belay/contract';

/** How a server process ended: `exit code 1`, `SIGKILL`, `spawn ENOENT`. */
export type ServerEnd = string;

export interface ServerProcess {
  readonly pid: number | null;
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
  /** The last lines that it wrote to its stderr, oldest first; at most 20. */
  lastLines(): readonly string[];
}

/** What supervising a llama-server needs of the machine. */
export interface ServerHost {
  readonly cores: number;
  findServer(): Parsed<string>;
  /** `Growing`: being written just now. */
  lookAtModel(file: string): 'Missing' | 'Growing' | 'Whole';
  freePort(): Promise<number>;
  /** Starts the server; `onEnd` is called exactly once, never before this returned. The process never outlives this one. */
  start(server: string, args: readonly string[], onEnd: (end: ServerEnd) => void): ServerProcess;
  /** True where `/health` answers 200: the model is loaded. */
  isReady(port: number): Promise<boolean>;
}
