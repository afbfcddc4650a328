import { execFileSync } from 'node:child_process';
import { deflateRawSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { readFromZip } from './read-zip.ts';

/** An archive with a comment and an extra field in one of its two headers alone, as some programs write them. */
function zip(files: readonly { readonly path: string; readonly content: string; readonly method: number }[]): Buffer {
  const bodies: Buffer[] = [];
  const entries: Buffer[] = [];
  let offset = 0;
  for (const { path, content, method } of files) {
    const data = method === 8 ? deflateRawSync(content) : Buffer.from(content);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(path.length, 26);
    local.writeUInt16LE(5, 28);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(method, 10);
    entry.writeUInt32LE(data.length, 20);
    entry.writeUInt16LE(path.length, 28);
    entry.writeUInt16LE(7, 32);
    entry.writeUInt32LE(offset, 42);
    entries.push(entry, Buffer.from(path), Buffer.from('comment'));
    const body = Buffer.concat([local, Buffer.from(path), Buffer.from('extra'), data]);
    bodies.push(body);
    offset += body.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...bodies, ...entries, end]);
}

describe('a ZIP archive', () => {
  const archive = zip([{ path: 'a/first', content: 'stored', method: 0 }, { path: 'a/second', content: 'deflated '.repeat(100), method: 8 }, { path: 'other', content: '', method: 12 }]);

  test.each([
    ['a stored file', 'a/first', 'stored'],
    ['a deflated file', 'a/second', 'deflated '.repeat(100)],
  ])('gives %s', (_what, path, content) => {
    expect(readFromZip(archive, path).toString()).toBe(content);
  });

  test.each([
    ['a file that is not in it', archive, 'first', 'holds no first'],
    ['a method that it does not know', archive, 'other', 'is packed with method 12'],
    ['what is no archive', Buffer.from('no archive at all'), 'a/first', 'is no ZIP archive'],
  ])('refuses %s', (_what, bytes, path, message) => {
    expect(() => readFromZip(bytes, path)).toThrow(message);
  });

  test('is read as the programs of others write it', () => {
    const script = 'import sys, zipfile; z = zipfile.ZipFile(sys.stdout.buffer, "w", zipfile.ZIP_DEFLATED); z.writestr("d/f", "x" * 5000); z.close()';
    let written: Buffer;
    try {
      written = execFileSync('python3', ['-c', script]);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      return; // no Python here
    }
    expect(readFromZip(written, 'd/f').toString()).toBe('x'.repeat(5000));
  });
});
