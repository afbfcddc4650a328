import type { Decision } from '@belay/contract';
import type { ActiveTable } from './active-table.ts';
import type { Concurrency } from './concurrency.ts';
import type { ConnectionPools } from './connection-pool.ts';
import type { Decisions } from './decisions.ts';
import type { Metrics } from './metrics.ts';
import type { BytesInFlight } from './read-body.ts';
import type { ReportCounts } from './report-counts.ts';
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
  /** Requests under way; more than `mostRequests` are refused. */
  readonly requestsInFlight: { count: number };
  readonly metrics: Metrics;
  /** What the operator is told. */
  readonly counts: ReportCounts;
  readonly decisions: Decisions;
  /** `POD.counter`. */
  nextId(): string;
}

/** A request is over: kept, and counted. `models`: its targets' models as the table names them. */
export function recordDecision({ decisions, metrics, counts }: Plane, decision: Decision, models: ReadonlyMap<string, string>): void {
  decisions.record(decision);
  metrics.requestEnded(decision, models);
  counts.requestEnded(decision);
}

/** A bug at a request's boundary: logged with its cause, and counted. */
export function reportBug({ options, metrics }: Plane, id: string, error: unknown): void {
  const cause = error instanceof Error ? (error.stack ?? error.message) : String(error);
  metrics.bug();
  options.log({ level: 'error', event: 'request-crashed', message: `Belay itself failed at request ${id}; please report this.`, id, cause });
}

/** One sentence, or two, for whoever asks before a table is served. */
export function describeNoTable({ options }: Plane): string {
  return `No routing table has arrived yet${options.whyNoTable === undefined ? '' : `: ${options.whyNoTable()}`}.`;
}
