import { join } from 'node:path';
import { styleText } from 'node:util';
import { succeed, type Cluster } from '../../test/cluster/drivers/cluster.ts';
import type { Screen } from '../demo/screen.ts';
import { describeCommand } from './describe-command.ts';

export interface TypeOptions {
  /** Standard input; the command is then shown with `-f -`'s text left out. */
  readonly input?: string;
  /** What of its output is shown: all by default. */
  readonly show?: (output: string) => string;
}

/** Runs commands as a person would type them, and shows both: the command, and what it said. */
export interface Terminal {
  /** It begins with kubectl, helm or npx belay. Gives standard output; rejects with the command's words where it fails. */
  type(words: readonly string[], options?: TypeOptions): Promise<string>;
  /** The same, unseen. */
  quietly(words: readonly string[], options?: Pick<TypeOptions, 'input'>): Promise<string>;
}

const belay = join(import.meta.dirname, '..', '..', 'cli', 'bin', 'belay.mjs');

/** A terminal on `cluster`. */
export function createTerminal(cluster: Cluster, screen: Screen): Terminal {
  const run = ([program, ...args]: readonly string[], input: string | undefined): Promise<string> => {
    if (program === 'npx') return succeed(['npx', ...args].join(' '), cluster.run(process.execPath, [belay, ...args.slice(1)]));
    return (program === 'helm' ? cluster.helm : cluster.kubectl)(args, input === undefined ? {} : { input });
  };
  return {
    quietly: (words, { input } = {}) => run(words, input),
    async type(words, { input, show = (output: string): string => output }: TypeOptions = {}) {
      screen.say(`\n ${styleText('dim', '$')} ${styleText('cyan', describeCommand(words))}`);
      const output = await run(words, input);
      const shown = show(output).trimEnd();
      if (shown !== '') screen.say(shown.split('\n').map((line) => ` ${styleText('dim', '│')} ${line}`).join('\n'));
      return output;
    },
  };
}
