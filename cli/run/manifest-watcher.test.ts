import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { createManifestWatcher, watchedFiles, type WatchedFiles } from './manifest-watcher.ts';

describe('a watcher of manifests', () => {
  function fakeFiles() {
    const state = { content: 'a', event: (): void => {}, listening: 0 };
    const files: WatchedFiles = {
      fingerprint: () => state.content,
      listen(onEvent) {
        state.listening += 1;
        state.event = onEvent;
        return () => { state.listening -= 1; };
      },
    };
    return { state, files };
  }

  test('tells of a burst of events once, 100 ms after the last', async () => {
    const { state, files } = fakeFiles();
    const clock = new ManualClock();
    let changes = 0;
    const watcher = createManifestWatcher(files, clock, () => { changes += 1; });
    state.content = 'b';
    state.event();
    await clock.advance(60);
    state.event();
    await clock.advance(99);
    expect(changes).toBe(0);
    await clock.advance(1);
    expect(changes).toBe(1);
    expect(state.listening).toBe(1);
    watcher.close();
    expect(clock.armed).toBe(0);
    expect(state.listening).toBe(0);
  });

  test('ignores events that leave the files as they were', async () => {
    const { state, files } = fakeFiles();
    const clock = new ManualClock();
    let changes = 0;
    createManifestWatcher(files, clock, () => { changes += 1; });
    state.event();
    await clock.advance(10_000);
    expect(changes).toBe(0);
  });

  test('finds a change that no event told of within 2 s', async () => {
    const { state, files } = fakeFiles();
    const clock = new ManualClock();
    let changes = 0;
    createManifestWatcher(files, clock, () => { changes += 1; });
    state.content = 'b';
    await clock.advance(2_000);
    expect(changes).toBe(1);
  });
});

describe('the fingerprint of a directory', () => {
  let folder = '';
  beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'belay-watch-')); });
  afterEach(() => rmSync(folder, { recursive: true }));

  const changes = (change: () => void, path = folder): boolean => {
    const files = watchedFiles([path]);
    const before = files.fingerprint();
    change();
    return files.fingerprint() !== before;
  };

  test('changes with a new, a rewritten, a replaced and a removed manifest, and with no other file', () => {
    const file = join(folder, 'chain.yaml');
    expect(changes(() => writeFileSync(file, 'a'))).toBe(true);
    expect(changes(() => writeFileSync(file, 'ab'))).toBe(true);
    expect(changes(() => { writeFileSync(`${file}~`, 'cd'); renameSync(`${file}~`, file); })).toBe(true);
    expect(changes(() => writeFileSync(join(folder, 'notes.txt'), 'a'))).toBe(false);
    expect(changes(() => rmSync(file))).toBe(true);
  });

  test('changes when a mounted ConfigMap swaps its symlink', () => {
    for (const [version, text] of [['v1', 'a'], ['v2', 'b']] as const) {
      mkdirSync(join(folder, version));
      writeFileSync(join(folder, version, 'chain.yaml'), text);
    }
    symlinkSync('v1', join(folder, '..data'));
    symlinkSync('..data/chain.yaml', join(folder, 'chain.yaml'));
    const swap = () => { symlinkSync('v2', join(folder, '..tmp')); renameSync(join(folder, '..tmp'), join(folder, '..data')); };
    expect(changes(swap)).toBe(true);
    expect(changes(() => writeFileSync(join(folder, 'v2', 'chain.yaml'), 'bc'), join(folder, 'chain.yaml'))).toBe(true);
  });

  test('of a file that is gone is a fingerprint too', () => {
    expect(() => watchedFiles([join(folder, 'none.yaml')]).listen(() => {})()).not.toThrow();
    expect(changes(() => writeFileSync(join(folder, 'late.yaml'), 'a'), join(folder, 'late.yaml'))).toBe(true);
  });
});
