import { afterEach, describe, expect, test } from '@jest/globals';
import { Agent, get } from 'node:http';
import { sendChat, sendWithSdk } from './chat-client.ts';
import { createStandIn, type StandIn } from './stand-in.ts';
import { readAttempt } from './stand-in-script.ts';

const open: StandIn[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((standIn) => standIn.close()));
});

async function standIn(...script: readonly unknown[]): Promise<StandIn> {
  const made = await createStandIn({ name: 'A', script: script.map((entry, index) => readAttempt(entry, `A[${index}]`)) });
  open.push(made);
  return made;
}

const ask = (to: StandIn, more: object = {}, options: object = {}) =>
  sendChat({ baseUrl: `${to.origin}/v1`, body: { model: 'm', messages: [{ role: 'user', content: 'Say it.' }], ...more }, ...options });
const streamed = { stream: true };
const items = [{ role: true }, { text: 'Alpha ' }, { text: 'one' }, { finish: 'stop' }, { usage: 'asked' }, { done: true }];

describe('a script means what it says', () => {
  test('say answers whole, and word by word where a stream is asked for', async () => {
    const a = await standIn({ say: 'Alpha one two' });
    expect(await ask(a)).toMatchObject({ status: 200, text: 'Alpha one two', end: 'json', finish: 'stop', models: ['model-of-a'], json: { id: 'chatcmpl-A1' } });
    const answer = await ask(a, streamed);
    expect(answer).toMatchObject({ status: 200, text: 'Alpha one two', end: 'normal', finish: 'stop', done: 1, usageChunks: 0 });
    expect(answer.events).toHaveLength(6);
    expect(await ask(a, { ...streamed, stream_options: { include_usage: true } })).toMatchObject({ usageChunks: 1, emptyChoices: 1, usage: { total_tokens: 18 } });
  });

  test('one that has a key answers others 401, and its script waits', async () => {
    const a = await createStandIn({ name: 'A', script: [{ say: 'Alpha' }, { say: 'Beta' }], key: 'sk-right' });
    open.push(a);
    expect(await ask(a, {}, { headers: { authorization: 'Bearer sk-wrong' } })).toMatchObject({ status: 401, error: { code: 'invalid_api_key', message: 'Incorrect API key provided: sk-wrong.' } });
    expect(await ask(a)).toMatchObject({ status: 401 });
    expect(await ask(a, {}, { headers: { authorization: 'Bearer sk-right' } })).toMatchObject({ status: 200, text: 'Alpha' });
  });

  test('one entry an attempt, the last repeats', async () => {
    const a = await standIn({ status: 503, json: { error: { message: 'busy' } }, headers: { 'retry-after': '3' } }, { status: 502, text: '<html>' }, { say: 'Well' });
    expect(await ask(a)).toMatchObject({ status: 503, error: { message: 'busy' }, headers: { 'retry-after': '3', 'content-type': 'application/json' } });
    expect(await ask(a)).toMatchObject({ status: 502, body: '<html>', json: undefined });
    for (let again = 0; again < 2; again++) expect(await ask(a)).toMatchObject({ text: 'Well' });
    expect(a.requests.map(({ path, method }) => `${method} ${path}`)).toEqual(Array(4).fill('POST /v1/chat/completions'));
  });

  test.each<[string, object]>([
    ['CRLF', { newline: '\r\n' }], ['CR', { newline: '\r' }], ['no space', { space: false }], ['a byte order mark', { bom: true }],
    ['seven bytes a write', { split: 7 }], ['a pace', { pace: 5 }], ['a delay', { delay: 20 }],
  ])('a stream with %s reads the same', async (_title, form) => {
    expect(await ask(await standIn({ sse: items, ...form }), streamed)).toMatchObject({ text: 'Alpha one', end: 'normal', done: 1 });
  });

  test('gzip: event by event, and whole', async () => {
    const a = await standIn({ sse: items, gzip: true });
    expect(await sendWithSdk({ baseUrl: `${a.origin}/v1`, body: { model: 'm', stream: true, messages: [] } })).toMatchObject({ text: 'Alpha one', thrown: null });
    expect(await sendWithSdk({ baseUrl: `${a.origin}/v1`, body: { model: 'm', messages: [] } })).toMatchObject({ text: 'Alpha one', thrown: null });
    expect((await ask(a)).headers).toMatchObject({ 'content-encoding': 'gzip' });
  });

  test('a tool call in pieces, and gathered for a unary request', async () => {
    const a = await standIn({ sse: [{ role: true }, { tool: { id: 'c1', name: 'look', arguments: '' } }, { tool: { arguments: '{"a":' } }, { tool: { arguments: '1}' } }, { finish: 'tool_calls' }, { done: true }] });
    const tools = [{ id: 'c1', name: 'look', arguments: '{"a":1}' }];
    expect(await ask(a, streamed)).toMatchObject({ tools, finish: 'tool_calls', end: 'normal' });
    expect(await ask(a)).toMatchObject({ tools, finish: 'tool_calls', end: 'json' });
  });

  test('raw bytes, comments, odd data, a repeat, and words of one chunk together', async () => {
    const a = await standIn({ sse: [{ comment: 'wait' }, { repeat: 3, items: [{ text: 'x' }, { comment: 'p' }] }, { raw: 'data: {"choices":[]}\n\n' }, { text: 'y', finish: 'length' }, { data: 'no json' }] });
    const answer = await ask(a, streamed);
    expect(answer).toMatchObject({ text: 'xxxy', finish: 'length', emptyChoices: 1, end: 'error' });
    expect(answer.body.match(/^: p$/gm)).toHaveLength(3);
  });
});

