import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runNode, type CommandOptions } from './run-command.ts';

export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export interface SuiteResult extends Totals {
  readonly seconds: number;
  /** Each failure in full: tests, files that did not load, a runner that crashed. */
  readonly failures: readonly string[];
  readonly skippedNames: readonly string[];
}

/** Of one run among several of a suite. */
export interface NamedResult {
  readonly name: string;
  /** A text says why it did not run. */
  readonly outcome: SuiteResult | string;
}

interface JestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

interface RunnerEnd {
  readonly code: number | null;
  readonly output: string;
  readonly ended: string | null;
}

const lingerMs = 20_000;

/**
 * Runs one project of jest.config.mjs. A file that does not load, a runner that crashes or never ends and a suite
 * without a single test each count as a failure.
 */
export async function runJest(project: string, args: readonly string[] = [], where: Pick<CommandOptions, 'env' | 'inside'> = {}): Promise<SuiteResult> {
  const folder = mkdtempSync(join(tmpdir(), 'belay-jest-'));
  const report = join(folder, 'report.json');
  let doneAt = 0;
  const watch = (): string | null => {
    if (!existsSync(report)) return null;
    doneAt ||= Date.now();
    return Date.now() - doneAt > lingerMs ? 'its tests were over, but something stayed open (a socket, a timer, a child process)' : null;
  };
  try {
    const { code, output, seconds, ended } = await runNode([
      '--experimental-vm-modules', 'node_modules/jest/bin/jest.js', '--selectProjects', project, '--json', `--outputFile=${report}`, ...args,
    ], { ...where, watch });
    const parsed = existsSync(report) ? (JSON.parse(readFileSync(report, 'utf8')) as JestReport) : null;
    return { ...suiteResult(project, parsed, { code, output, ended }), seconds };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What a report and the runner's own end amount to. */
export function suiteResult(project: string, report: JestReport | null, end: RunnerEnd): Omit<SuiteResult, 'seconds'> {
  const files = report?.testResults ?? [];
  const tests = files.flatMap(({ assertionResults }) => assertionResults);
  const named = (statuses: readonly string[]): string[] => tests.filter(({ status }) => statuses.includes(status)).map(({ fullName }) => fullName);
  const skippedNames = named(['pending', 'todo', 'skipped', 'disabled']);
  const passed = named(['passed']).length;
  const failedTests = named(['failed']).length;
  const failures = files.filter(({ status }) => status === 'failed').map(({ name, message }) => `${name}\n${message.trimEnd()}`);
  const unloaded = files.filter(({ status, assertionResults }) => status === 'failed' && !assertionResults.some((test) => test.status === 'failed')).length;

  const runner = runnerFailure(project, report, unloaded + failedTests, end);
  return { passed, failed: failedTests + unloaded + (runner === null ? 0 : 1), skipped: skippedNames.length, failures: runner === null ? failures : [...failures, runner], skippedNames };
}

/** What went wrong beside the tests themselves. */
function runnerFailure(project: string, report: JestReport | null, testFailures: number, { code, output, ended }: RunnerEnd): string | null {
  const how = code ?? 'a signal';
  if (ended !== null) return `${project}: ${ended}`;
  if (report === null) return `${project}: the test runner ended with ${how} and no report\n${output.trimEnd()}`;
  if (testFailures > 0) return null;
  if (report.testResults.every(({ assertionResults }) => assertionResults.length === 0)) return `${project}: ran no test`;
  return code === 0 ? null : `${project}: every test passed, but the runner ended with ${how}\n${output.trimEnd()}`;
}
