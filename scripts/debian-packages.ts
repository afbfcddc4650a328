import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { belayCache } from './belay-cache.ts';
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
  const { status, stdout, stderr, error } = spawnSync('flock', [lockFile(), 'sh', '-c', install, 'sh', ...missing], { encoding: 'utf8', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
  if (status !== 0) throw new Error(`apt-get could not install ${missing.join(', ')}: ${error?.message ?? lastLines(`${stdout}${stderr}`)}`);
}

/** Called with the packages. No service is started by what is installed, unless the machine has a rule of its own. */
const install = `set -e
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  printf '#!/bin/sh\\nexit 101\\n' > $policy
  chmod 755 $policy
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
fi
apt-get -o DPkg::Lock::Timeout=300 update -q
apt-get -o DPkg::Lock::Timeout=300 install -y -q --no-install-recommends "$@"
`;

/** apt-get waits for others to install, but not for others to update. */
function lockFile(): string {
  mkdirSync(belayCache('locks'), { recursive: true });
  return belayCache('locks', 'apt-get');
}

function isInstalled(name: string): boolean {
  const { status, stdout } = spawnSync('dpkg-query', ['-W', '-f', '${Status}', name], { encoding: 'utf8' });
  return status === 0 && stdout.includes('ok installed');
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-5).join('\n');
}
