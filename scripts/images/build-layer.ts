import { createHash } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { belayCache } from '../belay-cache.ts';
import { tarEnd, tarHeader, tarPadding } from './tar.ts';

/** A file or folder of a layer. Folders above it are made by themselves, for root, mode 755. */
export type LayerEntry =
  | { readonly type: 'file'; readonly path: string; readonly content: string | Buffer; readonly executable?: boolean }
  /** `from` is a path on this machine; links are followed. */
  | { readonly type: 'copy'; readonly path: string; readonly from: string; readonly executable?: boolean }
  | { readonly type: 'folder'; readonly path: string; readonly mode: number; readonly uid: number };

/** A layer as a tar file in the cache. Not compressed: it is read on the machine that writes it. */
export interface Layer {
  readonly file: string;
  readonly size: number;
  /** `sha256:` and the hash of the tar file. */
  readonly digest: string;
}

const keptDays = 14;

/** The layer of these entries: from the cache where it holds one of the same content. Its bytes depend on the entries alone. */
export function buildLayer(entries: readonly LayerEntry[]): Layer {
  const parts = entriesWithFolders(entries).map((entry) => ({ entry, content: contentOf(entry) }));
  const key = createHash('sha256').update(JSON.stringify(parts.map(({ entry, content }) => [entry.path, modeOf(entry), uidOf(entry), sha256(content)]))).digest('hex');
  const folder = belayCache('images', 'layers');
  mkdirSync(folder, { recursive: true });
  const found = readdirSync(folder).find((name) => name.startsWith(`${key}-`));
  if (found !== undefined) return useLayer(folder, found);

  const part = join(folder, `.part-${process.pid}-${key}`);
  const output = openSync(part, 'w');
  const hash = createHash('sha256');
  try {
    const write = (bytes: Buffer): void => {
      hash.update(bytes);
      for (let at = 0; at < bytes.length;) at += writeSync(output, bytes, at);
    };
    for (const { entry, content } of parts) {
      write(tarHeader({ path: entry.type === 'folder' ? `${entry.path}/` : entry.path, mode: modeOf(entry), uid: uidOf(entry), size: content.length }));
      write(content);
      write(tarPadding(content.length));
    }
    write(tarEnd);
  } catch (error) {
    rmSync(part, { force: true });
    throw error;
  } finally {
    closeSync(output);
  }
  const name = `${key}-${hash.digest('hex')}.tar`;
  renameSync(part, join(folder, name));
  return useLayer(folder, name);
}

/** Removes layers that nobody used for two weeks. */
export function pruneLayers(): void {
  const folder = belayCache('images', 'layers');
  if (!existsSync(folder)) return;
  const oldest = Date.now() - keptDays * 86_400_000;
  for (const name of readdirSync(folder)) if (statSync(join(folder, name)).mtimeMs < oldest) rmSync(join(folder, name), { force: true });
}

function useLayer(folder: string, name: string): Layer {
  const file = join(folder, name);
  const now = new Date();
  utimesSync(file, now, now);
  return { file, size: statSync(file).size, digest: `sha256:${name.slice(name.indexOf('-') + 1, -'.tar'.length)}` };
}

/** Sorted by path, each preceded by the folders above it. */
function entriesWithFolders(entries: readonly LayerEntry[]): readonly LayerEntry[] {
  const all = new Map<string, LayerEntry>();
  for (const { path } of entries) {
    const names = path.split('/');
    for (let depth = 1; depth < names.length; depth++) {
      const folder = names.slice(0, depth).join('/');
      all.set(folder, { type: 'folder', path: folder, mode: 0o755, uid: 0 });
    }
  }
  for (const entry of entries) all.set(entry.path, entry);
  return [...all.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function contentOf(entry: LayerEntry): Buffer {
  switch (entry.type) {
    case 'file': return Buffer.from(entry.content);
    case 'copy': return readFileSync(entry.from);
    case 'folder': return Buffer.alloc(0);
  }
}

function modeOf(entry: LayerEntry): number {
  return entry.type === 'folder' ? entry.mode : entry.executable === true ? 0o755 : 0o644;
}

function uidOf(entry: LayerEntry): number {
  return entry.type === 'folder' ? entry.uid : 0;
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
