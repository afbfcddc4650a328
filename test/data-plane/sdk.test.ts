import { afterEach, describe, expect, jest, test } from '@jest/globals';
import OpenAI from 'openai';
import { sendWithSdk } from '../support/chat-client.ts';
import { chainManifest, providerManifests } from '../support/manifests.ts';
import { readDecision } from '../support/read-decision.ts';
import { rigsOfTest, type Rig } from '../support/rig.ts';

jest.setTimeout(60_000);

const rigs = rigsOfTest();
afterEach(() => rigs.closeAll());

const clientOf = (rig: Rig): OpenAI => new OpenAI({ baseURL: rig.belay.baseUrl, apiKey: 'sk-of-the-app' });
const messages = [{ role: 'user' as const, content: 'Say the words.' }];
const overload = { status: 503, json: { error: { message: 'Overloaded.' } } };

describe('an unchanged application of the openai package', () => {
  test('gets a whole answer, and the provider gets its own key and model, never the application\'s', async () => {
    const rig = await rigs.open({ a: [overload] });
    const answer = await clientOf(rig).chat.completions.create({ model: 'model-of-a', messages });
    expect(answer).toMatchObject({ model: 'model-of-b', choices: [{ message: { content: 'Bravo one two three' }, finish_reason: 'stop' }], usage: { total_tokens: 18 } });
    expect(rig.a.requests[0]).toMatchObject({ path: '/v1/chat/completions', headers: { authorization: 'Bearer key-of-a' }, json: { model: 'model-of-a' } });
    expect(rig.b.requests[0]).toMatchObject({ headers: { authorization: 'Bearer key-of-b' }, json: { model: 'model-of-b' } });
    expect(JSON.stringify([...rig.a.requests, ...rig.b.requests].map(({ headers }) => headers))).not.toContain('sk-of-the-app');
  });

  test('streams, with usage where it asked for it and not where it did not', async () => {
    const rig = await rigs.open({ a: [overload, overload, overload, { say: 'Alpha one' }], chain: { latencyBudget: '5s' } });
    const body = { model: 'chat', messages, stream: true };
    expect(await sendWithSdk({ baseUrl: rig.belay.baseUrl, body })).toMatchObject({ text: 'Bravo one two three', end: 'normal', done: 1, usageChunks: 0, emptyChoices: 0, thrown: null });
    expect(await sendWithSdk({ baseUrl: rig.belay.baseUrl, body: { ...body, stream_options: { include_usage: true } } })).toMatchObject({ usage: { total_tokens: 18 }, usageChunks: 1, thrown: null });
  });

  test('the SDK\'s own stream helper puts a tool call together that came after a fallback', async () => {
    const rig = await rigs.open({
      a: [overload],
      b: [{ sse: [{ role: true }, { tool: { id: 'call_1', name: 'look', arguments: '' } }, { tool: { arguments: '{"place":' } }, { tool: { arguments: '"sea"}' } }, { finish: 'tool_calls' }, { usage: 'asked' }, { done: true }] }],
    });
    const tools = [{ type: 'function' as const, function: { name: 'look', parameters: { type: 'object', properties: { place: { type: 'string' } } } } }];
    const final = await clientOf(rig).chat.completions.stream({ model: 'chat', messages, tools }).finalChatCompletion();
    expect(final.choices[0]).toMatchObject({ finish_reason: 'tool_calls', message: { tool_calls: [{ id: 'call_1', function: { name: 'look', arguments: '{"place":"sea"}' } }] } });
    expect(rig.b.requests[0]?.json).toMatchObject({ tools });
  });

  test('a refused request throws what the provider said, once', async () => {
    const rig = await rigs.open({ a: [{ status: 400, json: { error: { message: 'Unknown parameter: x', type: 'invalid_request_error', param: 'x', code: 'unknown_parameter' } } }] });
    await expect(clientOf(rig).chat.completions.create({ model: 'chat', messages })).rejects.toMatchObject({ status: 400, code: 'unknown_parameter', param: 'x' });
    expect(rig.a.requests).toHaveLength(1);
    expect(rig.b.requests).toHaveLength(0);
  });

  test('lists the names that it may ask for', async () => {
    const rig = await rigs.open({ a: [{ say: 'x' }] });
    const listed = await clientOf(rig).models.list();
    expect(listed.data.map(({ id }) => id).sort()).toEqual(['chat', 'model-of-a']);
    expect(await clientOf(rig).models.retrieve('chat')).toMatchObject({ id: 'chat', object: 'model' });
  });

  test('a name that no chain serves is a 404 that says what to change', async () => {
    const rig = await rigs.open({ a: [{ say: 'x' }] });
    const thrown = await clientOf(rig).chat.completions.create({ model: 'text-embedding-3-small', messages }).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(OpenAI.NotFoundError);
    expect((thrown as Error).message).toContain('"text-embedding-3-small" is in no chain of namespace default. Chains: chat (model-of-a). Add it to spec.modelNames, or use modelNames ["*"].');
  });
});

