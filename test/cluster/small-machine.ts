import { join } from 'node:path';
import { startMachine, type Machine } from '../../scripts/machine/start-machine.ts';

/** A private machine with a single process in it: starts in half a second. */
export function startSmallMachine(more: { readonly broken?: boolean; readonly dir?: string; readonly log?: (line: string) => void } = {}): Promise<Machine> {
  return startMachine({
    kind: 'small', dir: more.dir, program: join(import.meta.dirname, '..', 'programs', 'small-machine.ts'), log: more.log ?? (() => {}),
    settings: () => ({ path: [], environment: { GREETING: 'hello' }, broken: more.broken === true }),
  });
}
