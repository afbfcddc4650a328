import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ensureDebianPackages } from './debian-packages.ts';

export interface PythonPackage {
  readonly name: string;
  readonly version: string;
  /** SHA-256 of every wheel that may be taken, one a platform. */
  readonly sha256: readonly string[];
}

/** Unpacks Python packages, checked against their hashes and without dependencies, into the folder `target`, all or nothing. */
export function pipInstall(packages: readonly PythonPackage[], target: string, log: (line: string) => void): void {
  if (spawnSync('python3', ['-m', 'pip', '--version']).status !== 0) {
    ensureDebianPackages(['python3-pip'], packages.map(({ name }) => name).join(', '), log);
  }
  mkdirSync(dirname(target), { recursive: true });
  const work = mkdtempSync(`${target}.part-`);
  try {
    const requirements = join(work, 'requirements.txt');
    writeFileSync(requirements, packages.map(({ name, version, sha256 }) => [`${name}==${version}`, ...sha256.map((hash) => `--hash=sha256:${hash}`)].join(' ')).join('\n'));
    const pip = spawnSync('python3', [
      '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps', '--no-compile', '--only-binary=:all:',
      '--require-hashes', '--target', join(work, 'site'), '--requirement', requirements,
    ], { encoding: 'utf8' });
    if (pip.status !== 0) throw new Error(`pip could not install ${packages.map(({ name, version }) => `${name} ${version}`).join(', ')}: ${(pip.error?.message ?? pip.stderr).trim()}`);
    rmSync(target, { recursive: true, force: true });
    renameSync(join(work, 'site'), target);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
