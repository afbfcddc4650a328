import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { join } from 'node:path';
import { ensureGo } from './go-toolchain.ts';

export interface GoProgram {
  /** File name of the program in `folder`. */
  readonly name: string;
  /** Folder with its sources: all of `files`. */
  readonly source: string;
  readonly files: readonly string[];
  /** Folder of the cache; nothing else is built into it. */
  readonly folder: string;
  readonly linkerFlags: readonly string[];
  /** Said before it is built. */
  readonly announcement: string;
}

/** Path of a static program built from the Go modules that its go.mod pins; built where the cache has none of these sources. */
export async function ensureGoProgram(program: GoProgram, log: (line: string) => void): Promise<string> {
  const { folder, name } = program;
  const path = join(folder, name);
  const stampFile = join(folder, '.stamp');
  const stamp = sourceStamp(program);
  if (existsSync(path) && existsSync(stampFile) && readFileSync(stampFile, 'utf8').trim() === stamp) return path;

  const go = ensureGo(log);
  log(program.announcement);
  mkdirSync(folder, { recursive: true });
  const part = join(folder, `${name}.part-${process.pid}`);
  try {
    await build(go, program, part);
    renameSync(part, path);
  } finally {
    rmSync(part, { force: true });
  }
  writeFileSync(stampFile, `${stamp}\n`);
  return path;
}

/** What the program depends on. Not the Go version: a newer Go makes no other program. */
function sourceStamp({ source, files, linkerFlags }: GoProgram): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(join(source, file)));
  return hash.update(JSON.stringify([linkerFlags.join(' '), process.platform, process.arch])).digest('hex').slice(0, 16);
}

async function build(go: string, { name, source, linkerFlags }: GoProgram, output: string): Promise<void> {
  const child = spawn(go, ['build', '-trimpath', `-ldflags=${linkerFlags.join(' ')}`, '-o', output, '.'], {
    cwd: source,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly -buildvcs=false', GOTOOLCHAIN: 'local', GOWORK: 'off' },
  });
  // Beside the tests: the compilers that Go starts inherit the low priority.
  if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL);
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => { errors = (errors + text).slice(-4000); });
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
  if (code !== 0) throw new Error(`go build of ${name} ended with ${code ?? 'a signal'}:\n${errors.trim().split('\n').slice(-15).join('\n')}`);
}
