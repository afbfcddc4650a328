import { join } from 'node:path';

/** Where the engine of a private machine listens; reached from outside of it too. */
export function engineSocket(folder: string): string {
  return join(folder, 'docker.sock');
}
