import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { buildLayer, type LayerEntry } from './build-layer.ts';
import { writeArchive } from './write-archive.ts';

let folder = '';
const cacheBefore = process.env['BELAY_CACHE'];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'belay-archive-'));
  process.env['BELAY_CACHE'] = join(folder, 'cache');
});

afterAll(() => {
  if (cacheBefore === undefined) delete process.env['BELAY_CACHE'];
  else process.env['BELAY_CACHE'] = cacheBefore;
  rmSync(folder, { recursive: true });
});

const config = { Entrypoint: ['/bin/program'], User: '65532' };
const at = (name: string): string => join(folder, name);
const tar = (...args: string[]): string => execFileSync('tar', args, { encoding: 'utf8' });
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Copied from a file that was written just now, of a mode that does not count. */
function program(name: string): LayerEntry {
  const from = at(`source-${name}`);
  writeFileSync(from, `#!/bin/sh\n# ${name}\n`, { mode: 0o600 });
  utimesSync(from, new Date(), new Date());
  return { type: 'copy', path: `bin/${name}`, from, executable: true };
}

describe('an image archive', () => {
  test('has the same bytes for the same content, whatever the order, the time and the cache', () => {
    const entries: readonly LayerEntry[] = [program('program'), { type: 'file', path: 'etc/passwd', content: 'nonroot:x:65532:\n' }, { type: 'folder', path: 'tmp', mode: 0o1777, uid: 0 }];
    const bytes = [entries, entries.toReversed(), [...entries]].map((given, index) => {
      if (index === 2) rmSync(join(folder, 'cache'), { recursive: true });
      writeArchive(at(`same-${index}.tar`), [{ name: 'belay.dev/same:1', layers: [buildLayer(given)], config }]);
      return sha256(readFileSync(at(`same-${index}.tar`)));
    });
    expect(new Set(bytes).size).toBe(1);
    const other = buildLayer([...entries.slice(0, 1), { type: 'file', path: 'etc/passwd', content: 'root:x:0:\n' }]);
    expect(other.digest).not.toBe(buildLayer(entries).digest);
  });

  test('holds every blob under its own hash, and a shared layer once', () => {
    const shared = buildLayer([program('shared')]);
    const images = ['one', 'two'].map((name) => ({ name: `belay.dev/${name}:1`, layers: [shared, buildLayer([program(name)])], config }));
    const written = writeArchive(at('two.tar'), images);
    mkdirSync(at('two'));
    tar('--extract', '--file', at('two.tar'), '--directory', at('two'));
    const blobs = tar('--list', '--file', at('two.tar')).trim().split('\n').filter((path) => path.startsWith('blobs/'));
    expect(blobs).toHaveLength(3 + 2 * 2);
    for (const path of blobs) expect(sha256(readFileSync(join(at('two'), path)))).toBe(path.split('/')[2]);
    const index = JSON.parse(readFileSync(join(at('two'), 'index.json'), 'utf8')) as { readonly manifests: readonly { readonly digest: string; readonly annotations: Record<string, string> }[] };
    expect(index.manifests.map(({ digest, annotations }) => ({ digest, name: annotations['io.containerd.image.name'] }))).toEqual(written);
  });

  test('says the same to Docker as to OCI', () => {
    writeArchive(at('docker.tar'), [{ name: 'belay.dev/docker:1', layers: [buildLayer([program('docker')])], config }]);
    mkdirSync(at('docker'));
    tar('--extract', '--file', at('docker.tar'), '--directory', at('docker'));
    const read = (path: string): Record<string, unknown> => JSON.parse(readFileSync(join(at('docker'), path), 'utf8')) as Record<string, unknown>;
    const [image] = read('manifest.json') as unknown as readonly { readonly Config: string; readonly RepoTags: readonly string[]; readonly Layers: readonly string[] }[];
    expect(image?.RepoTags).toEqual(['belay.dev/docker:1']);
    const { manifests } = read('index.json') as unknown as { readonly manifests: readonly { readonly digest: string }[] };
    const manifest = read(`blobs/${manifests[0]?.digest.replace(':', '/')}`);
    expect(manifest).toMatchObject({ config: { digest: image?.Config.slice('blobs/'.length).replace('/', ':') }, layers: image?.Layers.map((path) => ({ digest: path.slice('blobs/'.length).replace('/', ':') })) });
    expect(read(image?.Config ?? '')).toMatchObject({ os: 'linux', config: { Entrypoint: ['/bin/program'], User: '65532' } });
  });
});

describe('a layer', () => {
  test('belongs to root, has the folders above its files, and modes that programs need', () => {
    const layer = buildLayer([program('tool'), { type: 'folder', path: 'home/nonroot', mode: 0o700, uid: 65532 }, { type: 'file', path: 'etc/passwd', content: '' }]);
    const listed = tar('--list', '--verbose', '--numeric-owner', '--full-time', '--utc', '--file', layer.file).trim().split('\n').map((line) => line.replace(/ +/g, ' '));
    expect(listed).toEqual([
      'drwxr-xr-x 0/0 0 1970-01-01 00:00:00 bin/',
      '-rwxr-xr-x 0/0 17 1970-01-01 00:00:00 bin/tool',
      'drwxr-xr-x 0/0 0 1970-01-01 00:00:00 etc/',
      '-rw-r--r-- 0/0 0 1970-01-01 00:00:00 etc/passwd',
      'drwxr-xr-x 0/0 0 1970-01-01 00:00:00 home/',
      'drwx------ 65532/65532 0 1970-01-01 00:00:00 home/nonroot/',
    ]);
  });

  test('takes paths of up to 255 bytes, and refuses longer ones', () => {
    const long = `${'folder/'.repeat(20)}${'n'.repeat(90)}`;
    const layer = buildLayer([{ type: 'file', path: long, content: 'found' }]);
    expect(tar('--extract', '--to-stdout', '--file', layer.file, long)).toBe('found');
    expect(() => buildLayer([{ type: 'file', path: 'n'.repeat(101), content: '' }])).toThrow('is too long for a tar archive');
  });
});
