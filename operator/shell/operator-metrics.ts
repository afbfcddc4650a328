import { Counter, Gauge, Registry } from 'prom-client';
import type { DistributorCounters } from './distributor/distributor-counters.ts';
import type { ReviewCounts } from './webhook/create-webhook.ts';

/** What a scrape reads of a running operator; null: it has not the role. */
export interface OperatorNow {
  readonly plane: ControlPlaneNow | null;
  readonly distributor: Readonly<DistributorCounters> | null;
  readonly reviews: ReviewCounts | null;
}

export interface ControlPlaneNow {
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
  /** Prometheus text format 0.0.4. */
  text(): Promise<{ readonly text: string; readonly contentType: string }>;
}

type Sample = readonly [value: number, labels?: Readonly<Record<string, string>>];
type Family = readonly [kind: typeof Gauge | typeof Counter, name: string, help: string, labels: readonly string[], read: (now: OperatorNow) => readonly Sample[]];

const ofPlane = (read: (plane: ControlPlaneNow) => number) => ({ plane }: OperatorNow): readonly Sample[] => (plane === null ? [] : [[read(plane)]]);
const ofDistributor = (read: (counters: Readonly<DistributorCounters>) => number) => ({ distributor }: OperatorNow): readonly Sample[] => (distributor === null ? [] : [[read(distributor)]]);
const byLabel = (label: string, values: Readonly<Record<string, number>>): readonly Sample[] => Object.entries(values).map(([name, value]) => [value, { [label]: name }] as const);

const families: readonly Family[] = [
  [Gauge, 'belay_operator_sidecars', 'Sidecars that are connected to this distributor.', [], ofPlane(({ sidecars }) => sidecars)],
  [Gauge, 'belay_operator_leader', '1 where this replica holds the lease.', [], ofPlane(({ leading }) => Number(leading))],
  [Gauge, 'belay_operator_namespaces', 'Namespaces that are compiled and published.', [], ofPlane(({ namespaces }) => namespaces)],
  [Counter, 'belay_operator_status_writes_total', 'Statuses written.', [], ofPlane(({ statusWrites }) => statusWrites)],
  [Gauge, 'belay_operator_injection_missing_pods', 'Pods that ask for a sidecar and have none.', [], ofPlane(({ podsWithoutSidecar }) => podsWithoutSidecar)],
  [Gauge, 'belay_operator_queue_depth', 'Namespaces that wait to be compiled.', [], ofPlane(({ queueDepth }) => queueDepth)],
  [Gauge, 'belay_operator_queue_oldest_seconds', 'How long the one that has waited longest has waited.', [], ofPlane(({ queueOldestMs }) => queueOldestMs / 1_000)],
  [Gauge, 'belay_operator_watch_silence_seconds', 'Since the API server last said anything about a kind, bookmarks included.', ['kind'],
    ({ plane }) => [...(plane?.silenceMs ?? [])].map(([kind, ms]) => [ms / 1_000, { kind }] as const)],
  [Counter, 'belay_distributor_streams_total', 'Streams that sidecars opened.', [], ofDistributor(({ streamsOpened }) => streamsOpened)],
  [Counter, 'belay_distributor_refused_total', 'Requests of sidecars that were refused, by status.', ['status'], ({ distributor }) => byLabel('status', distributor?.refused ?? {})],
  [Counter, 'belay_distributor_token_reviews_total', 'Tokens that the API server was asked about.', [], ofDistributor(({ reviews }) => reviews)],
  [Counter, 'belay_distributor_token_reviews_failed_total', 'Of these, those that it gave no answer to.', [], ofDistributor(({ reviewsFailed }) => reviewsFailed)],
  [Counter, 'belay_distributor_pushes_total', 'Snapshots sent.', ['type'], ({ distributor }) => byLabel('type', distributor?.pushes ?? {})],
  [Counter, 'belay_distributor_acks_total', 'Snapshots that sidecars took.', [], ofDistributor(({ acks }) => acks)],
  [Counter, 'belay_distributor_nacks_total', 'Snapshots that sidecars refused.', [], ofDistributor(({ nacks }) => nacks)],
  [Counter, 'belay_distributor_turned_away_total', 'Connections that were closed before TLS.', [], ofDistributor(({ turnedAway }) => turnedAway)],
  [Counter, 'belay_webhook_reviews_total', 'Pods that were reviewed, by what became of them.', ['outcome'], ({ reviews }) => byLabel('outcome', reviews ?? {})],
];

/** Counts of one operator process. Label values are kinds and outcomes, never what anybody wrote. */
export function createOperatorMetrics(now: () => OperatorNow): OperatorMetrics {
  const registry = new Registry();
  for (const [kind, name, help, labelNames, read] of families) {
    new kind({
      name, help, labelNames, registers: [registry],
      collect(this: Gauge | Counter) {
        this.reset();
        for (const [value, labels = {}] of read(now())) this.inc(labels, value);
      },
    });
  }
  return { text: async () => ({ text: await registry.metrics(), contentType: registry.contentType }) };
}
