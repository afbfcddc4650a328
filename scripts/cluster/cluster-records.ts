import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { removeCgroup } from './cgroups.ts';

/** A cluster that runs, or one whose keeper was killed before it could tidy up. */
export interface ClusterRecord {
  readonly name: string;
  readonly folder: string;
  /** The process that ends and removes the cluster, and when it started: numbers are used again. */
  readonly keeper: number;
  readonly keeperStarted: string;
}

const records = '/run/belay-clusters';

/** Notes what there will be to remove; before any of it is made. */
export function writeClusterRecord(record: ClusterRecord): void {
  mkdirSync(records, { recursive: true, mode: 0o700 });
  const part = join(records, `.part-${record.name}`);
  writeFileSync(part, JSON.stringify(record));
  renameSync(part, join(records, `${record.name}.json`));
}

/** Removes what clusters left behind whose keeper is gone. */
export async function removeLeftovers(log: (line: string) => void): Promise<void> {
  for (const record of readClusterRecords()) {
    if (processStarted(record.keeper) === record.keeperStarted) continue;
    log(`Removing what the killed cluster ${record.name} left behind.`);
    await removeCluster(record);
  }
}

/** Somebody else may remove one of them meanwhile. */
function readClusterRecords(): readonly ClusterRecord[] {
  if (!existsSync(records)) return [];
  return readdirSync(records).filter((name) => name.endsWith('.json')).flatMap((name) => {
    try {
      return [JSON.parse(readFileSync(join(records, name), 'utf8')) as ClusterRecord];
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  });
}

/** Removes the files and cgroups of a cluster none of whose processes runs any more, and the record of it. */
export async function removeCluster({ name, folder }: Pick<ClusterRecord, 'name' | 'folder'>): Promise<void> {
  await persistently(() => removeCgroup(name));
  // Everything was mounted in a namespace that is gone; what is still mounted below is not this cluster's to remove.
  if (readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${folder}/`)) throw new Error(`something is mounted below ${folder}: unmount it, then remove that folder`);
  await persistently(() => rmSync(folder, { recursive: true, force: true }));
  rmSync(join(records, `${name}.json`), { force: true });
  try {
    rmdirSync(records);
  } catch (error) {
    // Other clusters have theirs in there, or the folder went with the last of them.
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
