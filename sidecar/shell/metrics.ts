import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { AttemptRecord, Decision } from '@belay/contract';

/** What a scrape reads at that moment instead of being told. */
export interface MetricsNow {
  readonly tableVersion: string | null;
  readonly breakers: readonly { readonly chain: string; readonly target: string; readonly state: 'closed' | 'open' | 'half-open' }[];
}

/** Counts of one sidecar (api.md, Metrics). Label values come from resources, never from requests. */
export interface Metrics {
  /** A request is over. `models`: its targets' models as the table names them. */
  requestEnded(decision: Decision, models: ReadonlyMap<string, string>): void;
  hedge(chain: string, outcome: 'Granted' | 'Denied'): void;
  tableRejected(): void;
  bug(): void;
  /** Prometheus text format 0.0.4. */
  text(): Promise<string>;
  readonly contentType: string;
}

const secondsToContent = [0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 7.5, 10, 20, 30, 60];
const secondsOfOperation = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320, 600];

export function createMetrics(now: () => MetricsNow): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const counters = createCounters(registry);
  const failover = new Histogram({ name: 'belay_failover_seconds', help: 'Fault seen to the first content of the target that made it good.', labelNames: ['chain'], buckets: secondsToContent, registers });
  const genAi = ['gen_ai_operation_name', 'gen_ai_request_model', 'belay_chain', 'belay_target'];
  const operation = new Histogram({ name: 'gen_ai_client_operation_duration_seconds', help: 'Duration of one request, from arrival to its last byte.', labelNames: [...genAi, 'error_type'], buckets: secondsOfOperation, registers });
  const firstToken = new Histogram({ name: 'gen_ai_server_time_to_first_token_seconds', help: 'Start of the answering attempt to its first content.', labelNames: genAi, buckets: secondsToContent, registers });
  createGauges(registry, now);
  return {
    requestEnded(decision, models) {
      counters.requests.inc({ chain: decision.chain, target: decision.target ?? '', outcome: decision.outcome });
      for (const attempt of decision.attempts) countAttempt(counters, decision.chain, attempt);
      countFallbacks(counters.fallbacks, decision);
      const failoverMs = failoverOf(decision);
      if (failoverMs !== null) failover.observe({ chain: decision.chain }, failoverMs / 1_000);
      const labels = { gen_ai_operation_name: 'chat', gen_ai_request_model: models.get(decision.target ?? '') ?? '', belay_chain: decision.chain, belay_target: decision.target ?? '' };
      operation.observe({ ...labels, error_type: decision.outcome === 'Answered' ? '' : decision.outcome }, decision.totalMs / 1_000);
      const winner = decision.attempts.findLast(({ target, firstContentMs }) => target === decision.target && firstContentMs !== null);
      if (winner?.firstContentMs != null) firstToken.observe(labels, (winner.firstContentMs - winner.startedMs) / 1_000);
    },
    hedge: (chain, outcome) => counters.hedges.inc({ chain, outcome }),
    tableRejected: () => counters.rejected.inc(),
    bug: () => counters.bugs.inc(),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

type Counters = ReturnType<typeof createCounters>;

function createCounters(registry: Registry) {
  const counter = (name: string, help: string, labelNames: readonly string[] = []): Counter => new Counter({ name, help, labelNames, registers: [registry] });
  return {
    requests: counter('belay_requests_total', 'Requests by how they ended.', ['chain', 'target', 'outcome']),
    attempts: counter('belay_attempts_total', 'Attempts by how they ended: Ok, Cancelled, or the class of their failure.', ['chain', 'target', 'outcome', 'role']),
    fallbacks: counter('belay_fallbacks_total', 'Moves from a failed target to the next.', ['chain', 'from', 'to', 'reason']),
    hedges: counter('belay_hedges_total', 'Hedges asked for.', ['chain', 'outcome']),
    rejected: counter('belay_table_rejected_total', 'Routing tables that did not compile; the one before is served.'),
    bugs: counter('belay_internal_errors_total', 'Requests that ended in an error of Belay itself.'),
  };
}

function createGauges(registry: Registry, now: () => MetricsNow): void {
  new Gauge({
    name: 'belay_table_version_info', help: 'The served routing table.', labelNames: ['version'], registers: [registry],
    collect() {
      this.reset();
      const { tableVersion } = now();
      if (tableVersion !== null) this.set({ version: tableVersion }, 1);
    },
  });
  new Gauge({
    name: 'belay_breaker_state', help: 'Breaker of a target: 0 closed, 1 half-open, 2 open, or out for its key, model, quota or rate.', labelNames: ['chain', 'target'], registers: [registry],
    collect() {
      this.reset();
      for (const { chain, target, state } of now().breakers) this.set({ chain, target }, state === 'closed' ? 0 : state === 'half-open' ? 1 : 2);
    },
  });
}

function countAttempt({ attempts }: Counters, chain: string, { target, outcome, failure, role }: AttemptRecord): void {
  attempts.inc({ chain, target, outcome: failure === null ? outcome : failure.class, role });
}

/** One for each attempt that followed a failure of another target. */
function countFallbacks(fallbacks: Counter, { chain, attempts }: Decision): void {
  let failed: AttemptRecord | null = null;
  for (const attempt of attempts) {
    if (failed !== null && failed.target !== attempt.target && attempt.role !== 'Hedge') {
      fallbacks.inc({ chain, from: failed.target, to: attempt.target, reason: failed.failure?.class ?? '' });
    }
    if (attempt.failure !== null) failed = attempt;
  }
}

function failoverOf({ attempts, target, outcome }: Decision): number | null {
  if (outcome !== 'Answered') return null;
  const fault = attempts.find(({ outcome: ended }) => ended === 'Failed');
  const winner = attempts.findLast((attempt) => attempt.target === target && attempt.outcome === 'Ok');
  if (fault === undefined || winner?.firstContentMs == null) return null;
  return Math.max(0, winner.firstContentMs - fault.endedMs);
}
