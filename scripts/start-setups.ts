import { styleText } from 'node:util';
import { missingPartExitCode } from './missing-part.ts';
import type { Totals } from './run-jest.ts';
import { runNode } from './run-command.ts';
import { prerequisites, type SetupPart } from './setup-parts.ts';

export interface Setups {
  /** Resolves when no set-up runs any more. */
  quiet(): Promise<void>;
  /** Why one of these parts cannot be used; null: all are ready. */
  obstacle(parts: readonly SetupPart[]): Promise<string | null>;
  /** One failure for each part that broke. A part that this machine cannot have is no failure, unless CI is set. */
  failures(): Promise<Totals[]>;
}

type Outcome = { readonly type: 'ready' } | { readonly type: 'missing' | 'failed'; readonly why: string };

/** Starts making these parts and what they stand on ready, one process each, and says what they say as they go. */
export function startSetups(parts: readonly SetupPart[]): Setups {
  const outcomes = new Map<SetupPart, Promise<Outcome>>();
  const start = (part: SetupPart): Promise<Outcome> => {
    const begun = outcomes.get(part) ?? setUpAfter((prerequisites[part] ?? []).map(start), part);
    outcomes.set(part, begun);
    return begun;
  };
  parts.forEach(start);
  return {
    async quiet() {
      const waiting = setInterval(() => console.log(styleText('dim', '… waiting for set-up that is done once and kept')), 60_000);
      await Promise.all(outcomes.values());
      clearInterval(waiting);
    },
    async obstacle(needed) {
      for (const part of needed) {
        const outcome = await outcomes.get(part);
        if (outcome !== undefined && outcome.type !== 'ready') return outcome.why;
      }
      return null;
    },
    async failures() {
      const ended = await Promise.all(outcomes.values());
      return ended.filter(({ type }) => type === 'failed').map(() => ({ passed: 0, failed: 1, skipped: 0 }));
    },
  };
}

/** What a part stands on and cannot be had, it cannot be made of; that counts as one failure, not two. */
async function setUpAfter(before: readonly Promise<Outcome>[], part: SetupPart): Promise<Outcome> {
  for (const outcome of await Promise.all(before)) if (outcome.type !== 'ready') return { type: 'missing', why: outcome.why };
  return setUp(part);
}

async function setUp(part: SetupPart): Promise<Outcome> {
  const { code, output, ended } = await runNode(['scripts/setup.ts', '--alone', part], { onLine: (line) => console.log(styleText('dim', `  set-up  ${line}`)) });
  if (code === 0) return { type: 'ready' };
  const why = ended ?? output.trim().split('\n').at(-1) ?? '';
  if (code === missingPartExitCode && process.env['CI'] === undefined) return { type: 'missing', why };
  console.log(styleText('red', `✖ set-up of ${part} failed`) + `\n\n${output.trim()}\n`);
  return { type: 'failed', why: `its set-up of ${part} failed: ${why}` };
}
