import { describe, expect, test } from '@jest/globals';
import type { Decision } from '@belay/contract';
import { explainAnswer, explainChunk, ownErrorAnswer } from './answer.ts';
import { modelBody, modelListBody } from './models.ts';
import { streamErrorEvent } from './stream.ts';

const decision: Decision = {
  id: 'pod.1', at: '2026-11-25T00:00:00Z', chain: 'chat', model: 'chat', mode: 'Sequential', streamed: false, tableVersion: 'sha256:0', stale: false, outcome: 'Answered', status: 200,
  target: 'a', servedModel: 'm', reason: 'primary answered', attempts: [], excluded: [], firstContentMs: 1, totalMs: 2, usage: null,
};
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

describe('an error of Belay\'s own', () => {
  test('has OpenAI\'s shape and tells SDKs not to repeat it', () => {
    expect(ownErrorAnswer({ status: 404, type: 'invalid_request_error', code: 'model_not_found', message: '"x" is in no chain.', retryAfterMs: null })).toEqual({
      status: 404,
      headers: { 'content-type': 'application/json', 'x-should-retry': 'false' },
      body: '{"error":{"message":"\\"x\\" is in no chain.","type":"invalid_request_error","param":null,"code":"model_not_found"}}',
    });
  });

  test.each([[1, '1'], [1_000, '1'], [1_001, '2'], [59_001, '60'], [300_000, '60'], [0, '1']])('a return in %d ms is told as %s s', (retryAfterMs, seconds) => {
    expect(ownErrorAnswer({ status: 503, type: 'server_error', code: null, message: 'm', retryAfterMs }).headers['retry-after']).toBe(seconds);
  });
});

describe('an explained answer', () => {
  test('keeps its digits and gains the decision', () => {
    const explained = explainAnswer('{"id":"a","seed":12345678901234567890}\n', decision);
    expect(explained.startsWith('{"id":"a","seed":12345678901234567890,"belay":{"id":"pod.1"')).toBe(true);
    expect(JSON.parse(explained)).toMatchObject({ id: 'a', belay: { chain: 'chat' } });
  });

  test('may have been empty', () => {
    expect(JSON.parse(explainAnswer(' { } ', decision))).toEqual({ belay: decision });
  });

  test('of a stream is one more chunk without choices', () => {
    const event = text(explainChunk(decision));
    expect(event.endsWith('\n\n')).toBe(true);
    expect(JSON.parse(event.slice('data: '.length))).toEqual({ object: 'chat.completion.chunk', choices: [], belay: decision });
  });
});

test('a broken stream ends in one error event', () => {
  expect(text(streamErrorEvent('b broke off\nafter 3 s'))).toBe('data: {"error":{"message":"b broke off\\nafter 3 s","type":"server_error","param":null,"code":"upstream_stream_interrupted"}}\n\n');
});

test('models are listed as OpenAI lists them', () => {
  expect(JSON.parse(modelListBody([{ id: 'gpt-4o', chain: 'chat' }]))).toEqual({ object: 'list', data: [{ id: 'gpt-4o', object: 'model', created: 0, owned_by: 'belay:chat' }] });
  expect(JSON.parse(modelBody({ id: 'chat', chain: 'chat' }))).toEqual({ id: 'chat', object: 'model', created: 0, owned_by: 'belay:chat' });
});
