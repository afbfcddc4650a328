import { describe, expect, test } from '@jest/globals';
import type { Failure } from '../../../core/failure/failure.ts';
import { checkUnaryAnswer, isFailure, streamOfAnswer } from './answer.ts';

const check = (body: unknown): ReturnType<typeof checkUnaryAnswer> => checkUnaryAnswer({ status: 200, headers: {}, body: typeof body === 'string' ? body : JSON.stringify(body) }, { preset: null, wallNowMs: 0, promptBytes: 0 });
const answer = (message: object, reason: string | null = 'stop'): object => ({ id: 'c', model: 'served', choices: [{ index: 0, message, finish_reason: reason }], usage: { prompt_tokens: 2, completion_tokens: 1, total_tokens: 3 } });

describe('a unary 200', () => {
  test('keeps its bytes, white space and long numbers included', () => {
    const body = `\n     \n{"seed":12345678901234567890,"model":"m","choices":[{"message":{"content":"a"}}]}\n`;
    expect(check(body)).toEqual({ body, servedModel: 'm', usage: null });
  });

  test('tells the model that served and its tokens', () => {
    expect(check(answer({ content: 'a' }))).toMatchObject({ servedModel: 'served', usage: { promptTokens: 2, completionTokens: 1 } });
  });

  test.each<[string, object]>([
    ['a refusal', answer({ content: null, refusal: 'no' })],
    ['a tool call', answer({ content: null, tool_calls: [{ id: 'x', function: { name: 'f', arguments: '{}' } }] }, 'tool_calls')],
    ['a function call', answer({ content: null, function_call: { name: 'f', arguments: '{}' } }, 'function_call')],
    ['parts', answer({ content: [{ type: 'text', text: 'a' }] })],
    ['nothing, cut by its length', answer({ content: '' }, 'length')],
    ['nothing, filtered', answer({ content: '' }, 'content_filter')],
    ['one choice of two', { choices: [{ message: { content: '' }, finish_reason: 'stop' }, { message: { content: 'a' }, finish_reason: 'stop' }] }],
  ])('that is %s is an answer', (_, body) => {
    expect(isFailure(check(body))).toBe(false);
  });

  test.each<[string, unknown, Partial<Failure>]>([
    ['is a page', '<html>log in</html>', { class: 'Transient', detail: 'a body that is not JSON' }],
    ['has no body', '', { class: 'Transient', detail: 'an empty body' }],
    ['is a list', [], { class: 'Transient', detail: 'a body that is not a JSON object' }],
    ['is null', 'null', { class: 'Transient' }],
    ['has no choices', { id: 'x' }, { class: 'Transient', detail: 'an answer without choices' }],
    ['has empty choices', { choices: [] }, { class: 'Transient', detail: 'an answer without choices' }],
    ['has null for choices', { choices: null }, { class: 'Transient' }],
    ['is an error', { error: { message: 'x', code: 502 } }, { class: 'Transient', status: 502 }],
    ['is an error beside choices', { ...answer({ content: 'a' }), error: { message: 'x', type: 'insufficient_quota' } }, { class: 'Quota' }],
    ['is empty', answer({ content: '' }), { class: 'Content', detail: 'empty answer', answer: null }],
    ['has null for content', answer({ content: null }), { class: 'Content' }],
    ['has reasoning alone', answer({ content: '', reasoning_content: 'hm' }), { class: 'Content' }],
    ['ended in an error', answer({ content: 'a' }, 'error'), { class: 'Transient' }],
    ['ended for want of resources', answer({ content: '' }, 'insufficient_system_resource'), { class: 'Overload' }],
  ])('that %s is a failure', (_, body, expected) => {
    expect(check(body)).toMatchObject(expected);
  });

  test('as a stream has usage only where it was asked for, and its long numbers', () => {
    const body = '{"id":"c","seed":12345678901234567890,"choices":[{"index":0,"message":{"content":"a"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1}}';
    const text = (includeUsage: boolean): string => new TextDecoder().decode(streamOfAnswer(body, { includeUsage }));
    expect(text(true)).toContain('"choices":[],"usage":{"prompt_tokens":1}');
    expect(text(false)).not.toContain('usage');
    expect(text(false).match(/12345678901234567890/g)).toHaveLength(2);
    expect(text(false).endsWith('data: [DONE]\n\n')).toBe(true);
  });
});
