import type { Log, LogLine } from '../log.ts';

export interface ProblemLog {
  tell(line: LogLine): void;
  /** The next problem is a new one, whatever it says. */
  over(): void;
}

/** Logs what goes wrong again and again once, until something else does or it is over. */
export function newProblemLog(log: Log): ProblemLog {
  let last = '';
  return {
    tell(line) {
      if (line.message !== last) log(line);
      last = line.message;
    },
    over() {
      last = '';
    },
  };
}
