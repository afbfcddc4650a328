import { checkSteps } from './check-steps.ts';
import { printStep } from './print-step.ts';
import { runNode } from './run-command.ts';
import { runJest, type SuiteResult } from './run-jest.ts';

/** Of the paths of tests. */
const cores = `^${process.cwd().replace(/[^\w/]/g, '\\$&')}/(contract|operator/core|sidecar/core)/`;

/** Steps and unit tests, two at a time, one line each as it ends. A step counts as one test. */
export async function runCheck(): Promise<SuiteResult[]> {
  const work = [
    // The cores are measured too: their tests alone must reach what jest.config.mjs says.
    () => unitTests('unit tests of the cores', ['--coverage', '--testPathPatterns', cores]),
    () => unitTests('unit tests of the rest', ['--testPathIgnorePatterns', cores]),
    ...checkSteps.map(({ name, args }) => () => step(name, args)),
  ];
  const results: SuiteResult[] = [];
  const next = async (): Promise<void> => {
    for (let task = work.shift(); task !== undefined; task = work.shift()) results.push(await task());
  };
  await Promise.all([next(), next()]);
  return results;
}

async function step(name: string, args: readonly string[]): Promise<SuiteResult> {
  const { code, output, seconds, ended } = await runNode(args);
  const good = code === 0 && ended === null;
  const result = { passed: good ? 1 : 0, failed: good ? 0 : 1, skipped: 0, seconds, failures: good ? [] : [ended ?? output.trim()], skippedNames: [] };
  printStep(name, result);
  return result;
}

async function unitTests(name: string, args: readonly string[]): Promise<SuiteResult> {
  const result = await runJest('unit', ['--maxWorkers=2', ...args]);
  printStep(name, result);
  return result;
}
