import { describeProblem } from '@belay/contract';
import { systemClock, systemRandom, systemWallClock } from '@belay/sidecar/shell/system-clock.ts';
import { coloursFor } from './colours.ts';
import type { LoadedConfiguration } from './configuration.ts';
import { loadInChild } from './load-in-child.ts';
import { createLogWriter } from './log-writer.ts';
import { runBelay } from './run-belay.ts';
import { parseRunOptions, type RawRunOptions } from './run-options.ts';
import { starterManifests, starterVariables } from './starter-manifests.ts';

/** `belay run` in this process: resolves to the exit code. */
export async function runCommand(raw: RawRunOptions, version: string): Promise<number> {
  const { env, stdout, stderr } = process;
  const colours = coloursFor(stderr, env);
  const terminal = stderr.isTTY === true;
  const complain = (line: string): void => void stderr.write(`${line}\n`);
  const options = parseRunOptions(raw, env);
  if (!options.ok) {
    for (const problem of options.problems) complain(`belay run: ${describeProblem(problem)}`);
    return 2;
  }
  const starter = options.value.paths.length > 0 ? null : starterManifests(env);
  if (options.value.paths.length === 0 && starter === null) {
    complain(`belay run: say with -f DIR where the manifests are, or set a provider's key to start with: ${starterVariables().join(', ')}`);
    return 2;
  }
  // A reader of the log that leaves ends no request.
  for (const stream of [stdout, stderr]) stream.on('error', ignoreClosedPipe);
  if (starter !== null) stdout.write(starter);
  const { paths, namespace } = options.value;
  const load = (): Promise<LoadedConfiguration> => loadInChild({ paths, starter, namespace }, env);
  // The data plane's code is read while the first load runs.
  const [first, { createSidecar }] = await Promise.all([load(), import('@belay/sidecar/shell/create-sidecar.ts')]);
  let isFirst = true;
  return runBelay(options.value, {
    version, env, complain,
    clock: systemClock, wallClock: systemWallClock, random: systemRandom,
    log: createLogWriter({ write: (text) => stderr.write(text), terminal, colours, wallClock: systemWallClock }),
    load: () => {
      const loading = isFirst ? Promise.resolve(first) : load();
      isFirst = false;
      return loading;
    },
    createSidecar,
    tell: terminal ? { write: (text) => stderr.write(text), colours } : null,
    onSignal: (callback) => (['SIGTERM', 'SIGINT'] as const).forEach((signal) => process.on(signal, callback)),
    exit: (code) => process.exit(code),
  });
}

function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}
