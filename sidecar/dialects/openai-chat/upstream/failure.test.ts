import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { FailureClass } from '@belay/contract';
import type { Failure } from '../../../core/failure/failure.ts';
import { classifyAnswer, classifyErrorInside, refusesStreaming, type FailureContext } from './failure.ts';

const nowMs = Date.parse('2026-11-25T12:00:00Z');
const classify = (status: number, body: unknown, headers: { [name: string]: string } = {}, more: Partial<FailureContext> = {}): Failure =>
  classifyAnswer({ status, headers, body: typeof body === 'string' ? body : JSON.stringify(body) }, { preset: null, wallNowMs: nowMs, promptBytes: 1_000, ...more });
const error = (message: string, more: object = {}): object => ({ error: { message, type: 'invalid_request_error', param: null, code: null, ...more } });

describe('by status, where the words say nothing more', () => {
  test.each<[number, FailureClass]>([
    [204, 'Transient'], [301, 'Missing'], [307, 'Missing'], [400, 'Client'], [401, 'Auth'], [402, 'Quota'], [403, 'Auth'], [404, 'Missing'], [405, 'Missing'], [406, 'Client'], [407, 'Auth'],
    [408, 'Transient'], [409, 'Transient'], [410, 'Missing'], [412, 'Client'], [413, 'Context'], [415, 'Client'], [422, 'Client'], [425, 'Transient'], [429, 'Rate'], [451, 'Client'],
    [498, 'Overload'], [499, 'Transient'], [500, 'Transient'], [501, 'Transient'], [502, 'Transient'], [503, 'Overload'], [504, 'Transient'], [520, 'Transient'], [524, 'Transient'], [529, 'Overload'],
  ])('%d is %s', (status, expected) => {
    for (const body of ['', '<html>nginx</html>', '{}', '{"error":{"message":"no"}}', '[]', 'null']) expect(classify(status, body)).toMatchObject({ class: expected, status });
  });
});

