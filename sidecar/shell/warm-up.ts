import { createServer, request as send, type Server, type ServerResponse } from 'node:http';
import type { RoutingTable } from '@belay/contract';
import { createSidecar } from './create-sidecar.ts';
import type { SidecarOptions } from './sidecar-options.ts';

const loopback = '127.0.0.1';
/** What does not come back by then is left: nothing waits for it. */
const limitMs = 2_000;
const question = { model: 'warm', messages: [{ role: 'user', content: 'warm' }] };
const words = ['data: {"id":"w","object":"chat.completion.chunk","created":0,"model":"warm","choices":[{"index":0,"delta":{"role":"assistant","content":"warm"},"finish_reason":null}]}\n\n',
  'data: {"id":"w","object":"chat.completion.chunk","created":0,"model":"warm","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n', 'data: [DONE]\n\n'];
const whole = '{"id":"w","object":"chat.completion","created":0,"model":"warm","choices":[{"index":0,"message":{"role":"assistant","content":"warm"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}';

/**
 * Runs code that was never run before on made-up requests: a sidecar of its own on a free port of loopback, before a made-up provider, asked twice. What it
 * counts and learns goes with it. Resolves to the status of each answer; 0 where none came. Rejects where it cannot listen.
 */
export async function warmUp({ clock, wallClock, random }: Pick<SidecarOptions, 'clock' | 'wallClock' | 'random'>): Promise<readonly number[]> {
  const provider = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text)).on('end', () => answer(body, response));
  });
  const scratch = createSidecar({
    address: loopback, port: 0, adminAddress: loopback, adminPort: 0, podName: 'warm', standalone: true, allowOrigins: [], clientKey: null, faults: [], clock, wallClock, random, log: () => undefined,
  });
  const disarm = clock.after(limitMs, () => void provider.closeAllConnections());
  try {
    scratch.applyTable(tableOf(await listening(provider)));
    const { port, adminPort } = await scratch.listen();
    return [await ask(port, true), await ask(port, false), await finish(send({ host: loopback, port: adminPort, path: '/metrics', agent: false }))];
  } finally {
    disarm();
    await scratch.close(0);
    provider.close();
    provider.closeAllConnections();
  }
}

function answer(body: string, response: ServerResponse): void {
  const streamed = body.includes('"stream":true');
  response.writeHead(200, { 'content-type': streamed ? 'text/event-stream' : 'application/json' });
  response.end(streamed ? words.join('') : whole);
}

function ask(port: number, stream: boolean): Promise<number> {
  const request = send({ host: loopback, port, method: 'POST', path: '/v1/chat/completions', agent: false, headers: { 'content-type': 'application/json' } });
  request.write(JSON.stringify({ ...question, stream }));
  return finish(request);
}

function finish(request: ReturnType<typeof send>): Promise<number> {
  let status = 0;
  return new Promise((resolve) => {
    request.on('response', (response) => {
      status = response.statusCode ?? 0;
      response.resume();
    });
    request.on('error', () => resolve(0)).on('close', () => resolve(status)).end();
  });
}

function listening(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(0, loopback, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

function tableOf(port: number): RoutingTable {
  return {
    schemaVersion: 1, version: 'warm', namespace: 'warm',
    providers: [{
      name: 'warm', preset: null, dialect: 'OpenAI', address: `http://${loopback}:${port}/v1`, inCluster: true, allowInsecureHTTP: true, needsKey: false, suspended: false, failureDomain: 'warm', cancellation: 'Unknown',
      timeouts: { connectMs: null, firstContentMs: null, idleMs: null }, headers: [], caCertificates: [], concurrency: null,
    }],
    chains: [{
      name: 'warm', modelNames: ['warm'], fallbackMode: 'Sequential', latencyBudgetMs: null, deadlineMs: limitMs, retries: 0, egress: 'Any',
      targets: [{ name: 'warm', provider: 'warm', model: 'warm', tier: 'Primary', contextTokens: null, suspended: false }],
      race: { prefer: 'Primary', hedgeDelayMs: null, extraRequests: 0 }, rateLimitWaitUpToMs: 0, unroutable: null,
    }],
  };
}