describe('what happened is said', () => {
  test('in headers, in the decision, and in one log line', async () => {
    const rig = await rigs.open({ a: [overload], b: [{ say: 'Bravo', model: 'model-of-b-2026-05-01', headers: { 'x-request-id': 'req_of_b' } }] });
    const { headers } = await rig.ask({ stream: true });
    expect(headers).toMatchObject({
      'x-belay-chain': 'chat', 'x-belay-target': 'b', 'x-belay-model': 'model-of-b-2026-05-01', 'x-belay-mode': 'sequential', 'x-request-id': 'req_of_b',
      'x-belay-attempts': expect.stringMatching(/^a=overload:\d+ms,b=ok:\d+ms$/), 'x-belay-reason': expect.stringContaining('a: Overload'), 'x-belay-request-id': expect.stringMatching(/^.+\.\d+$/),
    });
    const decision = await readDecision(rig.belay.origin, headers);
    expect(decision).toMatchObject({ id: headers['x-belay-request-id'], outcome: 'Answered', target: 'b', streamed: true, attempts: [{ target: 'a', outcome: 'Failed', failure: { class: 'Overload', status: 503 } }, { target: 'b', outcome: 'Ok' }] });
    const line = rig.belay.lines().find(({ event }) => event === 'request-fell-back');
    expect(line).toMatchObject({ message: decision?.sentence, id: decision?.id });
    expect(JSON.stringify(rig.belay.lines())).not.toMatch(/key-of-|Say the words|Bravo/);
  });

  test('a good request leaves a decision, and no log line', async () => {
    const rig = await rigs.open({ a: [{ say: 'Alpha' }] });
    const { headers } = await rig.ask();
    expect(await readDecision(rig.belay.origin, headers)).toMatchObject({ outcome: 'Answered', target: 'a', usage: { promptTokens: 11, completionTokens: 7 } });
    expect(rig.belay.lines().filter(({ event }) => event.startsWith('request-'))).toEqual([]);
  });

  test('a busy hour hides no failure: the last that fell back are kept apart', async () => {
    const rig = await rigs.open({ a: [overload, { say: 'Alpha' }] });
    const { headers } = await rig.ask();
    for (let batch = 0; batch < 26; batch++) await Promise.all(Array.from({ length: 10 }, () => rig.ask()));
    const kept = (await (await fetch(`${rig.belay.origin}/belay/decisions`)).json()) as { readonly decisions: readonly { id: string }[]; readonly troubled: readonly { id: string }[] };
    expect(kept.decisions).toHaveLength(256);
    expect(kept.decisions.map(({ id }) => id)).not.toContain(headers['x-belay-request-id']);
    expect(kept.troubled.map(({ id }) => id)).toEqual([headers['x-belay-request-id']]);
  });

  test.each([true, false])('x-belay-explain adds the decision to the answer, streamed: %s', async (stream) => {
    const rig = await rigs.open({ a: [overload] });
    const answer = await rig.ask({ stream }, { headers: { 'x-belay-explain': '1' } });
    expect(answer).toMatchObject({ text: 'Bravo one two three', end: stream ? 'normal' : 'json' });
    expect(answer.body).toContain('"Overload"');
    const asSdk = await sendWithSdk({ baseUrl: rig.belay.baseUrl, body: { model: 'chat', stream, messages, belay: { explain: true } } });
    expect(asSdk).toMatchObject({ text: 'Bravo one two three', thrown: null });
    expect(asSdk.body).toContain('"Overload"');
    expect(rig.b.requests.map(({ text }) => text).join()).not.toContain('belay');
  });
});

