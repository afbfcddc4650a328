import { describeProblem } from '@belay/contract';
import { createJsonLog } from './shell/json-log.ts';
import { describeFlags, parseSettings } from './shell/settings.ts';
import { startOperator } from './shell/start-operator.ts';
import { systemClock, systemRandom, systemWallClock } from './shell/system-clock.ts';

const settings = parseSettings(process.argv.slice(2), process.env);
if (!settings.ok) {
  process.stderr.write(`operator: ${settings.problems.map(describeProblem).join('; ')}\n`);
  process.exit(2);
}
if (settings.value === null) {
  process.stdout.write(describeFlags());
  process.exit(0);
}

const log = createJsonLog(settings.value.logLevel, systemWallClock, (text) => void process.stdout.write(text));
try {
  const operator = await startOperator({ settings: settings.value, env: process.env, clock: systemClock, wallClock: systemWallClock, random: systemRandom, log });
  const stop = (signal: NodeJS.Signals): void => {
    log({ level: 'info', event: 'operator-stopping', message: `${signal} was received` });
    void operator.stop().then(() => process.exit(0), fail);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stop);
} catch (error) {
  fail(error);
}

/** What nothing in the operator expects: it starts anew. */
function fail(error: unknown): void {
  process.stderr.write(`operator: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
