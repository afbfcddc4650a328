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
  /** Parts that only some files need: those are left out where the part is missing. */
  readonly someNeed?: { readonly part: SetupPart; readonly files: string };
  readonly args: readonly string[];
}

const suites: readonly Suite[] = [
  { name: 'check', project: null, needs: [], args: [] },
  { name: 'house', project: 'house', needs: [], args: [] },
  { name: 'golden', project: 'golden', needs: [], args: [] },
  { name: 'simulation', project: 'simulation', needs: [], args: [] },
  { name: 'data-plane', project: 'data-plane', needs: ['build'], someNeed: { part: 'llama', files: 'local-tier' }, args: ['--runInBand'] },
  { name: 'crds', project: 'crds', needs: ['kubernetes'], args: ['--runInBand'] },
  { name: 'kube', project: 'kube', needs: ['kubernetes'], args: ['--runInBand'] },
  { name: 'chart', project: 'chart', needs: ['kubernetes'], args: ['--runInBand'] },
  { name: 'operator', project: 'operator', needs: ['kubernetes'], args: ['--runInBand'] },
];

const started = Date.now();
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !suites.some((suite) => suite.name === name));
if (unknown.length > 0) {
  console.error(`There is no suite ${unknown.join(', ')}: ${suites.map(({ name }) => name).join(', ')} are the suites, and all of them the default.`);
  process.exit(2);
}
const chosen = suites.filter(({ name }) => asked.length === 0 || asked.includes(name));
const setups = startSetups([...new Set(chosen.flatMap(({ needs, someNeed }) => [...needs, ...(someNeed === undefined ? [] : [someNeed.part])]))]);
const results: SuiteResult[] = [];
for (const suite of chosen) results.push(...(await runSuite(suite)));
const totals = addTotals([...results, ...(await setups.failures())]);
const seconds = Math.round((Date.now() - started) / 1000);
console.log(`\nAll suites took ${Math.floor(seconds / 60)} min ${seconds % 60} s.`);
if (totals.passed === 0) console.log('Nothing ran, and that is no success.');
console.log(describeTotals(totals));
process.exit(totals.failed === 0 && totals.passed > 0 ? 0 : 1);

async function runSuite({ name, project, needs, someNeed, args }: Suite): Promise<SuiteResult[]> {
  if (project === null) return runCheck();
  if (needs.length > 0) await setups.quiet();
  const obstacle = await setups.obstacle(needs);
  if (obstacle !== null) return [print(name, notRun(`all of ${name}`, obstacle))];
  const lack = someNeed === undefined ? null : await setups.obstacle([someNeed.part]);
  if (someNeed === undefined || lack === null) return [print(name, await runJest(project, args))];
  const rest = await runJest(project, [...args, `--testPathIgnorePatterns=${someNeed.files}`]);
  return [print(name, rest), print(name, notRun(`${name}/${someNeed.files}`, lack))];
}

function print(name: string, result: SuiteResult): SuiteResult {
  printStep(name, result);
  return result;
}

/** What could not run counts as skipped once, and never quietly. */
function notRun(what: string, why: string): SuiteResult {
  return { passed: 0, failed: 0, skipped: 1, seconds: 0, failures: [], skippedNames: [`${what}: ${why}`] };
}
