import type { LogLine } from '@belay/sidecar/shell/sidecar-options.ts';
import type { Configuration, LoadConfiguration } from './configuration.ts';

export interface ReloadOptions {
  readonly load: LoadConfiguration;
  readonly log: (line: LogLine) => void;
  /** What is served now. */
  readonly current: Configuration;
  /** Serves it, or says why not and changes nothing. */
  readonly take: (configuration: Configuration) => readonly string[] | null;
}

/**
 * A function that loads again and serves what came of it; manifests that cannot be served are said and change nothing.
 * Calls during a load are answered by one more load after it.
 */
export function createReload({ load, log, current, take }: ReloadOptions): () => void {
  let served = current;
  let running = false;
  let wanted = false;

  const once = async (): Promise<void> => {
    const loaded = await load();
    if (!loaded.ok) return sayRefused(loaded.problems, served, log);
    const refusal = take(loaded.value);
    if (refusal !== null) return sayRefused(refusal, served, log);
    const unchanged = loaded.value.table.version === served.table.version;
    served = loaded.value;
    const what = unchanged ? 'the changed manifests route as before' : 'the changed manifests are served from the next request on';
    log({ level: 'info', event: 'manifests-reloaded', message: what, version: served.table.version });
    for (const message of served.warnings) log({ level: 'warn', event: 'manifest-warned', message });
  };
  const run = async (): Promise<void> => {
    running = true;
    while (wanted) {
      wanted = false;
      try {
        await once();
      } catch (error) {
        log({ level: 'error', event: 'manifests-refused', message: `the manifests could not be read again: ${error instanceof Error ? error.message : String(error)}` });
      }
    }
    running = false;
  };
  return () => {
    wanted = true;
    if (!running) void run();
  };
}

function sayRefused(problems: readonly string[], served: Configuration, log: ReloadOptions['log']): void {
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  log({ level: 'error', event: 'manifests-refused', message: `the changed manifests have ${count}; what was served before is served on`, version: served.table.version });
  for (const message of problems) log({ level: 'error', event: 'manifest-refused', message });
}
