import type { ServerResponse } from 'node:http';
import { attemptsHeader, responseHeaders, type AttemptRecord, type Decision } from '@belay/contract';
import { describeChainFailed } from '../core/attempt/describe-failures.ts';
import type { Ending } from '../core/attempt/protocol.ts';
import type { OwnError } from '../dialects/dialect.ts';
import { explainAnswer, explainChunk, ownErrorAnswer } from '../dialects/openai-chat/client/answer.ts';
import { streamEnd, streamErrorEvent } from '../dialects/openai-chat/client/stream.ts';
import type { Attempt } from './attempt.ts';
import { breakStream, endStream, headerText, openStream, sendWhole } from './client-answer.ts';
import { attemptRecord, outcomeOf, reasonOf } from './decision-record.ts';
import { recordDecision } from './plane.ts';
import type { RequestRun } from './request-run.ts';
import { commitStream } from './stream-body.ts';

/** The commit of a stream: status, headers and what was held go to the client. */
export function openCommitted(run: RequestRun, attempt: Attempt): void {
  if (run.response.destroyed) return;
  commitStream(attempt, openStream(run.response, belayHeaders(run, attempt)));
}

/** The last effect of a request: the rest of its answer, and its record. */
export function finishRequest(run: RequestRun, ending: Ending): void {
  const decision = decisionOf(run, ending);
  if (!run.response.destroyed) answer(run, ending, decision);
  recordDecision(run.plane, decision, new Map(run.targets.map(({ entry }) => [entry.name, entry.model])));
}

/** The error that a bug leaves a client with: never the bug's own words. */
export function crashResponse(response: ServerResponse, id: string): void {
  if (response.writableEnded) return;
  if (response.headersSent) return void response.destroy();
  const { status, headers, body } = ownErrorAnswer({ status: 500, type: 'server_error', code: 'internal_error', message: `Belay itself failed; its log says why. id ${id}`, retryAfterMs: null });
  sendWhole(response, status, headers, body);
}

function answer(run: RequestRun, ending: Ending, decision: Decision): void {
  const { response, committed } = run;
  switch (ending.type) {
    case 'answered':
      if (committed === null) throw new Error('answered without a commit');
      return run.plan.streamsToClient ? endCommitted(run, committed, decision) : sendUnary(run, committed, decision);
    case 'broken': {
      const { clock } = run.plane.options;
      const timedOut = clock.nowMs() - run.admittedMs >= run.plan.deadlineMs;
      const message = describeChainFailed(run.chain.entry.name, `${decision.target} broke off: ${ending.failure.detail}`, run.id);
      return breakStream(response, streamErrorEvent(message, timedOut ? 'deadline_exceeded' : 'upstream_stream_interrupted'), clock);
    }
    case 'failed': return sendFailure(run, ending);
    case 'client-gone': return void response.destroy();
  }
}

function endCommitted(run: RequestRun, attempt: Attempt, decision: Decision): void {
  const explained = run.explain ? [explainChunk(decision)] : [];
  endStream(run.response, [...explained, attempt.endBytes ?? streamEnd]);
}

function sendUnary(run: RequestRun, attempt: Attempt, decision: Decision): void {
  const body = attempt.answer ?? attempt.reader?.answer() ?? '';
  const headers = { ...belayHeaders(run, attempt), 'content-type': 'application/json' };
  sendWhole(run.response, 200, headers, run.explain ? explainAnswer(body, decision) : body);
}

function sendFailure(run: RequestRun, ending: Extract<Ending, { type: 'failed' }>): void {
  const { answer: theirs, status, retryAfterMs, reason } = ending;
  const chain = run.chain.entry.name;
  const own = ownErrorAnswer({ ...errorKind(status), status, message: describeChainFailed(chain, reason, run.id), retryAfterMs });
  const headers = { ...own.headers, ...belayHeaders(run, null) };
  if (theirs === null) return sendWhole(run.response, status, headers, own.body);
  const requestId: { [name: string]: string } = theirs.requestId === null ? {} : { 'x-request-id': headerText(theirs.requestId) };
  sendWhole(run.response, theirs.status, { ...headers, ...requestId, 'content-type': headerText(theirs.contentType) }, theirs.body);
}

