import { describe, expect, test } from '@jest/globals';
import { createOutcome, type Outcome } from '../chat-outcome.ts';
import type { Seen } from '../stand-in.ts';
import { readCase, whySkipped } from './case-file.ts';
import { caseManifests, stepBody, withoutMark } from './case-manifests.ts';
import { checkCase } from './check-arrivals.ts';
import { checkStep } from './check.ts';
import type { Arrival, StepResult } from './step-result.ts';

function streamed(text: string, how: 'whole' | 'broken' | 'aborted' = 'whole'): Outcome {
  const builder = createOutcome();
  builder.head(200, { 'content-type': 'text/event-stream', 'x-belay-target': 'b' });
  builder.bytes(new TextEncoder().encode(text));
  return builder.finish(how);
}

function unary(body: unknown, status = 200): Outcome {
  const builder = createOutcome();
  builder.head(status, { 'content-type': 'application/json' });
  builder.bytes(new TextEncoder().encode(JSON.stringify(body)));
  return builder.finish('whole');
}

function arrival(upstream: string, atMs: number, more: Partial<Seen> = {}): Arrival {
  const text = JSON.stringify({ model: 'model-of-a', stream: true, messages: [{ role: 'user', content: 'Hi' }] });
  const seen: Seen = {
    number: 1, atMs, method: 'POST', path: '/v1/chat/completions', headers: { authorization: 'Bearer key-of-a' }, text, json: JSON.parse(text),
    reused: false, reset: false, sent: () => 'bytes', closedByCallerAtMs: () => null, endedAtMs: () => atMs + 1, ...more,
  };
  return { upstream, seen, text };
}

const event = (data: object): string => `data: ${JSON.stringify(data)}\n\n`;
const chunk = (delta: object, finish: string | null = null): string => event({ model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] });
const good = chunk({ content: 'Alpha ' }) + chunk({ content: 'one' }) + chunk({}, 'stop') + event({ choices: [], usage: { total_tokens: 9 } }) + 'data: [DONE]\n\n';
const tool = chunk({ tool_calls: [{ index: 0, id: 'c', function: { name: 'look', arguments: '{"a"' } }] }) + chunk({ tool_calls: [{ index: 0, function: { arguments: ':1}' } }] }, 'tool_calls');
const step = (outcome: Outcome, ...upstreams: string[]): StepResult => ({ outcome, arrivals: upstreams.map((name, index) => arrival(name, 1000 + index * 500)), sentAtMs: 990, endedAtMs: 2000 });

describe('each word of a step sees what is right and what is wrong', () => {
  test.each<[string, StepResult, unknown, unknown]>([
    ['status', step(unary({}, 503)), 503, 200],
    ['status', step(unary({}, 503)), [500, 503], [500, 502]],
    ['text', step(streamed(good)), 'Alpha one', 'Alpha'],
    ['textStarts', step(streamed(good)), 'Alpha', 'one'],
    ['end', step(streamed(good)), 'normal', 'silent'],
    ['end', step(streamed(chunk({ content: 'x' }))), 'silent', 'normal'],
    ['end', step(streamed(chunk({ content: 'x' }) + event({ error: { message: 'broke' } }), 'broken')), 'errorEvent', 'error'],
    ['end', step(streamed(chunk({ content: 'x' }), 'broken')), 'error', 'silent'],
    ['end', step(streamed(`${good}data: oops\n\n`)), 'error', 'normal'],
    ['end', step(unary({})), 'json', 'normal'],
    ['finish', step(streamed(good)), 'stop', null],
    ['finish', step(streamed(chunk({ content: 'x' }))), null, 'stop'],
    ['done', step(streamed(good)), 1, 0],
    ['models', step(streamed(good)), ['m'], ['m', 'n']],
    ['usage', step(streamed(good)), { total_tokens: 9 }, { total_tokens: 8 }],
    ['usage', step(streamed(tool)), null, true],
    ['usageChunks', step(streamed(good)), 1, 0],
    ['emptyChoices', step(streamed(good)), 1, 2],
    ['json', step(unary({ a: [{ b: 1 }] })), { 'a.0.b': 1 }, { 'a.0.b': 2 }],
    ['bodyHas', step(streamed(good)), ['Alpha', '[DONE]'], ['Alpha', 'Bravo']],
    ['bodyLacks', step(streamed(good)), ['Bravo'], ['Bravo', 'Alpha']],
    ['bodyIs', step(unary({}), 'A'), '{}', 'A'],
    ['headers', step(streamed(good)), { 'x-belay-target': { is: 'b' }, 'x-none': { absent: true } }, { 'x-belay-target': 'a' }],
    ['errorObject', step(unary({ error: { message: 'no' } })), true, false],
    ['errorObject', step(unary({ error: 'no' })), false, true],
    ['tools', step(streamed(tool)), [{ name: 'look', arguments: { a: 1 } }], [{ name: 'look', arguments: '{"a":2}' }]],
    ['tools', step(streamed(tool)), [{ id: 'c', function: { name: 'look', arguments: '{"a":1}' } }], []],
    ['attempts', step(unary({}), 'A', 'A', 'B'), 'A,A,B', 'A,B'],
    ['attempts', step(unary({}), 'A', 'A', 'B'), { A: 2, B: { max: 1 } }, { A: { max: 1 } }],
    ['minMs', step(unary({})), 0, 5000],
    ['maxMs', step(unary({})), 5000, -1],
    ['firstContentMs', step(streamed(good)), { min: 0, max: 5000 }, { min: 4000 }],
  ])('%s', (word, result, right, wrong) => {
    expect(checkStep({ [word]: right }, result)).toEqual([]);
    expect(checkStep({ belay: { [word]: wrong } }, result)).not.toEqual([]);
  });

  test('an unknown word throws', () => {
    expect(() => checkStep({ txt: 'x' }, step(unary({})))).toThrow('expect.txt: no such word');
  });
});

