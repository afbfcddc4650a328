import { Gauge, Registry } from 'prom-client';

/** What a scrape reads of a running operator. */
export interface OperatorNow {
  readonly sidecars: number;
  readonly leading: boolean;
  readonly namespaces: number;
  readonly statusWrites: number;
  readonly podsWithoutSidecar: number;
  readonly queueDepth: number;
  readonly queueOldestMs: number;
  readonly silenceMs: ReadonlyMap<string, number>;
}

export interface OperatorMetrics {
  text(): Promise<{ readonly text: string; readonly contentType: string }>;
}

type Simple = Exclude<keyof OperatorNow, 'silenceMs'>;

const gauges: readonly (readonly [string, string, Simple, number])[] = [
  ['belay_operator_sidecars', 'Sidecars that are connected to this distributor.', 'sidecars', 1],
  ['belay_operator_leader', '1 where this replica holds the lease.', 'leading', 1],
  ['belay_operator_namespaces', 'Namespaces that are compiled and published.', 'namespaces', 1],
  ['belay_operator_status_writes', 'Statuses written since this process started.', 'statusWrites', 1],
  ['belay_operator_injection_missing_pods', 'Pods that ask for a sidecar and have none.', 'podsWithoutSidecar', 1],
  ['belay_operator_queue_depth', 'Namespaces that wait to be compiled.', 'queueDepth', 1],
  ['belay_operator_queue_oldest_seconds', 'How long the one that has waited longest has waited.', 'queueOldestMs', 1_000],
];

/** Counts of one operator process; label values are kinds, never what anybody wrote. */
export function createOperatorMetrics(now: () => OperatorNow): OperatorMetrics {
  const registry = new Registry();
  for (const [name, help, member, divisor] of gauges) {
    new Gauge({ name, help, registers: [registry], collect() { this.set(Number(now()[member]) / divisor); } });
  }
  new Gauge({
    name: 'belay_operator_watch_silence_seconds', help: 'Since the API server last said anything about a kind, bookmarks included.', labelNames: ['kind'], registers: [registry],
    collect() {
      this.reset();
      for (const [kind, ms] of now().silenceMs) this.set({ kind }, ms / 1_000);
    },
  });
  return { text: async () => ({ text: await registry.metrics(), contentType: registry.contentType }) };
}
