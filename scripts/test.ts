// `npm test`: every suite that can run on this machine. Long set-up runs beside the fast suites; what measures time
// waits until the machine is quiet again. The last line adds up all suites.
import { runCheck } from './run-check.ts';
import { addTotals, describeTotals, printStep } from './print-step.ts';
import { runJest, type SuiteResult } from './run-jest.ts';
import { startSetups } from './start-setups.ts';
import type { SetupPart } from './setup-parts.ts';

interface Suite {
  readonly name: string;
  /** A project of jest.config.mjs; null: the steps of `npm run check`, unit tests among them. */
  readonly project: string | null;
  readonly needs: readonly SetupPart[];
  readonly args: readonly string[];
}

const suites: readonly Suite[] = [
  { name: 'check', project: null, needs: [], args: [] },
  { name: 'house', project: 'house', needs: [], args: [] },
  { name: 'golden', project: 'golden', needs: [], args: [] },
  { name: 'simulation', project: 'simulation', needs: [], args: [] },
  { name: 'data-plane', project: 'data-plane', needs: ['build', 'llama'], args: ['--runInBand'] },
  { name: 'crds', project: 'crds', needs: ['kubernetes'], args: ['--runInBand'] },
];

const started = Date.now();
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !suites.some((suite) => suite.name === name));
if (unknown.length > 0) {
  console.error(`There is no suite ${unknown.join(', ')}: ${suites.map(({ name }) => name).join(', ')} are the suites, and all of them the default.`);
  process.exit(2);
}
const chosen = suites.filter(({ name }) => asked.length === 0 || asked.includes(name));
const setups = startSetups([...new Set(chosen.flatMap(({ needs }) => needs))]);
const results: SuiteResult[] = [];
for (const suite of chosen) results.push(...(await runSuite(suite)));
const totals = addTotals([...results, ...(await setups.failures())]);
const seconds = Math.round((Date.now() - started) / 1000);
console.log(`\nAll suites took ${Math.floor(seconds / 60)} min ${seconds % 60} s.`);
console.log(describeTotals(totals));
process.exit(totals.failed === 0 ? 0 : 1);

async function runSuite({ name, project, needs, args }: Suite): Promise<SuiteResult[]> {
  if (project === null) return runCheck();
  if (needs.length > 0) await setups.quiet();
  const obstacle = await setups.obstacle(needs);
  const result = obstacle === null ? await runJest(project, args) : notRun(name, obstacle);
  printStep(name, result);
  return [result];
}

/** A suite that could not run counts as skipped once, and never quietly. */
function notRun(name: string, why: string): SuiteResult {
  return { passed: 0, failed: 0, skipped: 1, seconds: 0, failures: [], skippedNames: [`all of ${name}: ${why}`] };
}
