import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const mounted = '/sys/fs/cgroup';

/** The directory NAME in every hierarchy: one of version 2, or all of version 1. */
function directories(name: string): readonly string[] {
  if (existsSync(join(mounted, 'cgroup.controllers'))) return [join(mounted, name)];
  if (!existsSync(mounted)) return [];
  const hierarchies = readdirSync(mounted, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return hierarchies.map((hierarchy) => join(mounted, hierarchy.name, name));
}

/** Makes the directories under which a kubelet puts those of its pods. */
export function createCgroup(name: string): void {
  for (const directory of directories(name)) {
    mkdirSync(directory, { recursive: true });
    // Version 1 gives a new directory no processor and no memory node, and nothing may run in there until it has them.
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      const own = join(directory, file);
      if (existsSync(own) && readFileSync(own, 'utf8').trim() === '') writeFileSync(own, readFileSync(join(directory, '..', file)));
    }
  }
}

/** Removes them with all below; nothing may run in there any more. */
export function removeCgroup(name: string): void {
  directories(name).forEach(removeTree);
}

function removeTree(directory: string): void {
  if (!existsSync(directory)) return;
  for (const entry of readdirSync(directory, { withFileTypes: true })) if (entry.isDirectory()) removeTree(join(directory, entry.name));
  rmdirSync(directory);
}
