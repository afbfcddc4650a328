import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * A folder of the cache that survives between runs and is shared by every clone of one user:
 * BELAY_CACHE, else `belay` in XDG_CACHE_HOME, else `~/.cache/belay`.
 */
export function belayCache(...path: string[]): string {
  const base = process.env['BELAY_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'belay');
  return join(base, ...path);
}
