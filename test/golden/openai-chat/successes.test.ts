import { expect, test } from '@jest/globals';
import OpenAI from 'openai';
import type { EventKind, StreamEvent } from '@belay/sidecar/dialects/dialect.ts';
import type { Failure } from '@belay/sidecar/core/failure/failure.ts';
import { streamErrorEvent } from '@belay/sidecar/dialects/openai-chat/client/stream.ts';
import { checkUnaryAnswer, streamOfAnswer } from '@belay/sidecar/dialects/openai-chat/upstream/answer.ts';
import { createChatStreamReader, type StreamReaderOptions } from '@belay/sidecar/dialects/openai-chat/upstream/stream.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { chatSuccesses, describeRecorded, type Recording } from './recordings.ts';

const { streams, answers } = chatSuccesses();
const encoder = new TextEncoder();
const named = (list: readonly Recording[]): [string, Recording][] => list.map((recording) => [recording.name, recording]);

/** Streams that their provider did not end well: the class of what they end in. */
const breaks: { readonly [name: string]: Failure['class'] } = {
  'groq/sse-error-mid-stream-tool-use-failed.json': 'Content',
  'llamacpp-live/sse-sigterm-midstream.json': 'Transient',
};
/** Streams whose tool calls SDKs would lose, or which never name a role: those events are mended. */
const mended = new Set([
  'mistral/vercel-ai/mistral-tool-call.chunks.txt',
  'mistral/vercel-ai/mistral-incremental-tool-call.chunks.txt',
]);
const whole = streams.filter(({ name }) => breaks[name] === undefined);

interface Read {
  readonly events: readonly StreamEvent[];
  readonly failure: Failure | null;
  readonly answer: () => { [name: string]: unknown };
  readonly usage: unknown;
}

function read(chunks: readonly Uint8Array[], options: Partial<StreamReaderOptions> = {}): Read {
  const reader = createChatStreamReader({ preset: null, stripUsage: false, unary: false, ...options });
  const events = chunks.flatMap((chunk) => reader.push(chunk).events);
  return { events, failure: reader.end(), answer: () => JSON.parse(reader.answer()) as { [name: string]: unknown }, usage: reader.usage };
}

const joined = (events: readonly StreamEvent[]): string => Buffer.concat(events.map(({ bytes }) => bytes)).toString();
const kinds = (events: readonly StreamEvent[]): EventKind[] => events.map(({ kind }) => kind);

function split(bytes: Uint8Array, size: () => number): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const next = at + size();
    chunks.push(bytes.slice(at, next));
    at = next;
  }
  return chunks;
}

/** What the real SDK makes of a stream. */
async function sdkAnswer(sse: string): Promise<OpenAI.Chat.Completions.ChatCompletion> {
  const client = new OpenAI({ apiKey: 'none', baseURL: 'http://127.0.0.1:9/v1', maxRetries: 0, fetch: async () => Promise.resolve(new Response(sse, { headers: { 'content-type': 'text/event-stream' } })) });
  return client.chat.completions.stream({ model: 'm', messages: [] }).finalChatCompletion();
}

interface Summary { readonly index: number; readonly content: unknown; readonly refusal: unknown; readonly finish: unknown; readonly calls: unknown }

function summary(answer: object): Summary[] {
  const { choices } = answer as { choices: { index: number; finish_reason: string; message: { content?: unknown; refusal?: unknown; tool_calls?: { id: string; function: { name: string; arguments: string } }[] } }[] };
  return choices.map(({ index, finish_reason: finish, message }) => ({
    index, finish,
    content: message.content ?? '',
    refusal: message.refusal ?? null,
    calls: (message.tool_calls ?? []).map(({ id, function: { name, arguments: args } }) => ({ id, name, args })),
  }));
}

describeRecorded('the recordings', () => {
  test('are all there', () => {
    expect(streams.length).toBeGreaterThanOrEqual(28);
    expect(answers.length).toBeGreaterThanOrEqual(40);
  });
});

