import { request as httpRequest, type IncomingMessage } from 'node:http';
import OpenAI from 'openai';
import { createOutcome, type Outcome, type OutcomeBuilder } from './chat-outcome.ts';

export interface ChatRequest {
  /** `http://127.0.0.1:7411/v1`. */
  readonly baseUrl: string;
  /** Default: `/chat/completions`. */
  readonly path?: string;
  readonly body: { readonly [field: string]: unknown } | string;
  readonly headers?: { readonly [name: string]: string };
  /** Send the body in chunks, without a length. */
  readonly chunked?: boolean;
  readonly abortAfterMs?: number;
  /** Leave when so many events have come. */
  readonly abortAfterEvents?: number;
}

/** One chat request over a connection of its own, with nothing between it and the bytes. Never rejects. */
export function sendChat(chat: ChatRequest): Promise<Outcome> {
  const text = typeof chat.body === 'string' ? chat.body : JSON.stringify(chat.body);
  const url = new URL(chat.baseUrl + (chat.path ?? '/chat/completions'));
  return new Promise((resolve) => {
    const outcome = createOutcome();
    let aborted = false;
    const settle = (how: 'whole' | 'broken'): void => {
      clearTimeout(timer);
      resolve(outcome.finish(aborted ? 'aborted' : how));
    };
    const request = httpRequest(url, {
      method: 'POST', agent: false,
      headers: { 'content-type': 'application/json', ...(chat.chunked === true ? {} : { 'content-length': Buffer.byteLength(text) }), ...chat.headers },
    }, (answer) => {
      outcome.head(answer.statusCode ?? 0, plainHeaders(answer));
      answer.on('data', (part: Buffer) => {
        outcome.bytes(part);
        if (chat.abortAfterEvents !== undefined && outcome.count() >= chat.abortAfterEvents) abort();
      });
      answer.on('end', () => settle('whole'));
      answer.on('error', () => settle('broken'));
    });
    const abort = (): void => {
      aborted = true;
      request.destroy();
    };
    const timer = chat.abortAfterMs === undefined ? undefined : setTimeout(abort, chat.abortAfterMs);
    request.on('error', () => settle('broken'));
    request.on('close', () => settle('broken'));
    if (chat.chunked === true) for (let from = 0; from < text.length; from += 1024) request.write(text.slice(from, from + 1024));
    request.end(chat.chunked === true ? undefined : text);
  });
}

/** What the real SDK made of an answer, beside what came over the wire. */
export interface SdkOutcome extends Outcome {
  /** What the SDK threw; null: nothing. */
  readonly thrown: Error | null;
  /** HTTP requests that the SDK made, its own retries included. */
  readonly sent: number;
}

export interface SdkOptions {
  readonly maxRetries?: number;
  readonly timeout?: number;
}

/**
 * The same request with the `openai` package as an application uses it: its own retries, its own reading of the stream.
 * The outcome is that of its last HTTP answer; `text` is what the SDK handed to the application.
 */
export async function sendWithSdk(chat: ChatRequest, options: SdkOptions = {}): Promise<SdkOutcome> {
  const abort = new AbortController();
  const whole = createOutcome();
  const wire = recordingFetch();
  const client = new OpenAI({ baseURL: chat.baseUrl, apiKey: 'sk-of-the-app', fetch: wire.fetch, defaultHeaders: chat.headers ?? {}, ...options });
  const timer = chat.abortAfterMs === undefined ? undefined : setTimeout(() => abort.abort(), chat.abortAfterMs);
  const said = { text: '' };
  let thrown: Error | null = null;
  try {
    await complete(client, chat, abort, said);
  } catch (error) {
    thrown = error as Error;
  }
  clearTimeout(timer);
  const answered = thrown === null || (thrown instanceof OpenAI.APIError && thrown.status !== undefined);
  const last = wire.outcome().finish(abort.signal.aborted ? 'aborted' : answered ? 'whole' : 'broken');
  const { ms } = whole.finish('whole');
  const firstContentMs = last.firstContentMs === null ? null : last.firstContentMs + ms - last.ms;
  return { ...last, text: said.text, ms, firstContentMs, thrown, sent: wire.sent() };
}

async function complete(client: OpenAI, chat: ChatRequest, abort: AbortController, said: { text: string }): Promise<void> {
  const body = (typeof chat.body === 'string' ? JSON.parse(chat.body) : chat.body) as unknown as OpenAI.ChatCompletionCreateParams;
  const answer = await client.chat.completions.create(body, { signal: abort.signal });
  if (!(Symbol.asyncIterator in answer)) return void (said.text = answer.choices[0]?.message.content ?? '');
  let events = 0;
  for await (const chunk of answer) {
    said.text += chunk.choices[0]?.delta.content ?? '';
    if (++events === chat.abortAfterEvents) abort.abort();
  }
}

interface RecordingFetch {
  readonly fetch: typeof fetch;
  readonly outcome: () => OutcomeBuilder;
  readonly sent: () => number;
}

/** `fetch`, with an outcome kept of its last answer. */
function recordingFetch(): RecordingFetch {
  let outcome = createOutcome();
  let sent = 0;
  return {
    outcome: () => outcome,
    sent: () => sent,
    fetch: async (input, init) => {
      sent++;
      const current = (outcome = createOutcome());
      const answer = await fetch(input, init);
      current.head(answer.status, Object.fromEntries(answer.headers));
      if (answer.body === null) return answer;
      const tap = new TransformStream<Uint8Array, Uint8Array>({
        transform: (part, controller) => {
          current.bytes(part);
          controller.enqueue(part);
        },
      });
      return new Response(answer.body.pipeThrough(tap), { status: answer.status, headers: answer.headers });
    },
  };
}

function plainHeaders(answer: IncomingMessage): { [name: string]: string } {
  return Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : String(value)]));
}