describe('an application may choose for one request', () => {
  test('some of the targets, in its own order; one alone is a pin without fallback', async () => {
    const rig = await rigs.open({ a: [{ say: 'Alpha' }] });
    expect(await rig.ask({}, { headers: { 'x-belay-targets': 'b,a' } })).toMatchObject({ text: 'Bravo one two three', headers: { 'x-belay-target': 'b' } });
    rig.script(rig.b, overload);
    const pinned = await rig.ask({}, { headers: { 'x-belay-targets': 'b' } });
    expect(pinned).toMatchObject({ status: 503, headers: { 'x-should-retry': 'false' }, error: { message: expect.stringContaining('b') } });
    expect(rig.a.requests).toHaveLength(0);
  });

  test('a latency budget of its own', async () => {
    const rig = await rigs.open({ a: [{ hang: true }] });
    const answer = await rig.ask({}, { headers: { 'x-belay-latency-budget': '400ms' } });
    expect(answer).toMatchObject({ text: 'Bravo one two three', headers: { 'x-belay-target': 'b' } });
    expect(answer.ms).toBeLessThan(3_000);
  });

  test('the mode', async () => {
    const rig = await rigs.open({ a: [{ delay: 5_000, say: 'Alpha' }] });
    const answer = await rig.ask({ belay: { fallback_mode: 'race', latency_budget: '600ms' } });
    expect(answer).toMatchObject({ text: 'Bravo one two three', headers: { 'x-belay-mode': 'race', 'x-belay-attempts': expect.stringMatching(/a=cancelled:.*b=ok/) } });
  });

  test('to stay in the cluster: targets outside are left out, and where none is inside it is refused', async () => {
    const outside = providerManifests({ name: 'outside', spec: { preset: 'OpenAI' }, key: 'sk-never-sent' });
    const far = { providerRef: { name: 'outside' }, model: 'gpt-4o' };
    const near = { name: 'b', providerRef: { name: 'b' }, model: 'model-of-b' };
    const rig = await rigs.open({ a: [{ say: 'Alpha' }], more: [...outside, chainManifest('far', { targets: [far] }), chainManifest('far-or-near', { modelNames: ['far-or-near'], targets: [far, near] })] });
    const headers = { 'x-belay-egress': 'cluster' };
    expect(await rig.ask({ model: 'far-or-near' }, { headers })).toMatchObject({ text: 'Bravo one two three', headers: { 'x-belay-target': 'b' } });
    expect(await rig.ask({ model: 'far' }, { headers })).toMatchObject({ status: 503, headers: { 'x-should-retry': 'false' }, error: { message: expect.stringContaining('EgressClusterOnly') } });
  });

  test.each<[string, string, string]>([
    ['x-belay-targets', 'nobody', 'nobody'],
    ['x-belay-latency-budget', 'soon', 'x-belay-latency-budget'],
    ['x-belay-fallback-mode', 'both', 'x-belay-fallback-mode'],
  ])('%s: %s is a 400 that says what would be right', async (name, value, said) => {
    const rig = await rigs.open({ a: [{ say: 'Alpha' }] });
    expect(await rig.ask({}, { headers: { [name]: value } })).toMatchObject({ status: 400, error: { message: expect.stringContaining(said) } });
    expect(rig.a.requests).toHaveLength(0);
  });
});
