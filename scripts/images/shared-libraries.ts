import { spawnSync } from 'node:child_process';
import type { LayerEntry } from './build-layer.ts';

/**
 * The libraries that a program of this machine loads, at the same paths in an image, those of `own` (a folder with
 * libraries of the program's own) below `ownTarget`. Empty for a static program.
 */
export function sharedLibraries(program: string, own?: { readonly folder: string; readonly target: string }): readonly LayerEntry[] {
  const { stdout, stderr, error, status } = spawnSync('ldd', [program], { encoding: 'utf8' });
  if (status !== 0 && /not a dynamic executable|statically linked/.test(`${stdout}${stderr}`)) return [];
  if (status !== 0) throw new Error(`ldd could not read ${program}: ${(error?.message ?? stderr).trim()}`);
  const missing = /^\s*(\S+) => not found$/m.exec(stdout)?.[1];
  if (missing !== undefined) throw new Error(`${program} needs ${missing}, which this machine does not have`);
  const files = [...stdout.matchAll(/(?:^|\s)(\/\S+) \(0x/g)].map(([, file]) => file ?? '');
  return [...new Set(files)].map((from) => ({ type: 'copy', from, executable: true, path: targetOf(from, own) }));
}

function targetOf(file: string, own: { readonly folder: string; readonly target: string } | undefined): string {
  return own !== undefined && file.startsWith(`${own.folder}/`) ? `${own.target}${file.slice(own.folder.length)}` : file.slice(1);
}
