import type { IncomingHttpHeaders } from 'node:http';
import type { EndpointEntry, ProviderEntry } from '@belay/contract';
import { failure, type Failure } from '../core/failure/failure.ts';
import type { CompiledTarget } from '../core/plan/compiled-table.ts';
import { upstreamHeaders } from '../dialects/openai-chat/upstream/headers.ts';
import { upstreamRequest } from '../dialects/openai-chat/upstream/request.ts';
import { addressProblem } from './address-guard.ts';
import { fail, type Attempt } from './attempt.ts';
import { startFault } from './fault.ts';
import type { Plane } from './plane.ts';
import { readAnswer } from './read-answer.ts';
import { startUpstream, type UpstreamListener } from './upstream.ts';

/** Sends one attempt. Address and key are read now, not when the request was planned. */
export function startAttempt(plane: Plane, attempt: Attempt, headers: IncomingHttpHeaders): void {
  const { target, planned } = attempt;
  const streamed = planned.streamed && !attempt.unaryOnly.has(target.healthKey);
  const listener = planned.local ? forgivingLoading(readAnswer(attempt)) : readAnswer(attempt);
  attempt.resendUnary = () => send(plane, attempt, headers, false, readAnswer(attempt));
  const rehearsed = plane.options.faults.find((fault) => fault.target === target.entry.name);
  if (rehearsed !== undefined && plane.options.random() < rehearsed.share) {
    attempt.call = startFault(rehearsed.kind, streamed, attempt.clock, listener);
    return;
  }
  send(plane, attempt, headers, streamed, listener);
}

function send(plane: Plane, attempt: Attempt, headers: IncomingHttpHeaders, streamed: boolean, listener: UpstreamListener): void {
  const { target, planned, request } = attempt;
  const found = destination(plane, target);
  if ('class' in found) return fail(attempt, found);
  const { path, body } = upstreamRequest(request, { model: planned.model, stream: streamed, preset: target.provider.preset });
  const key = target.provider.needsKey ? plane.table.keyFor(target) : null;
  const secret = planned.local ? plane.options.localKey : key?.secret;
  attempt.keyVersion = key?.version ?? null;
  attempt.call = startUpstream(plane.pools.poolFor(found, target.provider), {
    url: new URL(found.pathname.replace(/\/+$/, '') + path + found.search, found),
    body,
    headers: {
      ...upstreamHeaders(headers),
      ...ownHeaders(target.provider),
      'accept': streamed ? 'text/event-stream' : 'application/json',
      'accept-encoding': 'identity',
      'content-type': 'application/json',
      'content-length': String(body.length),
      ...(secret === undefined ? {} : { authorization: `Bearer ${secret.reveal()}` }),
    },
  }, attempt.clock, listener);
}

/** The base URL to dial, or why it is not dialled. */
function destination(plane: Plane, target: CompiledTarget): URL | Failure {
  const { provider } = target;
  const address = provider.address.startsWith('local:') ? readyUrl(plane.table.endpointFor(target)) : provider.address;
  if (address === null) return failure('Loading', 'loading');
  if (provider.needsKey && plane.table.keyFor(target) === null) return failure('Auth', 'no key delivered');
  const url = new URL(address);
  const problem = addressProblem(url, provider, plane.options.standalone);
  return problem === null ? url : failure('Unreachable', problem);
}

function readyUrl(endpoint: EndpointEntry | null): string | null {
  return endpoint?.state === 'Ready' ? endpoint.url : null;
}

/** A local server that refuses is starting or being restarted: not an outage (routing rule 4, Loading). */
function forgivingLoading(listener: UpstreamListener): UpstreamListener {
  return {
    ...listener,
    failed: (reason) => listener.failed(reason.class === 'Unreachable' ? { ...reason, class: 'Loading', detail: 'loading' } : reason),
  };
}

function ownHeaders({ headers }: ProviderEntry): { [name: string]: string } {
  return Object.fromEntries(headers.map(({ name, value }) => [name.toLowerCase(), value]));
}
