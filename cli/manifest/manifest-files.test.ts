import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { findManifests } from './manifest-files.ts';

let folder = '';
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'belay-manifests-')); });
afterEach(() => rmSync(folder, { recursive: true }));
const write = (name: string, content: string | Uint8Array): void => writeFileSync(join(folder, name), content);
const names = (paths: readonly string[]) => findManifests(paths).files.map(({ name }) => name.replace(`${folder}/`, ''));

describe('-f as kubectl takes it', () => {
  test('a directory: its own *.yaml, *.yml and *.json by name, and nothing below it', () => {
    for (const name of ['b.yaml', 'a.yml', 'c.json', 'notes.txt', '.yaml.swp']) write(name, '');
    mkdirSync(join(folder, 'below.yaml'));
    write('below.yaml/d.yaml', '');
    expect(names([folder])).toEqual(['a.yml', 'b.yaml', 'c.json']);
  });

  test('a file of any name', () => {
    write('chain.txt', 'a: 1');
    expect(findManifests([join(folder, 'chain.txt')]).files).toEqual([{ name: join(folder, 'chain.txt'), text: 'a: 1' }]);
  });

  test('files that are links, as a mounted ConfigMap has them', () => {
    mkdirSync(join(folder, '..v1'));
    write('..v1/a.yaml', 'x');
    symlinkSync('..v1', join(folder, '..data'));
    symlinkSync('..data/a.yaml', join(folder, 'a.yaml'));
    expect(names([folder])).toEqual(['a.yaml']);
  });

  test('UTF-16, as PowerShell writes it', () => {
    write('a.yaml', Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('a: é', 'utf16le')]));
    expect(findManifests([folder]).files[0]?.text).toBe('a: é');
  });

  test.each([
    ['a path that does not exist', 'none', () => {}, /none does not exist; -f takes a file, a directory, or - for standard input/],
    ['a directory without manifests', '', () => write('a.txt', ''), /holds no \*\.yaml, \*\.yml or \*\.json file; name a directory that holds manifests \(subdirectories are not read\)/],
    ['a file that is no text', 'a.yaml', () => write('a.yaml', new Uint8Array([0x61, 0xff, 0x62])), /a\.yaml is not text in UTF-8; save it as UTF-8/],
  ])('%s is told in one sentence', (_title, name, prepare, message) => {
    prepare();
    const { files, faults } = findManifests([join(folder, name)]);
    expect(files).toEqual([]);
    expect(faults).toEqual([{ file: join(folder, name), message: expect.stringMatching(message) }]);
  });
});
