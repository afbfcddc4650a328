// A process of two OpenAI-compatible upstreams, primary and fallback, told over IPC how to behave. Plain TCP, because the
// faults must be exact (no listener, no headers, a reset in the middle of a stream) and the load must cost little here.
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { chunksPerStream, stampedText, type UpstreamMode, type UpstreamName } from './upstream-mode.ts';

const cutAfter = 8;
const streamHead = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n';
const prose = 'A gateway is judged by the day on which everything behind it fails. '.repeat(10);

interface Upstream {
  readonly name: UpstreamName;
  readonly sockets: Set<Socket>;
  /** Start of every chunk of a stream, up to the delta. */
  readonly opening: string;
  readonly whole: string;
  mode: UpstreamMode;
  server: Server;
  port: number;
}

const upstreams = { primary: await createUpstream('primary'), fallback: await createUpstream('fallback') };
process.on('message', ({ name, mode }: { readonly name: UpstreamName; readonly mode: UpstreamMode }) => {
  void setMode(upstreams[name], mode).then(() => process.send?.({ type: 'mode-set' }));
});
process.on('disconnect', () => process.exit(0));
process.send?.({ type: 'listening', ports: { primary: upstreams.primary.port, fallback: upstreams.fallback.port } });

async function createUpstream(name: UpstreamName): Promise<Upstream> {
  const about = `"id":"chatcmpl-bench","created":1767225600,"model":"bench-${name}"`;
  const body = `{${about},"object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"${name === 'primary' ? 'P' : 'F'}0@0 ${prose}"},"finish_reason":"stop"}],"usage":{"prompt_tokens":12,"completion_tokens":120,"total_tokens":132}}`;
  const upstream: Upstream = {
    name, sockets: new Set(), mode: { kind: 'well' }, server: createServer(), port: 0,
    opening: `{${about},"object":"chat.completion.chunk","choices":[{"index":0,"delta":`,
    whole: `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  };
  await listen(upstream);
  return upstream;
}

async function listen(upstream: Upstream): Promise<void> {
  upstream.server = createServer({ noDelay: true }, (socket) => accept(upstream, socket));
  await new Promise<void>((resolve) => upstream.server.listen(upstream.port, '127.0.0.1', 4_096, resolve));
  upstream.port = (upstream.server.address() as AddressInfo).port;
}

async function setMode(upstream: Upstream, mode: UpstreamMode): Promise<void> {
  const refused = upstream.mode.kind === 'refuses';
  upstream.mode = mode;
  if (refused && mode.kind !== 'refuses') await listen(upstream);
  if (refused || mode.kind !== 'refuses') return;
  const closed = new Promise((resolve) => upstream.server.close(resolve));
  for (const socket of upstream.sockets) socket.resetAndDestroy();
  await closed;
}

function accept(upstream: Upstream, socket: Socket): void {
  let pending = '';
  upstream.sockets.add(socket);
  socket.setEncoding('latin1');
  socket.on('close', () => upstream.sockets.delete(socket));
  socket.on('error', () => socket.destroy());
  socket.on('data', (text: string) => {
    pending += text;
    for (let end = requestEnd(pending); end !== null; end = requestEnd(pending)) {
      const request = pending.slice(0, end);
      pending = pending.slice(end);
      answer(upstream, socket, /"stream" ?: ?true/.test(request));
    }
  });
}

/** Where the first whole request ends; null: it is not whole. */
function requestEnd(text: string): number | null {
  const head = text.indexOf('\r\n\r\n');
  if (head < 0) return null;
  const fields = text.slice(0, head);
  const length = /\r\ncontent-length: *(\d+)/i.exec(fields);
  const last = length === null && /\r\ntransfer-encoding: *chunked/i.test(fields) ? text.indexOf('0\r\n\r\n', head + 4) : null;
  const end = last === null ? head + 4 + Number(length?.[1] ?? 0) : last < 0 ? Infinity : last + 5;
  return text.length >= end ? end : null;
}

function answer(upstream: Upstream, socket: Socket, stream: boolean): void {
  const { mode } = upstream;
  switch (mode.kind) {
    case 'silent': case 'refuses': return;
    case 'headers-then-silent': return void socket.write(streamHead);
    case 'role-then-silent': return void socket.write(streamHead + event(upstream, '{"role":"assistant","content":""}'));
    case 'status': {
      const body = JSON.stringify({ error: { message: `the bench answers ${mode.status}`, type: 'server_error', param: null, code: null } });
      const retry = mode.retryAfterSeconds === undefined ? '' : `retry-after: ${mode.retryAfterSeconds}\r\n`;
      return void socket.write(`HTTP/1.1 ${mode.status} Bench\r\ncontent-type: application/json\r\n${retry}content-length: ${body.length}\r\n\r\n${body}`);
    }
    case 'cut': return startStream(upstream, socket, { everyMs: 5, cut: true });
    case 'well': {
      const send = (): void => {
        if (stream) startStream(upstream, socket, { everyMs: mode.everyMs ?? 0, cut: false });
        else socket.write(upstream.whole);
      };
      if (mode.firstMs === undefined) send();
      else setTimeout(send, mode.firstMs);
    }
  }
}

function startStream(upstream: Upstream, socket: Socket, { everyMs, cut }: { readonly everyMs: number; readonly cut: boolean }): void {
  const startedMs = performance.now();
  let sent = 0;
  socket.write(streamHead + event(upstream, '{"role":"assistant","content":""}'));
  const step = (): void => {
    while (sent < chunksPerStream) {
      if (socket.destroyed) return;
      if (cut && sent === cutAfter) return void socket.resetAndDestroy();
      socket.write(event(upstream, `{"content":"${stampedText(upstream.name, sent)}"}`));
      sent++;
      if (everyMs > 0 && sent < chunksPerStream) return void setTimeout(step, Math.max(0, startedMs + sent * everyMs - performance.now()));
    }
    const usage = `${upstream.opening.slice(0, upstream.opening.indexOf('"choices"'))}"choices":[],"usage":{"prompt_tokens":12,"completion_tokens":${chunksPerStream},"total_tokens":${12 + chunksPerStream}}}`;
    socket.write(`${event(upstream, '{}', '"stop"')}${httpChunk(`data: ${usage}\n\n`)}${httpChunk('data: [DONE]\n\n')}0\r\n\r\n`);
  };
  step();
}

function event({ opening }: Upstream, delta: string, finish = 'null'): string {
  return httpChunk(`data: ${opening}${delta},"finish_reason":${finish}}]}\n\n`);
}

function httpChunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}
