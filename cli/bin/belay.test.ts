import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';

const clone = mkdtempSync(join(tmpdir(), 'belay-clone-'));

afterAll(() => rmSync(clone, { recursive: true }));

test.each<[string, string, string]>([
  ['a package that is not installed, as in a fresh clone, is named with what to do', "import 'belay-needs-this';", `belay needs its packages, and belay-needs-this is not there: run npm ci in ${clone}.\n`],
  ['a file of its own that is missing is a fault of Belay', "import './gone.ts';", 'belay itself failed; please report this: Error [ERR_MODULE_NOT_FOUND]: Cannot find module'],
])('%s', (_, main, words) => {
  mkdirSync(join(clone, 'cli'), { recursive: true });
  writeFileSync(join(clone, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(clone, 'cli', 'main.ts'), main);
  cpSync(join(import.meta.dirname, 'belay.mjs'), join(clone, 'cli', 'bin', 'belay.mjs'));
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(clone, 'cli', 'bin', 'belay.mjs'), '--version'], { encoding: 'utf8' });
  expect([status, stdout, stderr]).toEqual([1, '', expect.stringContaining(words)]);
});
