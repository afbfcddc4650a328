import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { withLock } from './with-lock.ts';

const cacheBefore = process.env['BELAY_CACHE'];
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'belay-lock-'));
  process.env['BELAY_CACHE'] = folder;
});

afterEach(() => {
  if (cacheBefore === undefined) delete process.env['BELAY_CACHE'];
  else process.env['BELAY_CACHE'] = cacheBefore;
  rmSync(folder, { recursive: true });
});

test('two that want the same lock work one after the other, and a failure frees it', async () => {
  const told: string[] = [];
  const work = (name: string) => async (): Promise<void> => {
    told.push(`${name} begins`);
    await new Promise((resolve) => setImmediate(resolve));
    told.push(`${name} ends`);
    if (name === 'one') throw new Error('failed');
  };
  const ended = await Promise.allSettled([withLock('build', work('one')), withLock('build', work('other'))]);
  expect(ended.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  expect(told).toEqual(['one begins', 'one ends', 'other begins', 'other ends']);
  expect(existsSync(join(folder, 'locks', 'build'))).toBe(false);
});

test('a lock whose process is gone is taken over', async () => {
  const gone = spawnSync(process.execPath, ['--eval', '']).pid;
  mkdirSync(join(folder, 'locks'));
  writeFileSync(join(folder, 'locks', 'build'), String(gone));
  expect(await withLock('build', async () => 'done')).toBe('done');
});
