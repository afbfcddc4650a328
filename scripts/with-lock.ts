import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { belayCache } from './belay-cache.ts';

/** Does `work` while no other process of this user does work of the same name. A lock whose process is gone is taken over. */
export async function withLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  mkdirSync(belayCache('locks'), { recursive: true });
  const file = belayCache('locks', name);
  while (!take(file)) await sleep(200);
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

function take(file: string): boolean {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  if (!isHeld(file)) rmSync(file, { force: true });
  return false;
}

function isHeld(file: string): boolean {
  try {
    const owner = Number(readFileSync(file, 'utf8'));
    // Just made, and not yet written to.
    if (owner === 0) return true;
    process.kill(owner, 0);
    return true;
  } catch (error) {
    // Somebody else's process is one all the same; a file that is gone can be made anew.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