describe('by words', () => {
  test.each<[string, number, unknown, FailureClass, Partial<FailureContext>?]>([
    ['an unknown model that is a 400 (DeepSeek)', 400, error('Model Not Exist'), 'Missing'],
    ['an unknown model that is a 400 (Mistral)', 400, { object: 'error', message: 'Invalid model: mistral-huge', type: 'invalid_model', param: null, code: '1500' }, 'Missing'],
    ['an unknown model that is a 400 (OpenRouter)', 400, { error: { message: 'foo/bar is not a valid model ID', code: 400 } }, 'Missing'],
    ['an unknown model that is a 400 (Groq, retired)', 400, error('The model `x` has been decommissioned and is no longer supported.', { code: 'model_decommissioned' }), 'Missing'],
    ['an unknown model that is a 403 (OpenAI)', 403, error('Project `p` does not have access to model `gpt-9`', { code: 'model_not_found' }), 'Missing'],
    ['an unknown model (Ollama)', 404, { error: { message: 'model "llama9" not found, try pulling it first', type: 'api_error', param: null, code: null } }, 'Missing'],
    ['a feature that no endpoint has (OpenRouter)', 404, { error: { message: 'No endpoints found that support image input', code: 404 } }, 'Client'],
    ['a file that does not exist', 404, error('No such File object: file-abc'), 'Client'],
    ['a parameter that the model does not take', 400, error("Unsupported parameter: 'max_tokens' is not supported with this model.", { code: 'unsupported_parameter' }), 'Client'],
    ['an output larger than the model gives', 400, error('max_tokens is too large: 100000. This model supports at most 16384 completion tokens.', { code: 'invalid_value' }), 'Client'],
    ['a tool result that is not found', 400, error('This model needs an answer to each call; tool_call_id call_1 not found in messages'), 'Client'],
    ['a function called as a failure is', 400, error("Invalid schema for function 'overdue_billing_insufficient_quota_content_filter': not an object"), 'Client'],
    ['an unknown field (Mistral)', 422, { object: 'error', message: { detail: [{ type: 'extra_forbidden', loc: ['body', 'user'], msg: 'Extra inputs are not permitted' }] }, type: 'invalid_request_error' }, 'Client'],
    ['a long prompt (OpenAI)', 400, error("This model's maximum context length is 128000 tokens. However, your messages resulted in 200000 tokens.", { code: 'context_length_exceeded' }), 'Context'],
    ['a long prompt (vLLM)', 400, { object: 'error', message: "This model's maximum context length is 2048 tokens. However, you requested 3000 tokens.", type: 'BadRequestError', code: 400 }, 'Context'],
    ['a long prompt that is a 403 (Together)', 403, error('Input is too long: `inputs` tokens + `max_new_tokens` must be <= 4097'), 'Context'],
    ['a long prompt (xAI)', 400, { code: 'invalid-argument', error: "This model's maximum prompt length is 131072 but the request contains 500000 tokens." }, 'Context'],
    ['a long prompt (Gemini)', 400, [{ error: { code: 400, message: 'The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).', status: 'INVALID_ARGUMENT' } }], 'Context'],
    ['a long prompt (Mistral)', 400, { object: 'error', message: 'Prompt contains 40000 tokens, too large for model with 32768 maximum context length', type: 'invalid_request_prompt' }, 'Context'],
    ['a long prompt (Qwen)', 400, error('Range of input length should be [1, 30720]'), 'Context'],
    ['a long prompt behind an aggregator', 400, { error: { message: 'Provider returned error', code: 400, metadata: { raw: '{"error":{"message":"too long","code":"context_length_exceeded"}}' } } }, 'Context'],
    ['tokens a minute that look like a long prompt', 429, error('Too many tokens, please wait before trying again.'), 'Rate'],
    ['a bad key that is a 400 (Gemini)', 400, [{ error: { code: 400, message: 'API key not valid. Please pass a valid API key.', status: 'INVALID_ARGUMENT' } }], 'Auth'],
    ['an account without money that is a 400 (Qwen)', 400, error('Access denied, please make sure your account is in good standing.', { code: 'Arrearage' }), 'Quota'],
    ['an account without money (DeepSeek)', 402, error('Insufficient Balance', { type: 'unknown_error' }), 'Quota'],
    ['a spend limit that is a 400', 400, error('You have reached your specified API usage limits. You will regain access on 2026-12-01.'), 'Quota'],
    ['an allocation that is used up (Qwen)', 429, error('Allocated quota exceeded', { code: 'Throttling.AllocationQuota' }), 'Quota'],
    ['a day\'s limit (Groq)', 429, error('Rate limit reached for model `x` on tokens per day (TPD): Limit 100000, Used 99000, Requested 2000. Please try again in 7m12s.', { code: 'rate_limit_exceeded' }), 'Quota'],
    ['a day\'s limit (Gemini)', 429, { error: { code: 429, message: 'You exceeded your current quota, please check your plan and billing details.', status: 'RESOURCE_EXHAUSTED', details: [{ violations: [{ quotaId: 'GenerateRequestsPerDayPerProjectPerModel' }] }] } }, 'Quota'],
    ['a minute\'s limit in words of money (Gemini)', 429, { error: { code: 429, message: 'You exceeded your current quota, please check your plan and billing details.', status: 'RESOURCE_EXHAUSTED', details: [{ violations: [{ quotaId: 'GenerateRequestsPerMinutePerProjectPerModel' }] }] } }, 'Rate'],
    ['a budget of requests in flight (OpenRouter)', 402, { error: { message: 'x', code: 402, metadata: { limit_source: 'openrouter_in_flight_budget' } } }, 'Rate'],
    ['a suspended account (Fireworks)', 412, error('Account x is suspended'), 'Quota', { preset: 'Fireworks' }],
    ['a moderated prompt that is a 403 (OpenRouter)', 403, { error: { message: 'Your chosen model requires moderation and your input was flagged for "violence".', code: 403 } }, 'Content'],
    ['a filtered prompt (Qwen)', 400, error('Input data may contain inappropriate content.', { code: 'data_inspection_failed' }), 'Content'],
    ['a filtered prompt (OpenAI)', 400, error('Invalid prompt: your prompt was flagged', { code: 'invalid_prompt' }), 'Content'],
    ['an engine overloaded that is a 429 (Moonshot)', 429, { error: { message: 'The engine is currently overloaded', type: 'engine_overloaded_error' } }, 'Overload'],
    ['a 500 that says overloaded', 500, { error: { message: 'The server is overloaded', type: 'server_error' } }, 'Overload'],
    ['a full queue (Ollama)', 503, { error: { message: 'server busy, please try again. maximum pending requests exceeded', type: 'api_error' } }, 'Overload'],
    ['something behind the model', 424, { error: { message: 'Failed dependency', type: 'api_error' } }, 'Transient'],
    ['a remote tool that cannot be reached (Groq)', 424, error('MCP server failed'), 'Client'],
  ])('%s', (_, status, body, expected, more = {}) => {
    expect(classify(status, body, {}, more).class).toBe(expected);
  });
});

