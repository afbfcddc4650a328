import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { describeProblem, responseHeaders, type Decision, type ExcludedTarget } from '@belay/contract';
import { describeChainFailed } from '../core/attempt/describe-failures.ts';
import type { CompiledChain, CompiledTable } from '../core/plan/compiled-table.ts';
import { describeUnknownModel } from '../core/plan/describe-unknown-model.ts';
import { planRequest } from '../core/plan/plan-request.ts';
import type { PlanResult, RequestSettings } from '../core/plan/plan-types.ts';
import { parseRequestSettings } from '../core/plan/request-settings.ts';
import { resolveChain } from '../core/plan/resolve-chain.ts';
import type { ClientRequest, OwnError } from '../dialects/dialect.ts';
import { ownErrorAnswer } from '../dialects/openai-chat/client/answer.ts';
import { parseChatRequest } from '../dialects/openai-chat/client/request.ts';
import { headerText, sendWhole } from './client-answer.ts';
import { errorKind } from './finish-request.ts';
import { describeNoTable, recordDecision, type Plane } from './plane.ts';
import { readBody } from './read-body.ts';
import { runAttempts } from './run-attempts.ts';

/** Under way at once in one sidecar: more would not fit into the memory of its pod (control-plane: Security promises, 10). */
const mostRequests = 1_000;
const crowded: OwnError = {
  status: 429, type: 'rate_limit_error', code: 'requests_in_flight', retryAfterMs: 1_000,
  message: `This sidecar serves ${mostRequests} requests at once, and as many are under way. Try again in a second, or let more pods share them.`,
};

/** One POST /v1/chat/completions, from its body to the last byte of its answer. `onAccepted`: the body will be read. */
export async function serveChat(plane: Plane, request: IncomingMessage, response: ServerResponse, id: string, onAccepted: () => void): Promise<void> {
  const arrivedMs = plane.options.clock.nowMs();
  const arrivedAt = new Date(plane.options.wallClock()).toISOString();
  if (plane.requestsInFlight.count >= mostRequests) return sendOwnError(response, crowded, id);
  plane.requestsInFlight.count += 1;
  response.once('close', () => { plane.requestsInFlight.count -= 1; });
  const read = await readBody(request, plane.bytesInFlight, onAccepted);
  if (read.type === 'gone') return;
  if (read.type === 'refused') return sendOwnError(response, read.error, id);
  try {
    const parsed = parseChatRequest(read.body);
    if (!parsed.ok) return sendOwnError(response, badRequest(parsed.problems.map(describeProblem).join('; ')), id);
    const settings = parseRequestSettings(request.headers, parsed.value.settings);
    if (!settings.ok) return sendOwnError(response, badRequest(settings.problems.map(describeProblem).join('; ')), id);
    await admit({ plane, id, request: parsed.value, settings: settings.value, headers: request.headers, response, arrivedMs, arrivedAt });
  } finally {
    plane.bytesInFlight.release(read.bytes);
  }
}

/** An error in the client's dialect, with the request's id. */
export function sendOwnError(response: ServerResponse, error: OwnError, id: string, more: { readonly [name: string]: string } = {}): void {
  const { status, headers, body } = ownErrorAnswer(error);
  sendWhole(response, status, { ...headers, ...more, [responseHeaders.requestId]: id }, body);
}

interface Arrived {
  readonly plane: Plane;
  readonly id: string;
  readonly request: ClientRequest;
  readonly settings: RequestSettings;
  readonly headers: IncomingHttpHeaders;
  readonly response: ServerResponse;
  readonly arrivedMs: number;
  readonly arrivedAt: string;
}

