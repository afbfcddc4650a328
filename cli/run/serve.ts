import { describeProblem } from '@belay/contract';
import type { LogLine, Sidecar } from '@belay/sidecar/shell/sidecar-options.ts';
import type { LocalTier, LocalTierOptions } from '../local-tier/local-tier.ts';
import type { Configuration, LoadConfiguration } from './configuration.ts';
import type { ManifestWatcher } from './manifest-watcher.ts';
import { describeFault } from './parse-fault.ts';
import { createReload } from './reload.ts';
import type { RunOptions } from './run-options.ts';

export interface ServeDependencies {
  readonly log: (line: LogLine) => void;
  readonly load: LoadConfiguration;
  readonly createSidecar: () => Sidecar;
  readonly createLocalTier: (options: Pick<LocalTierOptions, 'onEndpoints'>) => LocalTier;
  readonly watch: (onChange: () => void) => ManifestWatcher;
}

export interface Served {
  readonly configuration: Configuration;
  readonly port: number;
  readonly adminPort: number;
  /** Ends running requests within `graceMs`, then the local servers. */
  close(graceMs: number): Promise<void>;
}

/** Why nothing is served: lines for people. */
export interface NotServed {
  readonly problems: readonly string[];
}

/** Loads, listens and serves; with `--watch` takes every later change that can be served. */
export async function serve(options: RunOptions, dependencies: ServeDependencies): Promise<Served | NotServed> {
  const { log, load, createSidecar, createLocalTier, watch } = dependencies;
  const loaded = await load();
  if (!loaded.ok) return { problems: loaded.problems };
  const configuration = loaded.value;
  const hopeless = whyNotServable(configuration, options);
  if (hopeless !== null) return { problems: [...configuration.warnings, ...hopeless] };

  const sidecar = createSidecar();
  const localTier = createLocalTier({ onEndpoints: (endpoints) => sidecar.applyEndpoints(endpoints) });
  const refusal = apply(configuration, sidecar, localTier);
  if (refusal !== null) return { problems: refusal };
  for (const warning of configuration.warnings) log({ level: 'warn', event: 'manifest-warned', message: warning });
  warnOfFaults(options, log);

  let ports;
  try {
    ports = await sidecar.listen();
  } catch (error) {
    await localTier.close();
    return { problems: [describeListenError(error, options)] };
  }
  const reload = createReload({ load, log, current: configuration, take: (next) => apply(next, sidecar, localTier) });
  const watcher = options.watch ? watch(reload) : null;
  return {
    configuration,
    ...ports,
    async close(graceMs) {
      watcher?.close();
      await sidecar.close(graceMs);
      await localTier.close();
    },
  };
}

/** Hands a configuration to what serves it; problems where the sidecar refuses the table, and then nothing changed. */
function apply({ table, keys, localModels }: Configuration, sidecar: Sidecar, localTier: LocalTier): readonly string[] | null {
  const applied = sidecar.applyTable(table);
  if (!applied.ok) return applied.problems.map(describeProblem);
  sidecar.applyKeys(keys);
  localTier.apply(localModels);
  return null;
}

/** null where at least one chain has a target that may answer. */
function whyNotServable({ table, localModels }: Configuration, { modelDir, faults }: RunOptions): readonly string[] | null {
  const targets = new Set(table.chains.flatMap((chain) => chain.targets.map(({ name }) => name)));
  const stray = faults.filter(({ target }) => !targets.has(target));
  if (stray.length > 0) return stray.map(({ target }) => `--fault: no chain has a target ${target}; the targets are ${[...targets].sort().join(', ')}`);
  const routable = table.chains.filter(({ unroutable }) => unroutable === null);
  if (table.chains.length === 0) return [`namespace ${table.namespace} has no FallbackChain: there is nothing to serve`];
  if (routable.length === 0) return table.chains.map(({ name, unroutable }) => `chain ${name} cannot be served: ${unroutable}`);
  const local = new Set(localModels.map(({ name }) => name));
  if (modelDir === null && routable.every((chain) => chain.targets.every(({ provider }) => local.has(provider)))) {
    return [`every target is a local model (${[...local].sort().join(', ')}): say with --model-dir DIR where the model files lie`];
  }
  return null;
}

function warnOfFaults({ faults }: RunOptions, log: ServeDependencies['log']): void {
  if (faults.length === 0) return;
  log({ level: 'warn', event: 'faults-enabled', message: `FAULTS ARE ON, requests will fail on purpose: ${faults.map(describeFault).join('; ')}`, faults });
}

function describeListenError(error: unknown, { address, port, adminPort }: RunOptions): string {
  const found = systemErrorIn(error);
  const message = error instanceof Error ? error.message : String(error);
  if (found === null) return message;
  const taken = found.port ?? port;
  const flag = taken === adminPort && taken !== port ? '--admin-port' : '--port';
  if (found.code === 'EADDRINUSE') return `port ${taken} is in use: choose another with ${flag}, or ${flag} 0 for any free one`;
  if (found.code === 'EACCES') return `port ${taken} may not be opened by this user: choose one above 1023 with ${flag}`;
  if (found.code === 'EADDRNOTAVAIL') return `this machine has no address ${address}: choose one of its own with --listen`;
  return message;
}

function systemErrorIn(error: unknown): { readonly code: string; readonly port: number | undefined } | null {
  if (!(error instanceof Error)) return null;
  const { code, port, cause } = error as Error & { readonly code?: unknown; readonly port?: unknown };
  return typeof code === 'string' ? { code, port: typeof port === 'number' ? port : undefined } : systemErrorIn(cause);
}
