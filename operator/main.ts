import { createJsonLog, describeProblem } from '@belay/contract';
import { runCleanup } from './shell/cleanup.ts';
import { runOperator } from './shell/run-operator.ts';
import { describeFlags, parseSettings } from './shell/settings.ts';
import { systemClock, systemRandom, systemWallClock } from './shell/system-clock.ts';

process.exitCode = await main(process.argv.slice(2));

/** Resolves to the exit code: 0 after SIGTERM, 1 where it cannot begin or clean up, 2 for wrong flags. */
async function main(args: readonly string[]): Promise<number> {
  const settings = parseSettings(args, process.env);
  if (!settings.ok) {
    process.stderr.write(`operator: ${settings.problems.map(describeProblem).join('; ')}.\n`);
    return 2;
  }
  if (settings.value === null) {
    process.stdout.write(describeFlags());
    return 0;
  }
  const log = createJsonLog(settings.value.logLevel, systemWallClock, (text) => void process.stdout.write(text));
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      log({ level: 'info', event: 'operator-stopping', message: `${signal} was received` });
      stop.abort();
    });
  }
  try {
    await (settings.value.cleanup ? runCleanup : runOperator)({ settings: settings.value, env: process.env, clock: systemClock, wallClock: systemWallClock, random: systemRandom, log }, stop.signal);
    return 0;
  } catch (error) {
    process.stderr.write(`operator: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}
