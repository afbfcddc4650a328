import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { RequestTraits } from '../../dialect.ts';
import { parseChatRequest } from './request.ts';

const parse = (text: string): ReturnType<typeof parseChatRequest> => parseChatRequest(new TextEncoder().encode(text));
const traits = (members: object): RequestTraits => {
  const result = parse(JSON.stringify({ model: 'm', messages: [], ...members }));
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.value.traits;
};

describe('an application\'s request', () => {
  test('gives the model, whether it streams, its settings and its own text', () => {
    const text = '{"model":"chat","messages":[{"role":"user","content":"hi"}],"stream":true,"stream_options":{"include_usage":true},"belay":{"targets":"a,b"},"seed":12345678901234567890}';
    expect(parse(text)).toMatchObject({ ok: true, value: { model: 'chat', stream: true, includeUsage: true, settings: { targets: 'a,b' }, text } });
  });

  test('may begin with a byte order mark', () => {
    expect(parse('\ufeff{"model":"m","messages":[]}')).toMatchObject({ ok: true, value: { text: '{"model":"m","messages":[]}' } });
  });

  test.each<[string, string, string, string]>([
    ['that is empty', '', '', 'The request body is empty; it must be a JSON object with "model" and "messages".'],
    ['that is not JSON', '{"model":"m",\n "messages": [1,]}', '', 'The request body is not JSON: "]" at line 2, column 17 is unexpected.'],
    ['that stops early', '{"model":"m"', '', 'The request body is not JSON: the end at line 1, column 13 is unexpected.'],
    ['whose string never ends', '{"model":"m', '', 'The request body is not JSON: the end at line 1, column 12 is unexpected.'],
    ['with a bare word', '{"a":x}', '', 'The request body is not JSON: "x" at line 1, column 6 is unexpected.'],
    ['with single quotes', "{'a':1}", '', 'The request body is not JSON: "\'" at line 1, column 2 is unexpected.'],
    ['with something behind it', '{} {}', '', 'The request body is not JSON: "{" at line 1, column 4 is unexpected.'],
    ['that is a list', '[]', '', 'The request body must be a JSON object with "model" and "messages", not a list.'],
    ['without a model', '{"messages":[]}', 'model', 'must be the name of a model, not missing'],
    ['with an empty model', '{"model":"","messages":[]}', 'model', 'must be the name of a model, not an empty text'],
    ['without messages', '{"model":"m"}', 'messages', 'must be a list of messages, not missing'],
    ['with messages of another kind', '{"model":"m","messages":"hi"}', 'messages', 'must be a list of messages, not a text'],
    ['whose stream is a text', '{"model":"m","messages":[],"stream":"true"}', 'stream', 'must be true or false, not a text'],
    ['whose belay is a list', '{"model":"m","messages":[],"belay":[]}', 'belay', 'must be an object of settings such as {"targets": "gemini,local"}, not a list'],
  ])('%s is refused with what would be right', (_, text, path, message) => {
    expect(parse(text)).toEqual({ ok: false, problems: [{ path, message }] });
  });

  test('that is not UTF-8 is refused', () => {
    expect(parseChatRequest(Uint8Array.of(0x7b, 0xff, 0x7d))).toEqual({ ok: false, problems: [{ path: '', message: 'The request body must be UTF-8 text.' }] });
  });

  test('deeply nested and broken is refused, not a crash', () => {
    expect(parse('['.repeat(200_000)).ok).toBe(false);
  });

  test('broken anywhere is refused at a place that is inside it or at its end', () => {
    fc.assert(fc.property(fc.jsonValue().map((value) => JSON.stringify({ a: value })), fc.nat(), fc.constantFrom('"', '{', ']', ',', 'x', ''), (text, at, wrong) => {
      const place = at % text.length;
      const broken = text.slice(0, place) + wrong + text.slice(place + 1);
      const isJson = (() => { try { JSON.parse(broken); return true; } catch { return false; } })();
      const result = parse(broken);
      if (isJson) return;
      expect(result.ok).toBe(false);
      const [, column] = /column (\d+)/.exec(result.ok ? '' : (result.problems[0]?.message ?? '')) ?? [];
      if (broken.trim() !== '') expect(Number(column)).toBeLessThanOrEqual(broken.length + 1);
      if (broken.trim() !== '') expect(Number(column)).toBeGreaterThanOrEqual(1);
    }));
  });
});

describe('traits of a request', () => {
  test.each<[string, object, Partial<RequestTraits>]>([
    ['two choices are not raced', { n: 2 }, { notRaceable: 'n > 1' }],
    ['one choice is raced', { n: 1 }, { notRaceable: null }],
    ['logprobs are not raced', { logprobs: true }, { notRaceable: 'logprobs' }],
    ['a seed is not raced', { seed: 0 }, { notRaceable: 'seed' }],
    ['a stored answer is not raced', { store: true }, { notRaceable: 'store' }],
    ['audio is not raced', { modalities: ['text', 'audio'] }, { notRaceable: 'audio' }],
    ['a provider\'s own tools are not raced', { tools: [{ type: 'function' }, { type: 'code_interpreter' }] }, { notRaceable: 'hosted tools' }],
    ['the application\'s functions are raced', { tools: [{ type: 'function' }, { type: 'custom' }] }, { notRaceable: null }],
    ['max_completion_tokens goes before max_tokens', { max_tokens: 5, max_completion_tokens: 7 }, { maxOutputTokens: 7 }],
    ['max_tokens alone counts', { max_tokens: 5 }, { maxOutputTokens: 5 }],
    ['a number that is no count is none', { max_tokens: 1.5 }, { maxOutputTokens: null }],
    ['a JSON schema asks for JSON', { response_format: { type: 'json_schema' } }, { wantsJSON: true }],
    ['text does not', { response_format: { type: 'text' } }, { wantsJSON: false }],
    ['an effort asks for reasoning', { reasoning_effort: 'low' }, { reasons: true }],
    ['effort none does not', { reasoning_effort: 'none' }, { reasons: false }],
    ['enabled thinking asks for reasoning', { thinking: { type: 'enabled' } }, { reasons: true }],
    ['a template argument asks for reasoning', { chat_template_kwargs: { enable_thinking: true } }, { reasons: true }],
  ])('%s', (_, members, expected) => {
    expect(traits(members)).toMatchObject(expected);
  });

  test('the prompt is estimated from its bytes, 3.6 a token', () => {
    const text = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'ä'.repeat(1_800) }] });
    expect(traits({ messages: [{ role: 'user', content: 'ä'.repeat(1_800) }] }).promptTokensEstimate).toBe(Math.ceil(new TextEncoder().encode(text).length / 3.6));
  });

  test('an inlined image counts as one, not as its base64', () => {
    const image = { type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(2_000_000)}` } };
    expect(traits({ messages: [{ role: 'user', content: [image] }] }).promptTokensEstimate).toBeLessThan(1_100);
  });
});
