// Asks `belay run` every case of practice: `npm run cases [-- FILE|FOLDER …] [--only TEXT] [--jobs N]`. One line a case.
import { parseArgs, styleText } from 'node:util';
import { caseFiles, casesFolder, readCaseFile, whySkipped, type Case } from '../test/support/cases/case-file.ts';
import { runCase } from '../test/support/cases/run-case.ts';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { only: { type: 'string' }, jobs: { type: 'string', default: '2' } } });
const totals = { passed: 0, failed: 0, skipped: 0 };

function print(mark: string, one: { readonly id: string; readonly title: string }, note: string): void {
  console.log(`${mark} ${one.id.padEnd(34)} ${note.padStart(8)}  ${styleText('dim', one.title)}`);
}

async function judge(one: Case): Promise<void> {
  const reason = whySkipped(one);
  if (reason !== null) {
    totals.skipped++;
    print(styleText('yellow', '▲'), one, 'skipped');
    return console.log(styleText('yellow', `    ${reason}`));
  }
  const { complaints, ms } = await runCase(one);
  totals[complaints.length === 0 ? 'passed' : 'failed']++;
  print(complaints.length === 0 ? styleText('green', '✔') : styleText('red', '✖'), one, `${(ms / 1000).toFixed(1)} s`);
  for (const complaint of complaints) console.log(styleText('red', `    ${complaint}`));
}

try {
  const places = [...(positionals.length > 0 && process.env['BELAY_CASES'] === undefined ? [] : [casesFolder()]), ...positionals];
  const cases = places.flatMap(caseFiles).map(readCaseFile).filter(({ id }) => values.only === undefined || id.includes(values.only));
  const queue = [...cases];
  const jobs = Math.max(1, Number(values.jobs) || 1);
  await Promise.all(Array.from({ length: jobs }, async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await judge(next);
  }));
  console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
  process.exitCode = totals.failed > 0 || cases.length === 0 ? 1 : 0;
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 2;
}
