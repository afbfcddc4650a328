// `npm run setup [PART…]`: what takes long and is kept for the next time. `npm test` does the same beside its fast suites,
// each part `--alone`: what it stands on is ready then.
import { parseArgs } from 'node:util';
import { MissingPart, missingPartExitCode } from './missing-part.ts';
import { isSetupPart, prerequisites, setupParts, setUp } from './setup-parts.ts';

const { values: { alone }, positionals: asked } = parseArgs({ options: { alone: { type: 'boolean', default: false } }, allowPositionals: true });
const unknown = asked.filter((name) => !isSetupPart(name));
if (unknown.length > 0) {
  console.error(`There is no part ${unknown.join(', ')} to set up: ${setupParts.join(', ')} are the parts, and all of them the default.`);
  process.exit(2);
}
const wanted = asked.filter(isSetupPart).flatMap((part) => [...(alone ? [] : (prerequisites[part] ?? [])), part]);
for (const part of new Set(asked.length > 0 ? wanted : setupParts)) {
  try {
    const started = Date.now();
    await setUp(part, (line) => console.log(`${part}: ${line}`));
    console.log(`${part}: ready after ${((Date.now() - started) / 1000).toFixed(1)} s`);
  } catch (error) {
    console.error((error as Error).message);
    process.exit(error instanceof MissingPart ? missingPartExitCode : 1);
  }
}
