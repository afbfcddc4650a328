import type { Clock } from '@belay/contract';
import { failure } from '../core/failure/failure.ts';
import type { Fault } from './sidecar-options.ts';
import type { UpstreamCall, UpstreamListener } from './upstream.ts';

/** How long a rehearsed cut waits behind its first words. */
const beforeCutMs = 20;

/** What a rehearsed failure gives in place of a provider (`--fault`): the same calls that a real one would make. */
export function startFault(kind: Fault['kind'], streamed: boolean, clock: Clock, listener: UpstreamListener): UpstreamCall {
  let disarm = (): void => undefined;
  const idle = (): void => undefined;
  const type = streamed ? 'text/event-stream' : 'application/json';
  if (kind === 'refused') listener.failed(failure('Unreachable', 'connection refused'));
  else listener.connected();
  switch (kind) {
    case '500':
    case '429':
      listener.head(Number(kind), { 'content-type': 'application/json' });
      listener.data(bytes(JSON.stringify({ error: { message: `rehearsed ${kind}`, type: 'server_error', param: null, code: null } })));
      listener.end();
      break;
    case 'stall':
      listener.head(200, { 'content-type': type });
      if (streamed) listener.data(bytes(event({ role: 'assistant', content: '' })));
      break;
    case 'cut':
      listener.head(200, { 'content-type': type });
      listener.data(bytes(streamed ? event({ role: 'assistant', content: 'This answer is about to be cut' }) : '{"id":"rehearsed","object":"chat.completion","choices":[{"index":0,'));
      disarm = clock.after(beforeCutMs, () => listener.failed(failure('Transient', 'connection reset')));
      break;
    case 'silent':
    case 'refused':
      break;
  }
  return { pause: idle, resume: idle, cancel: () => disarm(), release: () => disarm() };
}

function event(delta: { readonly role: string; readonly content: string }): string {
  const chunk = { id: 'rehearsed', object: 'chat.completion.chunk', created: 0, model: 'rehearsed', choices: [{ index: 0, delta, finish_reason: null }] };
  return `data: ${JSON.stringify(chunk)}\n\n`;
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
