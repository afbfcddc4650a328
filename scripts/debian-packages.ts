import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { MissingPart } from './missing-part.ts';

/**
 * Installs Debian packages where that needs nobody's leave: as root, with apt-get. Says what it installs.
 * Elsewhere throws a `MissingPart` that names them.
 */
export function ensureDebianPackages(names: readonly string[], purpose: string, log: (line: string) => void): void {
  const missing = names.filter((name) => !isInstalled(name));
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) {
    throw new MissingPart(`${purpose} needs ${missing.join(', ')}: install ${missing.length === 1 ? 'it' : 'them'} and run this again.`);
  }
  log(`Installing with apt-get: ${missing.join(', ')} (${purpose}).`);
  aptGet(['update', '-q']);
  aptGet(['install', '-y', '-q', '--no-install-recommends', ...missing]);
}

function isInstalled(name: string): boolean {
  const { status, stdout } = spawnSync('dpkg-query', ['-W', '-f', '${Status}', name], { encoding: 'utf8' });
  return status === 0 && stdout.includes('ok installed');
}

function aptGet(args: readonly string[]): void {
  const { status, stdout, stderr, error } = spawnSync('apt-get', ['-o', 'DPkg::Lock::Timeout=300', ...args], {
    encoding: 'utf8', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (status !== 0) throw new Error(`apt-get ${args[0]} failed: ${error?.message ?? lastLines(`${stdout}${stderr}`)}`);
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-5).join('\n');
}
