// The application of a pod under test: it calls OPENAI_BASE_URL with the real SDK, as its own environment has it.
// `GET /ask?text=…[&model=…][&stream=1]` asks once and answers with what came; with arguments (`ask TEXT [MODEL]`) it asks
// once, prints the same JSON and ends: exit 0 where there was an answer.
import { createServer } from 'node:http';
import OpenAI from 'openai';

interface Asked {
  readonly text: string;
  readonly model: string;
  readonly stream: boolean;
}

/** What the application saw. `status` 0: no HTTP answer at all. */
interface Answer {
  readonly status: number;
  readonly text: string;
  readonly error?: string;
  /** Headers of Belay. */
  readonly headers: Readonly<Record<string, string>>;
  readonly ms: number;
}

const defaultModel = process.env['MODEL'] ?? 'chat';
const [command, text, model] = process.argv.slice(2);
if (command === 'ask') {
  const answer = await ask({ text: text ?? 'Say hello.', model: model ?? defaultModel, stream: true });
  console.log(JSON.stringify(answer));
  process.exit(answer.error === undefined ? 0 : 1);
}
const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://application');
  if (url.pathname !== '/ask') return void response.end('ok\n');
  const asked = { text: url.searchParams.get('text') ?? 'Say hello.', model: url.searchParams.get('model') ?? defaultModel, stream: url.searchParams.has('stream') };
  void ask(asked).then((answer) => response.setHeader('content-type', 'application/json').end(JSON.stringify(answer)));
});
server.listen(Number(process.env['PORT'] ?? 8080), '0.0.0.0');
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(0));

async function ask({ text: content, model: name, stream }: Asked): Promise<Answer> {
  const started = performance.now();
  const since = (): number => Math.round(performance.now() - started);
  const client = new OpenAI({ maxRetries: 0, timeout: 60_000 });
  const body = { model: name, messages: [{ role: 'user' as const, content }], max_tokens: 32 };
  try {
    if (!stream) {
      const { data, response } = await client.chat.completions.create(body).withResponse();
      return { status: response.status, text: data.choices[0]?.message.content ?? '', headers: headersOf(response.headers), ms: since() };
    }
    const { data, response } = await client.chat.completions.create({ ...body, stream: true }).withResponse();
    let told = '';
    for await (const chunk of data) told += chunk.choices[0]?.delta.content ?? '';
    return { status: response.status, text: told, headers: headersOf(response.headers), ms: since() };
  } catch (error) {
    const { status = 0, headers, message } = error as InstanceType<typeof OpenAI.APIError>;
    return { status, text: '', error: message, headers: headersOf(headers), ms: since() };
  }
}

function headersOf(headers: Headers | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries([...(headers ?? new Headers())].filter(([name]) => name.startsWith('x-belay-')));
}
