// The application of a pod under test: it calls OPENAI_BASE_URL with the real SDK, as its own environment has it.
// `GET /ask?text=…[&model=…][&stream=1][&tokens=…]` asks once and answers with what came; with arguments (`ask TEXT [MODEL]`) it asks
// once, prints the same JSON and ends: exit 0 where there was an answer. With LOAD_EVERY_MS it asks on by itself, one
// request after the other with so many milliseconds between them, for each model of MODEL (a list) beside the others:
// `GET /load` tells what came of it, `?forget` starts anew.
import { createServer } from 'node:http';
import OpenAI from 'openai';

interface Asked {
  readonly text: string;
  readonly model: string;
  readonly stream: boolean;
  /** At most so many; MAX_TOKENS by default. */
  readonly tokens?: number;
}

/** What the application saw. `status` 0: no HTTP answer at all. */
interface Answer {
  readonly status: number;
  /** Beside an error: what had come of a stream before it. */
  readonly text: string;
  readonly error?: string;
  /** Headers of Belay. */
  readonly headers: Readonly<Record<string, string>>;
  readonly ms: number;
}

const models = (process.env['MODEL'] ?? 'chat').split(',');
const defaultModel = models[0] ?? 'chat';
const maxTokens = Number(process.env['MAX_TOKENS'] ?? 32);
const [command, text, model] = process.argv.slice(2);
if (command === 'ask') {
  const answer = await ask({ text: text ?? 'Say hello.', model: model ?? defaultModel, stream: true });
  console.log(JSON.stringify(answer));
  process.exit(answer.error === undefined ? 0 : 1);
}
let load = newLoad();
if (process.env['LOAD_EVERY_MS'] !== undefined) for (const name of models) void askOn(name, Number(process.env['LOAD_EVERY_MS']));
const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://application');
  if (url.pathname === '/load') {
    response.setHeader('content-type', 'application/json').end(JSON.stringify(load));
    if (url.searchParams.has('forget')) load = newLoad();
    return;
  }
  if (url.pathname !== '/ask') return void response.end('ok\n');
  const asked = { text: url.searchParams.get('text') ?? 'Say hello.', model: url.searchParams.get('model') ?? defaultModel, stream: url.searchParams.has('stream'), tokens: Number(url.searchParams.get('tokens') ?? maxTokens) };
  void ask(asked).then((answer) => response.setHeader('content-type', 'application/json').end(JSON.stringify(answer)));
});
server.listen(Number(process.env['PORT'] ?? 8080), '0.0.0.0');
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(0));

/** What came of asking on. Per target, in milliseconds since the Unix epoch: when it answered first, and when the last request that it answered was sent. */
interface Load {
  answered: number;
  readonly failures: string[];
  longestMs: number;
  readonly firstMs: Record<string, number>;
  readonly lastSentMs: Record<string, number>;
}

function newLoad(): Load {
  return { answered: 0, failures: [], longestMs: 0, firstMs: {}, lastSentMs: {} };
}

async function askOn(name: string, pauseMs: number): Promise<never> {
  for (;;) {
    const sentMs = Date.now();
    const { error, headers, ms } = await ask({ text: 'Say hello.', model: name, stream: false });
    if (error === undefined) load.answered += 1;
    else if (load.failures.length < 100) load.failures.push(error);
    load.longestMs = Math.max(load.longestMs, ms);
    const target = headers['x-belay-target'] ?? 'none';
    load.firstMs[target] ??= Date.now();
    load.lastSentMs[target] = sentMs;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

async function ask({ text: content, model: name, stream, tokens = maxTokens }: Asked): Promise<Answer> {
  const started = performance.now();
  const since = (): number => Math.round(performance.now() - started);
  const client = new OpenAI({ maxRetries: 0, timeout: 60_000 });
  const body = { model: name, messages: [{ role: 'user' as const, content }], max_tokens: tokens };
  let told = '';
  try {
    if (!stream) {
      const { data, response } = await client.chat.completions.create(body).withResponse();
      return { status: response.status, text: data.choices[0]?.message.content ?? '', headers: headersOf(response.headers), ms: since() };
    }
    const { data, response } = await client.chat.completions.create({ ...body, stream: true }).withResponse();
    for await (const chunk of data) told += chunk.choices[0]?.delta.content ?? '';
    return { status: response.status, text: told, headers: headersOf(response.headers), ms: since() };
  } catch (error) {
    const { status = 0, headers, message } = error as InstanceType<typeof OpenAI.APIError>;
    return { status, text: told, error: message, headers: headersOf(headers), ms: since() };
  }
}

function headersOf(headers: Headers | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries([...(headers ?? new Headers())].filter(([name]) => name.startsWith('x-belay-')));
}
