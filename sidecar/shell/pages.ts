import { describeDecision, type Decision } from '@belay/contract';
import type { CompiledChain, CompiledTable } from '../core/plan/compiled-table.ts';
import { describeUnknownModel } from '../core/plan/describe-unknown-model.ts';
import { resolveChain } from '../core/plan/resolve-chain.ts';
import type { OwnError } from '../dialects/dialect.ts';
import { modelBody, modelListBody } from '../dialects/openai-chat/client/models.ts';
import { describeNoTable, type Plane } from './plane.ts';

export type Page = { readonly body: string } | { readonly error: OwnError };

/** GET /v1/models and /v1/models/M; null: another path. */
export function modelPage(plane: Plane, path: string): Page | null {
  const table = plane.table.current();
  if (path === '/v1/models') return { body: modelListBody(offered(table)) };
  if (!path.startsWith('/v1/models/')) return null;
  const model = decoded(path.slice('/v1/models/'.length));
  const chain = table === null ? null : resolveChain(table, model);
  if (chain !== null) return { body: modelBody({ id: model, chain: chain.entry.name }) };
  return { error: { status: 404, type: 'invalid_request_error', code: 'model_not_found', message: table === null ? describeNoTable(plane) : describeUnknownModel(table, model, plane.options.chains), retryAfterMs: null } };
}

/** GET /belay/decisions, /belay/health and /belay/table; null: another path. */
export function debugPage(plane: Plane, path: string, query: URLSearchParams): Page | null {
  switch (path) {
    case '/belay/decisions': return decisionsPage(plane, query.get('id'));
    case '/belay/health': return json(healthNow(plane));
    case '/belay/table': return json(plainTable(plane.table.current()));
    default: return null;
  }
}

function decisionsPage({ decisions }: Plane, id: string | null): Page {
  if (id === null) return json({ decisions: decisions.all().map(withSentence), troubled: decisions.troubled().map(withSentence) });
  const found = decisions.find(id);
  if (found !== null) return json(withSentence(found));
  return { error: { status: 404, type: 'invalid_request_error', code: 'decision_not_found', message: `No decision ${JSON.stringify(id)} is kept: it is older than the last 256, or of another pod.`, retryAfterMs: null } };
}

function withSentence(decision: Decision): Decision & { readonly sentence: string } {
  return { sentence: describeDecision(decision), ...decision };
}

function healthNow(plane: Plane): unknown {
  const table = plane.table.current();
  const nowMs = plane.options.clock.nowMs();
  return {
    tableVersion: table?.version ?? null,
    chains: [...(table?.chains.values() ?? [])].map((chain) => ({
      chain: chain.entry.name,
      stale: chain.stale,
      targets: chain.targets.map((target) => ({
        target: target.entry.name,
        model: target.entry.model,
        suspended: target.entry.suspended || target.provider.suspended,
        keyDelivered: target.provider.needsKey ? plane.table.keyFor(target) !== null : null,
        endpoint: plane.table.endpointFor(target)?.state ?? null,
        inFlight: plane.concurrency.inFlight(target.provider.name),
        ...plane.table.healthOf(target).view(nowMs),
      })),
    })),
  };
}

/** The table as it is served: it holds no keys. */
function plainTable(table: CompiledTable | null): unknown {
  if (table === null) return { version: null, chains: [], providers: [] };
  const chains = [...table.chains.values()];
  const providers = new Map(chains.flatMap(({ targets }) => targets.map(({ provider }) => [provider.name, provider])));
  return { version: table.version, namespace: table.namespace, providers: [...providers.values()], chains: chains.map(({ entry, stale }) => ({ ...entry, stale })) };
}

function offered(table: CompiledTable | null): { id: string; chain: string }[] {
  if (table === null) return [];
  return [...table.byModel].map(([id, chain]: [string, CompiledChain]) => ({ id, chain: chain.entry.name }));
}

function json(value: unknown): Page {
  return { body: JSON.stringify(value) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