describe('a rate limit', () => {
  test.each<[string, unknown, { [name: string]: string }, Partial<FailureContext>, boolean]>([
    ['that more than the limit was asked of', error('Rate limit: Limit 30000, Used 10, Requested 40000.'), {}, {}, true],
    ['that less was asked of', error('Rate limit: Limit 30000, Used 29000, Requested 4000.'), {}, {}, false],
    ['of fewer tokens than the prompt has', error('slow'), { 'x-ratelimit-limit-tokens': '200' }, { promptBytes: 3_600 }, true],
    ['of more tokens than the prompt has', error('slow'), { 'x-ratelimit-limit-tokens': '2000' }, { promptBytes: 3_600 }, false],
    ['without numbers, of a giant prompt', error('slow'), {}, { promptBytes: 4_000_000 }, true],
    ['with its number, of a giant prompt that it allows', error('slow'), { 'x-ratelimit-limit-tokens': '150000000' }, { promptBytes: 4_000_000 }, false],
  ])('%s', (_, body, headers, more, oversize) => {
    expect(classify(429, body, { 'retry-after': '60', ...headers }, more)).toMatchObject({ class: 'Rate', oversize, retryAfterMs: oversize ? null : 60_000 });
  });

  test('that is too small for the request is one under 413 too (Groq)', () => {
    expect(classify(413, error('Request too large for model `x` in organization `o` on tokens per minute (TPM): Limit 6000, Requested 9000', { code: 'rate_limit_exceeded' }))).toMatchObject({ class: 'Rate', oversize: true });
  });

  test.each<[string, unknown, { [name: string]: string }, number | null, string]>([
    ['its header', error('Please try again in 9s.'), { 'retry-after': '12' }, 12_000, '429, resets in 12 s'],
    ['an exhausted limit\'s reset', error('x'), { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '6m0s' }, 360_000, '429, resets in 6 min'],
    ['its message', error('Please try again in 1.574s.'), {}, 1_574, '429, resets in 1.6 s'],
    ['the headers of the provider behind it', { error: { code: 429, message: 'x', metadata: { headers: { 'X-RateLimit-Remaining': '0', 'X-RateLimit-Reset': String(nowMs + 5_000) } } } }, {}, 5_000, '429, resets in 5 s'],
    ['nothing', error('x'), {}, null, '429'],
  ])('says by %s when it returns', (_, body, headers, retryAfterMs, detail) => {
    expect(classify(429, body, headers)).toMatchObject({ retryAfterMs, detail });
  });
});

