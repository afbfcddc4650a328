import type { ActiveTable } from './active-table.ts';
import type { Concurrency } from './concurrency.ts';
import type { ConnectionPools } from './connection-pool.ts';
import type { Decisions } from './decisions.ts';
import type { Metrics } from './metrics.ts';
import type { BytesInFlight } from './read-body.ts';
import type { SidecarOptions } from './sidecar-options.ts';

/** What all requests of one sidecar share. */
export interface Plane {
  readonly options: SidecarOptions;
  readonly table: ActiveTable;
  readonly pools: ConnectionPools;
  readonly concurrency: Concurrency;
  /** Targets that refused to stream, by health key (routing rule 3). */
  readonly unaryOnly: Set<string>;
  readonly bytesInFlight: BytesInFlight;
  readonly metrics: Metrics;
  readonly decisions: Decisions;
  /** `POD.counter`. */
  nextId(): string;
}

/** A bug at a request's boundary: logged with its cause, and counted. */
export function reportBug({ options, metrics }: Plane, id: string, error: unknown): void {
  const cause = error instanceof Error ? (error.stack ?? error.message) : String(error);
  metrics.bug();
  options.log({ level: 'error', event: 'request-crashed', message: `Belay itself failed at request ${id}; please report this.`, id, cause });
}
