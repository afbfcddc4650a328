// `npm run check`: what every commit must pass, in under a minute.
import { addTotals, describeTotals } from './print-step.ts';
import { runCheck } from './run-check.ts';

const totals = addTotals(await runCheck());
console.log(describeTotals(totals));
process.exit(totals.failed === 0 ? 0 : 1);