describeRecorded('a recorded stream', () => {
  test.each(named(streams))('%s is handed on as it came', (name, { body }) => {
    const { events, failure } = read([encoder.encode(body)]);
    expect(failure?.class).toBe(breaks[name]);
    if (mended.has(name)) expect(joined(events)).not.toBe(body);
    else if (failure === null) expect(joined(events)).toBe(body);
    else expect(body.startsWith(joined(events))).toBe(true);
  });

  test.each(named(streams))('%s is the same in any chunking', (_, { body }) => {
    const bytes = encoder.encode(body);
    const once = read([bytes]);
    const random = seededRandom(7);
    const chunkings = [() => 1, () => 2, () => 1 + Math.floor(random() * 400), () => 1 + Math.floor(random() * 20)];
    for (const size of chunkings) {
      const again = read(split(bytes, size));
      expect(kinds(again.events)).toEqual(kinds(once.events));
      expect(joined(again.events)).toBe(joined(once.events));
      expect(again.failure).toEqual(once.failure);
    }
  });

  test.each(named(streams))('%s, ended by CRLF or CR and without a space, means the same', (_, { body }) => {
    const once = read([encoder.encode(body)], { unary: true });
    for (const newline of ['\r\n', '\r']) {
      const other = read(split(encoder.encode(`\ufeff${body.replaceAll('\r\n', '\n').replaceAll('data: ', 'data:').replaceAll('\n', newline)}`), () => 7), { unary: true });
      expect(kinds(other.events)).toEqual(kinds(once.events));
      if (once.failure === null) expect(other.answer()).toEqual(once.answer());
    }
  });

  test.each(named(whole))('%s, cut at any event, fails before its finish and is whole behind it', (_, { body }) => {
    const { events } = read([encoder.encode(body)]);
    const finish = events.findIndex(({ kind }) => kind === 'Finish');
    const last = events.findLastIndex(({ kind }) => kind === 'Finish');
    for (let cut = 0; cut <= events.length; cut++) {
      const { failure } = read([encoder.encode(joined(events.slice(0, cut)))]);
      if (cut <= finish) expect(failure).toMatchObject({ class: 'Transient' });
      if (cut > last) expect(failure).toBeNull();
    }
  });

  test.each(named(streams))('%s shows content only where there is some', (_, { body }) => {
    const { events } = read([encoder.encode(body)]);
    const first = events.findIndex(({ kind }) => kind === 'Content' || kind === 'Finish');
    const before = joined(events.slice(0, first === -1 ? events.length : first));
    expect(before).not.toMatch(/"(content|refusal|name)":"[^"]/);
    expect(joined(events.slice(first, first + 1))).toMatch(/"(content|text|name)": ?"[^"]/);
  });

  test.each(named(whole))('%s is gathered as the real SDK gathers it', async (_, { body }) => {
    const { events } = read([encoder.encode(body)]);
    const { answer, usage } = read([encoder.encode(body)], { unary: true });
    if (body.includes('"thinking"')) return;
    const theirs = await sdkAnswer(joined(events));
    expect(summary(answer())).toEqual(summary(theirs).sort((a, b) => a.index - b.index));
    expect(answer()).toMatchObject({ model: theirs.model, object: 'chat.completion' });
    if (theirs.usage) expect(answer()['usage']).toEqual(theirs.usage);
    if (theirs.usage) expect(usage).toMatchObject({ promptTokens: theirs.usage.prompt_tokens });
  });

  test.each(named(whole))('%s, broken after content, is an error to the real SDK', async (_, { body }) => {
    const { events } = read([encoder.encode(body)]);
    const finish = events.findIndex(({ kind }) => kind === 'Finish');
    for (const cut of new Set([1, Math.ceil(finish / 2), finish])) {
      const sse = joined(events.slice(0, cut)) + new TextDecoder().decode(streamErrorEvent('broke off'));
      await expect(sdkAnswer(sse)).rejects.toMatchObject({ code: 'upstream_stream_interrupted' });
    }
  });

  test('that holds usage for nobody loses that chunk alone', () => {
    const recording = streams.find(({ name }) => name === 'openai-chat/sse-text-include-usage.json');
    const { events } = read([encoder.encode(recording?.body ?? '')], { stripUsage: true });
    expect(kinds(events).filter((kind) => kind === 'Withheld')).toHaveLength(1);
    expect(joined(events.filter(({ kind }) => kind === 'Withheld'))).toContain('"choices":[]');
  });
});

describeRecorded('a recorded answer', () => {
  const context = { preset: null, wallNowMs: 0, promptBytes: 0 };

  test.each(named(answers))('%s is good, and its bytes stay', (_, { status, headers, body }) => {
    const { usage, model } = JSON.parse(body) as { usage: { prompt_tokens: number }; model: string };
    expect(checkUnaryAnswer({ status, headers, body }, context)).toMatchObject({ body, servedModel: model, usage: { promptTokens: usage.prompt_tokens } });
  });

  test.each(named(answers))('%s as a stream, gathered again, is itself', (_, { body }) => {
    const stream = streamOfAnswer(body, { includeUsage: true });
    const gathered = read([stream], { unary: true });
    expect(gathered.failure).toBeNull();
    expect(kinds(gathered.events).slice(0, 2)).toEqual(['Content', 'Finish']);
    const { object: _object, ...original } = JSON.parse(body) as { object: unknown; choices: { delta?: unknown; message: { tool_calls?: { index?: number }[] } }[] };
    for (const choice of original.choices) {
      delete choice.delta;
      for (const call of choice.message.tool_calls ?? []) delete call.index;
    }
    expect(gathered.answer()).toMatchObject(original);
    expect(gathered.answer()).toMatchObject({ object: 'chat.completion' });
  });

  test.each(named(answers))('%s as a stream is read by the real SDK', async (_, { body }) => {
    if (body.includes('"thinking"')) return;
    const theirs = await sdkAnswer(new TextDecoder().decode(streamOfAnswer(body, { includeUsage: true })));
    expect(summary(theirs)).toEqual(summary(JSON.parse(body) as object));
  });

  test.each(named(answers))('%s, cut short, is a failure', (_, { status, headers, body }) => {
    expect(checkUnaryAnswer({ status, headers, body: body.slice(0, body.length / 2) }, context)).toMatchObject({ class: 'Transient', detail: 'a body that is not JSON' });
  });
});