describe('each word of a case sees what is right and what is wrong', () => {
  const arrivals = [arrival('A', 1000), arrival('A', 1800), arrival('B', 2000, { closedByCallerAtMs: () => 2030 }), arrival('A', 2100, { reset: true })];
  const left: StepResult = { outcome: streamed(good, 'aborted'), arrivals: arrivals.slice(2, 3), sentAtMs: 1900, endedAtMs: 2010 };
  test.each<[string, unknown, unknown]>([
    ['attempts', { A: { max: 2 } }, { A: 1 }],
    ['gaps', { A: { min: 700, max: 900 } }, { A: { min: 900 } }],
    ['gaps', [{ up: 'A', min: 700 }], [{ up: 'B', min: 1 }]],
    ['closed', ['B'], ['A']],
    ['closed', { B: { max: 50 } }, { B: { max: 15 } }],
    ['closed', { A: false, B: 1 }, { B: 2 }],
    ['requests', [{ path: '/v1/chat/completions', json: { model: 'model-of-a', 'messages.0.content': 'Hi', gone: null } }], [{ up: 'A', json: { model: 'model-of-b' } }]],
    ['requests', [{ up: 'A', headers: { authorization: 'Bearer key-of-a' } }], [{ headers: { authorization: { absent: true } } }]],
    ['requests', [{ n: 2, up: 'A', jsonLacks: ['belay'] }], [{ n: 3, up: 'A', jsonLacks: ['belay'] }]],
    ['requests', [{ jsonLacks: ['belay'] }], [{ jsonLacks: ['stream'] }]],
  ])('%s', (word, right, wrong) => {
    expect(checkCase({ [word]: right }, arrivals, [left])).toEqual([]);
    expect(checkCase({ [word]: wrong }, arrivals, [left])).not.toEqual([]);
  });
});

describe('a case is read', () => {
  const raw = { id: 'x', chain: { retries: 0 }, providers: { A: { path: '/api/v1/', credentials: false } }, upstreams: { A: [{ say: 'a' }], B: [{ say: 'b' }] }, steps: [{}] };

  test('its manifests are one provider and one target for each upstream', () => {
    const [a, b, secret, chain] = caseManifests(readCase(raw), { A: 'http://127.0.0.1:1', B: 'http://127.0.0.1:2' });
    expect(a).toMatchObject({ kind: 'ModelProvider', metadata: { name: 'a' }, spec: { dialect: 'OpenAI', baseURL: 'http://127.0.0.1:1/api/v1/' } });
    expect(a).not.toHaveProperty('spec.credentials');
    expect(b).toMatchObject({ spec: { baseURL: 'http://127.0.0.1:2/v1', credentials: { secretKeyRef: { name: 'b', key: 'apiKey' } } } });
    expect(secret).toMatchObject({ kind: 'Secret', metadata: { name: 'b' }, stringData: { apiKey: 'key-of-b' } });
    expect(chain).toMatchObject({ spec: { retries: 0, targets: [{ name: 'a', model: 'model-of-a' }, { name: 'b', model: 'model-of-b' }] } });
  });

  test('a request carries its mark, and loses it again', () => {
    const [made] = readCase({ ...raw, steps: [{ body: { messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }, { type: 'image_url' }] }] } }] }).steps;
    const { body, marked } = stepBody(made!, ' [#1.0]');
    expect(marked).toBe(true);
    expect(body).toMatchObject({ messages: [{ content: [{ text: 'Hi [#1.0]' }, { type: 'image_url' }] }] });
    const text = '{"seed": 12345678901234567890, "messages":[{"role":"user","content":"a \\" b"}]}';
    const written = stepBody({ ...made!, bodyText: text }, ' [#1.0]').body as string;
    expect(written).toContain('"a \\" b [#1.0]"}');
    expect(withoutMark(written)).toBe(text);
  });

  test.each<[object, string]>([
    [{ ...raw, step: [] }, 'case.step: no such word'],
    [{ ...raw, steps: [{ strem: true }] }, 'steps[0].strem: no such word'],
    [{ ...raw, providers: { C: {} } }, 'providers.C: there is no upstream'],
    [{ ...raw, upstreams: { A: [{ sai: 'x' }] } }, 'upstreams.A[0].sai'],
    [{ ...raw, expect: { gap: {} } }, 'expect.gap: no such word'],
  ])('%#: a word that nobody knows is refused', (bad, message) => {
    expect(() => readCase(bad)).toThrow(message);
  });

  test('a need that is not served is a reason to skip, an unknown one an error', () => {
    expect(whySkipped(readCase({ ...raw, needs: ['latencyBudget', 'windows'] }))).toBeNull();
    expect(whySkipped(readCase({ ...raw, needs: ['resume'] }))).toContain('needs resume');
    expect(() => whySkipped(readCase({ ...raw, needs: ['magic'] }))).toThrow('"magic" is no known need');
  });
});