/** OpenAI's `type` and `code` of an error that Belay words. */
export function errorKind(status: number): Pick<OwnError, 'type' | 'code'> {
  if (status === 429) return { type: 'rate_limit_error', code: 'all_targets_limited' };
  if (status === 504) return { type: 'server_error', code: 'deadline_exceeded' };
  if (status >= 500) return { type: 'server_error', code: 'all_targets_failed' };
  return { type: 'invalid_request_error', code: null };
}

/** Headers of every answer that a chain gave; `attempt`: the one whose bytes the client gets, null where none. */
function belayHeaders(run: RequestRun, attempt: Attempt | null): { [name: string]: string } {
  const records = recordsOf(run, attempt);
  const winner = attempt === null ? null : (records[attempt.number] ?? null);
  const reason = reasonOf(records, run.excluded, winner, run.note);
  const headers: { [name: string]: string } = {
    [responseHeaders.requestId]: run.id,
    [responseHeaders.chain]: headerText(run.chain.entry.name),
    [responseHeaders.attempts]: attemptsHeader(records),
    [responseHeaders.mode]: run.plan.mode.toLowerCase(),
    [responseHeaders.reason]: headerText(reason),
  };
  if (attempt === null) return headers;
  headers[responseHeaders.target] = headerText(attempt.planned.name);
  headers[responseHeaders.model] = headerText(servedModelOf(attempt));
  if (attempt.requestId !== null) headers['x-request-id'] = headerText(attempt.requestId);
  return headers;
}

function servedModelOf(attempt: Attempt): string {
  return attempt.servedModel ?? attempt.reader?.servedModel ?? attempt.planned.model;
}

function recordsOf(run: RequestRun, committed: Attempt | null): AttemptRecord[] {
  const nowMs = run.plane.options.clock.nowMs() - run.arrivedMs;
  return run.logs.map((log, number) => attemptRecord(log, number === committed?.number, nowMs));
}

function decisionOf(run: RequestRun, ending: Ending): Decision {
  const attempts = recordsOf(run, run.committed);
  return {
    id: run.id,
    at: run.arrivedAt,
    chain: run.chain.entry.name,
    model: run.request.model,
    mode: run.plan.mode,
    streamed: run.plan.streamsToClient,
    tableVersion: run.tableVersion,
    stale: run.chain.stale,
    outcome: outcomeOf(ending),
    status: statusOf(ending, run.committed),
    ...served(run, ending, attempts),
    attempts,
    excluded: run.excluded,
    totalMs: Math.round((run.plane.options.clock.nowMs() - run.arrivedMs) * 10) / 10,
  };
}

function statusOf(ending: Ending, committed: Attempt | null): number {
  if (ending.type === 'failed') return ending.answer?.status ?? ending.status;
  return committed === null ? 0 : 200;
}

/** What the record says of the attempt whose bytes the client got. */
function served(run: RequestRun, ending: Ending, attempts: readonly AttemptRecord[]): Pick<Decision, 'target' | 'servedModel' | 'reason' | 'firstContentMs' | 'usage'> {
  const { committed } = run;
  const winner = committed === null ? null : (attempts[committed.number] ?? null);
  const reason = endingWords(ending) ?? reasonOf(attempts, run.excluded, winner, run.note);
  if (committed === null || winner === null) return { target: null, servedModel: null, reason, firstContentMs: null, usage: null };
  const usage = committed.usage ?? committed.reader?.usage ?? null;
  return { target: winner.target, servedModel: servedModelOf(committed), reason, firstContentMs: winner.firstContentMs, usage };
}

function endingWords(ending: Ending): string | null {
  if (ending.type === 'broken') return ending.failure.detail;
  return ending.type === 'failed' ? ending.reason : null;
}
