// Every suite that can run on this machine, and the totals of all of them on the last line.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const results = join(tmpdir(), `belay-jest-${process.pid}.json`);
const jest = spawnSync(process.execPath, [
  '--disable-warning=ExperimentalWarning', '--experimental-vm-modules', 'node_modules/jest/bin/jest.js',
  '--json', `--outputFile=${results}`, ...process.argv.slice(2),
], { stdio: ['ignore', 'ignore', 'inherit'] });
const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(readFileSync(results, 'utf8')) as Record<string, number>;
console.log(`${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped`);
process.exit(jest.status ?? 1);
