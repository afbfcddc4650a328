import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { removeCgroup } from './cgroups.ts';

/** A private machine that runs, or one whose keeper was killed before it could tidy up. */
export interface MachineRecord {
  readonly name: string;
  readonly folder: string;
  /** The process that ends and removes it, and when it started: numbers are used again. */
  readonly keeper: number;
  readonly keeperStarted: string;
}

const records = '/run/belay-machines';

/** Notes what there will be to remove; before any of it is made. */
export async function writeMachineRecord(record: MachineRecord): Promise<void> {
  const part = join(record.folder, 'record.json');
  writeFileSync(part, JSON.stringify(record));
  // Whoever removes the last record removes the folder with it: at the worst, just now.
  await persistently(() => {
    mkdirSync(records, { recursive: true, mode: 0o700 });
    copyFileSync(part, join(records, `${record.name}.json`));
  });
}

/** Removes what machines left behind whose keeper is gone. */
export async function removeLeftovers(log: (line: string) => void): Promise<void> {
  for (const record of readMachineRecords()) {
    if (processStarted(record.keeper) === record.keeperStarted) continue;
    log(`Removing what the killed ${record.name} left behind.`);
    await removeMachine(record);
  }
}

/** Somebody else may remove one of them meanwhile. */
function readMachineRecords(): readonly MachineRecord[] {
  if (!existsSync(records)) return [];
  return readdirSync(records).filter((name) => name.endsWith('.json')).flatMap((name) => {
    try {
      return [JSON.parse(readFileSync(join(records, name), 'utf8')) as MachineRecord];
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  });
}

/** Removes the files and cgroups of a machine none of whose processes runs any more, and the record of it. */
export async function removeMachine({ name, folder }: Pick<MachineRecord, 'name' | 'folder'>): Promise<void> {
  await persistently(() => removeCgroup(name));
  // Everything was mounted in a namespace that is gone; what is still mounted below is not its to remove.
  if (readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${folder}/`)) throw new Error(`something is mounted below ${folder}: unmount it, then remove that folder`);
  await persistently(() => rmSync(folder, { recursive: true, force: true }));
  rmSync(join(records, `${name}.json`), { force: true });
  try {
    rmdirSync(records);
  } catch (error) {
    // Other machines have theirs in there, or the folder went with the last of them.
    if (!['ENOTEMPTY', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

/** When a process started, in clock ticks since the machine did; empty: there is none of this number. */
export function processStarted(pid: number): string {
  const file = `/proc/${pid}/stat`;
  if (!existsSync(file)) return '';
  // The second field, a name in brackets, may hold spaces and brackets; start time is the 22nd.
  const afterName = readFileSync(file, 'utf8').split(') ').at(-1) ?? '';
  return afterName.split(' ')[19] ?? '';
}

/** The kernel needs a moment to let go of what a killed process held. */
async function persistently(remove: () => void): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return remove();
    } catch (error) {
      if (tries === 50) throw error;
      await sleep(100);
    }
  }
}