async function admit(arrived: Arrived): Promise<void> {
  const { plane, request, response, id } = arrived;
  const table = plane.table.current();
  if (table === null) return sendOwnError(response, { ...errorKind(503), code: 'no_table', status: 503, message: describeNoTable(plane), retryAfterMs: 1_000 }, id);
  const chain = resolveChain(table, request.model);
  if (chain === null) return sendOwnError(response, { status: 404, type: 'invalid_request_error', code: 'model_not_found', message: describeUnknownModel(table, request.model, plane.options.chains), retryAfterMs: null }, id);
  let planned = plan(arrived, chain, false);
  if (planned.type === 'wait') {
    if (!await waited(arrived, planned.afterMs)) return recordUnserved(arrived, table, chain, planned.excluded, 0, 'the client left');
    planned = plan(arrived, chain, true);
  }
  if (planned.type === 'plan') {
    return runAttempts({ ...arrived, ...planned, chain, tableVersion: table.version, explain: arrived.settings.explain });
  }
  if (planned.type === 'rejected') return reject(arrived, table, chain, planned);
}

/** True once the time is over; false at once where the client leaves. */
function waited({ plane, response }: Arrived, afterMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const disarm = plane.options.clock.after(afterMs, () => {
      response.off('close', onClose);
      resolve(true);
    });
    const onClose = (): void => {
      disarm();
      resolve(false);
    };
    response.once('close', onClose);
  });
}

function plan({ plane, request, settings, headers }: Arrived, chain: CompiledChain, hasWaited: boolean): PlanResult {
  const nowMs = plane.options.clock.nowMs();
  const { traits } = request;
  return planRequest({
    chain,
    model: request.model,
    stream: request.stream,
    promptTokensEstimate: traits.promptTokensEstimate,
    maxOutputTokens: traits.maxOutputTokens,
    notRaceable: traits.notRaceable,
    reasons: traits.reasons,
    settings,
    clientTimeoutMs: secondsHeader(headers['x-stainless-timeout']),
    clientRetryCount: Number(headers['x-stainless-retry-count'] ?? 0) || 0,
    waited: hasWaited,
    now: (target) => ({
      health: plane.table.healthOf(target).view(nowMs),
      keyDelivered: plane.table.keyFor(target) !== null,
      endpoint: plane.table.endpointFor(target)?.state ?? null,
      endpointDetail: plane.table.endpointFor(target)?.detail ?? '',
      inFlight: plane.concurrency.inFlight(target.provider.name),
    }),
  });
}

/** `x-stainless-timeout` is in whole seconds; anything else says nothing. */
function secondsHeader(value: string | readonly string[] | undefined): number | null {
  const seconds = typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
  return Number.isFinite(seconds) && seconds > 0 ? Math.round(seconds * 1_000) : null;
}

function reject(arrived: Arrived, table: CompiledTable, chain: CompiledChain, rejected: Extract<PlanResult, { type: 'rejected' }>): void {
  const { response, id } = arrived;
  const { status, message, retryAfterMs, excluded } = rejected;
  const kind = status >= 500 ? { type: 'server_error', code: 'no_target_available' } : errorKind(status);
  sendOwnError(response, { ...kind, status, message: describeChainFailed(chain.entry.name, message, id), retryAfterMs }, id, { [responseHeaders.chain]: headerText(chain.entry.name) });
  recordUnserved(arrived, table, chain, excluded, status, message);
}

/** The record of a request for which no attempt was started. */
function recordUnserved(arrived: Arrived, table: CompiledTable, chain: CompiledChain, excluded: readonly ExcludedTarget[], status: number, reason: string): void {
  const { plane, request, settings } = arrived;
  const decision: Decision = {
    id: arrived.id, at: arrived.arrivedAt, chain: chain.entry.name, model: request.model,
    mode: settings.fallbackMode ?? chain.entry.fallbackMode, streamed: request.stream, tableVersion: table.version, stale: chain.stale,
    outcome: status === 0 ? 'ClientGone' : 'Failed', status, target: null, servedModel: null, reason, attempts: [], excluded,
    firstContentMs: null, totalMs: plane.options.clock.nowMs() - arrived.arrivedMs, usage: null,
  };
  recordDecision(plane, decision, new Map());
}

function badRequest(message: string): OwnError {
  return { status: 400, type: 'invalid_request_error', code: null, message, retryAfterMs: null };
}