describe('what goes back to a client', () => {
  test('is the upstream\'s own answer, with its content type and request id', () => {
    const body = JSON.stringify(error('messages: too short'));
    expect(classify(400, body, { 'content-type': 'application/json; charset=utf-8', 'x-request-id': 'req_1' }).answer).toEqual({ status: 400, contentType: 'application/json; charset=utf-8', body, requestId: 'req_1' });
  });

  test('is a 400 where llama.cpp answers a client\'s fault with 500', () => {
    expect(classify(500, error('[json.exception.parse_error.101] parse error')).answer?.status).toBe(400);
  });

  test.each([401, 402, 403, 404, 429, 500, 503])('is nothing of a %d', (status) => {
    expect(classify(status, error('Incorrect API key provided: sk-abcd****wxyz')).answer).toBeNull();
  });
});

test('whatever an upstream says, it has a class, and its words are not in the detail', () => {
  const texts = fc.constantFrom('sk-secret-12345', 'Loading model', 'Limit 1, Requested 2', 'model x not found', 'prompt is too long');
  const body = fc.oneof(fc.json(), fc.string(), fc.record({ error: fc.oneof(fc.jsonValue(), fc.record({ message: fc.oneof(texts, fc.jsonValue()), code: fc.jsonValue(), type: fc.jsonValue(), details: fc.jsonValue(), metadata: fc.jsonValue() })) }).map((value) => JSON.stringify(value)));
  fc.assert(fc.property(fc.integer({ min: 100, max: 599 }), body, (status, text) => {
    const failed = classify(status, text);
    expect(failed.detail).toMatch(/^\d{3}( [A-Za-z_' ]+)?(, resets in [\d.]+ (s|min))?$/);
    expect(failed.detail).not.toContain('secret');
    expect(classifyErrorInside(text, {}, { preset: null, wallNowMs: nowMs, promptBytes: 0 }).status).toBeGreaterThanOrEqual(400);
  }));
});

describe('an error inside a 200', () => {
  test.each<[string, object, FailureClass, number]>([
    ['with a status', { error: { message: 'x', code: 503 } }, 'Overload', 503],
    ['with a status as text', { error: { message: 'x', code: '429' } }, 'Rate', 429],
    ['with a type alone', { error: { message: 'x', type: 'authentication_error' } }, 'Auth', 401],
    ['of a request', { error: { message: 'x', type: 'invalid_request_error' } }, 'Client', 400],
    ['of a prompt', { error: { message: 'x', type: 'exceed_context_size_error' } }, 'Context', 400],
    ['of nothing known', { error: { message: 'x' } }, 'Transient', 500],
    ['that is a text', { error: 'CUDA out of memory' }, 'Transient', 500],
  ])('%s', (_, body, expected, status) => {
    const text = JSON.stringify(body);
    const failed = classifyErrorInside(text, {}, { preset: null, wallNowMs: nowMs, promptBytes: 0 });
    expect(failed).toMatchObject({ class: expected, status });
    expect(failed.detail).toMatch(/^error inside a 200: /);
    if (expected === 'Client') expect(failed.answer).toEqual({ status: 400, contentType: 'application/json', body: text, requestId: null });
  });
});

test('a model that is missing is told in the provider\'s own words, for an application that chose it', () => {
  const body = JSON.stringify(error('The model `x` does not exist', { code: 'model_not_found' }));
  expect(classify(404, body, { 'content-type': 'application/json', 'x-request-id': 'req-1' })).toMatchObject({ class: 'Missing', answer: { status: 404, body, requestId: 'req-1' } });
  expect(classify(302, '', {}).answer).toBeNull();
});

test.each<[string, number, string, boolean]>([
  ['an account that is not verified (OpenAI)', 400, 'Your organization must be verified to stream this model.', true],
  ['a model without streams', 400, 'This model does not support streaming.', true],
  ['a mode', 422, 'Streaming is not supported for this model', true],
  ['something else', 400, 'messages is not supported', false],
  ['an upstream that fails', 500, 'Streaming is not supported', false],
])('%s: cannot stream', (_, status, message, expected) => {
  expect(refusesStreaming({ status, headers: {}, body: JSON.stringify(error(message)) })).toBe(expected);
});