describe('a script breaks as it says', () => {
  test.each<[string, object, object]>([
    ['destroy: no answer', { destroy: true }, { status: null, end: 'error' }],
    ['hang: no answer, then a close', { hang: 30 }, { status: null, end: 'error' }],
    ['destroyed in the middle', { sse: [...items.slice(0, 3), { destroy: true }] }, { status: 200, text: 'Alpha one', end: 'error', finish: null }],
    ['silent in the middle, then a close', { sse: [...items.slice(0, 3), { hang: 30 }] }, { text: 'Alpha one', end: 'error' }],
    ['a clean end without a finish reason', { sse: items.slice(0, 3) }, { text: 'Alpha one', end: 'silent', done: 0 }],
    ['a finish reason without [DONE]', { sse: items.slice(0, 4) }, { end: 'normal', done: 0 }],
    ['an error event', { sse: [...items.slice(0, 3), { data: { error: { message: 'overloaded' } } }] }, { text: 'Alpha one', end: 'errorEvent', error: { message: 'overloaded' } }],
    ['an empty 200', { status: 200, text: '' }, { status: 200, body: '', json: undefined }],
  ])('%s', async (_title, attempt, expected) => {
    expect(await ask(await standIn(attempt), streamed)).toMatchObject(expected);
  });

  test('a unary answer that is cut breaks after its head', async () => {
    expect(await ask(await standIn({ sse: [...items.slice(0, 3), { destroy: true }] }))).toMatchObject({ status: 200, end: 'error', json: undefined });
  });

  test('a request on a used connection is reset and the script does not move on', async () => {
    const a = await standIn({ say: 'first' }, { say: 'second', onReused: 'reset' });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const client = (): Promise<string> => new Promise((resolve, reject) => {
      get(a.origin, { agent }, (answer) => answer.resume().on('end', () => resolve(`${answer.statusCode}`))).on('error', reject);
    });
    expect(await client()).toBe('200');
    await expect(client()).rejects.toThrow(/ECONNRESET|socket hang up/);
    expect(a.requests.map(({ reset, reused }) => [reused, reset])).toEqual([[false, false], [true, true]]);
    expect(await client()).toBe('200');
    agent.destroy();
  });

  test('refuse refuses; listen takes the same port again', async () => {
    const a = await standIn({ say: 'x' });
    await a.refuse();
    expect(await ask(a)).toMatchObject({ status: null });
    await a.listen();
    expect(await ask(a)).toMatchObject({ status: 200 });
  });

  test('a caller that leaves is seen', async () => {
    const a = await standIn({ sse: [{ role: true }, { hang: true }] });
    expect(await ask(a, streamed, { abortAfterEvents: 1 })).toMatchObject({ aborted: true });
    while (a.requests[0]?.endedAtMs() === null) await new Promise((resolve) => setImmediate(resolve));
    expect(a.requests[0]?.closedByCallerAtMs()).toBeGreaterThan(0);
  });

  test('what the script closes is not laid to the caller', async () => {
    const a = await standIn({ sse: [{ role: true }, { destroy: true }] });
    await ask(a, streamed);
    expect(a.requests[0]?.closedByCallerAtMs()).toBeNull();
  });
});

test.each<[unknown, string]>([
  [{ sey: 'x' }, 'A[0].sey: a stand-in knows no such word'],
  [{ sse: [{ txt: 'x' }] }, 'A[0].sse[0].txt: no such item'],
  [{ onReused: 'close', say: 'x' }, 'A[0].onReused: must be "reset"'],
  [{ delay: 5 }, 'says nothing to answer with'],
  [{ sse: [{ repeat: 2, items: [{ wait: 'x' }] }] }, 'A[0].sse[0].items[0].wait: must be a number'],
])('%j is refused', (entry, message) => {
  expect(() => readAttempt(entry, 'A[0]')).toThrow(message);
});
