import { styleText } from 'node:util';
import type { SuiteResult, Totals } from './run-jest.ts';

/** One line: mark, name, counts, time; then each failure in full and the name of each skipped test. */
export function printStep(name: string, result: SuiteResult): void {
  const { passed, failed, skipped, seconds, failures, skippedNames } = result;
  const mark = failed > 0 ? styleText('red', '✖') : skipped > 0 ? styleText('yellow', '▲') : styleText('green', '✔');
  const counts = passed + failed + skipped === 1 ? '' : describeTotals(result);
  console.log(`${mark} ${name.padEnd(18)} ${seconds.toFixed(1).padStart(6)} s  ${counts}`.trimEnd());
  for (const failure of failures) console.log(`\n${failure}\n`);
  for (const skippedName of skippedNames) console.log(styleText('yellow', `  SKIPPED ${skippedName}`));
}

export function describeTotals({ passed, failed, skipped }: Totals): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

export function addTotals(results: readonly Totals[]): Totals {
  return results.reduce((sum, { passed, failed, skipped }) => ({ passed: sum.passed + passed, failed: sum.failed + failed, skipped: sum.skipped + skipped }), { passed: 0, failed: 0, skipped: 0 });
}
