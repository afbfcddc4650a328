import { describe, expect, test } from '@jest/globals';
import type { Failure } from '../../../core/failure/failure.ts';
import type { EventKind, StreamReader } from '../../dialect.ts';
import { createChatStreamReader, type StreamReaderOptions } from './stream.ts';

const encoder = new TextEncoder();
const role = '{"id":"c1","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null}';
const say = (content: string): string => `{"id":"c1","model":"m","choices":[{"index":0,"delta":{"content":${JSON.stringify(content)}},"finish_reason":null}],"usage":null}`;
const delta = (members: object, index = 0): string => JSON.stringify({ id: 'c1', model: 'm', choices: [{ index, delta: members, finish_reason: null }] });
const finish = (reason: string, index = 0): string => JSON.stringify({ id: 'c1', model: 'm', choices: [{ index, delta: {}, finish_reason: reason }], usage: null });
const usage = '{"id":"c1","model":"m","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}';
const done = '[DONE]';

interface Read {
  readonly reader: StreamReader;
  readonly kinds: EventKind[];
  readonly handedOn: string;
  readonly failure: Failure | null;
  readonly end: Failure | null;
}

function read(events: readonly string[], options: Partial<StreamReaderOptions> = {}): Read {
  const reader = createChatStreamReader({ preset: null, stripUsage: false, unary: false, ...options });
  const kinds: EventKind[] = [];
  let handedOn = '';
  let failed: Failure | null = null;
  for (const event of events) {
    const raw = /^(:|event:|data:|\n)/.test(event) ? event : `data: ${event}\n\n`;
    const { events: found, failure } = reader.push(encoder.encode(raw));
    for (const { kind, bytes } of found) {
      kinds.push(kind);
      if (kind !== 'Withheld') handedOn += new TextDecoder().decode(bytes);
    }
    failed ??= failure;
  }
  return { reader, kinds, handedOn, failure: failed, end: reader.end() };
}

const toolCall = (call: object): string => delta({ tool_calls: [call] });

describe('what an event means', () => {
  test.each<[string, string[], EventKind[]]>([
    ['a role frame is silence, text is content', [role, say('a'), say('b'), finish('stop'), done], ['Silence', 'Content', 'Content', 'Finish', 'End']],
    ['comments and blank lines are silence', [': ping\n\n', '\n', role, say('a'), finish('stop'), done], ['Silence', 'Silence', 'Silence', 'Content', 'Finish', 'End']],
    ['an empty delta is silence', [role, say(''), delta({}), delta({ content: null }), say('a'), finish('stop'), done], ['Silence', 'Silence', 'Silence', 'Silence', 'Content', 'Finish', 'End']],
    ['Azure\'s first chunk is silence', ['{"choices":[],"created":0,"id":"","model":"","prompt_filter_results":[{}]}', say('a'), finish('stop'), done], ['Silence', 'Content', 'Finish', 'End']],
    ['reasoning is reasoning', [delta({ reasoning_content: 'hm' }), delta({ reasoning: 'hm' }), say('a'), finish('stop'), done], ['Reasoning', 'Reasoning', 'Content', 'Finish', 'End']],
    ['Mistral\'s thinking part is reasoning', [delta({ content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] }] }), delta({ content: [{ type: 'text', text: 'a' }] }), finish('stop'), done], ['Reasoning', 'Content', 'Finish', 'End']],
    ['a refusal is content', [role, delta({ refusal: 'no' }), finish('stop'), done], ['Silence', 'Content', 'Finish', 'End']],
    ['a tool call is content from its name on', [toolCall({ index: 0, id: 'a', type: 'function', function: { arguments: '' } }), toolCall({ index: 0, function: { name: 'f' } }), toolCall({ index: 0, function: { arguments: '{}' } }), finish('tool_calls'), done], ['Silence', 'Content', 'Content', 'Finish', 'End']],
    ['content may come with its finish', ['{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}', done], ['Finish', 'End']],
    ['an empty finish reason is none', ['{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":""}]}', '{"choices":[{"index":0,"delta":{"content":"b"},"finish_reason":""}]}', finish('stop'), done], ['Content', 'Content', 'Finish', 'End']],
    ['an empty data field is not handed on', [role, 'data:\n\n', say('a'), finish('stop'), done], ['Silence', 'Withheld', 'Content', 'Finish', 'End']],
    ['a length without content explains itself', [role, finish('length'), done], ['Silence', 'Finish', 'End']],
    ['an event of another kind is silence', ['event: ping\ndata: {"type":"ping"}\n\n', say('a'), finish('stop'), done], ['Silence', 'Content', 'Finish', 'End']],
  ])('%s', (_, events, kinds) => {
    const result = read(events);
    expect(result.kinds).toEqual(kinds);
    expect([result.failure, result.end]).toEqual([null, null]);
  });

  test('the usage chunk is withheld where the application did not ask, and counted', () => {
    const events = [role, say('a'), finish('stop'), usage, done];
    expect(read(events).kinds[3]).toBe('Silence');
    const { kinds, handedOn, reader } = read(events, { stripUsage: true });
    expect(kinds[3]).toBe('Withheld');
    expect(handedOn).not.toContain('prompt_tokens');
    expect(reader.usage).toEqual({ promptTokens: 3, completionTokens: 2 });
    expect(reader.servedModel).toBe('m');
  });

  test('usage beside choices stays where it is', () => {
    const last = '{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2}}';
    const { kinds, reader } = read([say('a'), last, done], { stripUsage: true });
    expect(kinds).toEqual(['Content', 'Finish', 'End']);
    expect(reader.usage).toEqual({ promptTokens: 3, completionTokens: 2 });
  });

  test('reasoning tokens that xAI leaves out of the completion are counted', () => {
    const { reader } = read(['{"choices":[],"usage":{"prompt_tokens":12,"completion_tokens":1,"total_tokens":303,"completion_tokens_details":{"reasoning_tokens":290}}}']);
    expect(reader.usage).toEqual({ promptTokens: 12, completionTokens: 291 });
  });

  test('a tool call and a reasoning block are open until something else comes', () => {
    const reader = createChatStreamReader({ preset: null, stripUsage: false, unary: false });
    const open = (event: string): boolean => {
      reader.push(encoder.encode(`data: ${event}\n\n`));
      return reader.blockOpen;
    };
    expect([role, delta({ reasoning: 'hm' }), role, say('a'), say('b'), toolCall({ index: 0, id: 'a', type: 'function', function: { name: 'f' } }), say('c'),
      toolCall({ index: 0, function: { arguments: '{' } }), finish('tool_calls')].map(open)).toEqual([false, true, true, false, false, true, false, true, false]);
  });
});

describe('the end of a stream', () => {
  test.each<[string, string[], Partial<Failure> | null]>([
    ['a finish and [DONE] is whole', [say('a'), finish('stop'), done], null],
    ['a finish without [DONE] is whole', [say('a'), finish('stop')], null],
    ['no finish is a break', [say('a')], { class: 'Transient', detail: 'its stream ended before the answer was whole' }],
    ['nothing at all is a break', [], { class: 'Transient' }],
    ['[DONE] without a finish is a break', [say('a'), done], { class: 'Transient', detail: '[DONE] without a finish reason' }],
    ['one choice of two that ended is a break', [delta({ content: 'a' }), delta({ content: 'b' }, 1), finish('stop')], { class: 'Transient' }],
    ['a finish without content is an empty answer', [role, finish('stop'), done], { class: 'Content', detail: 'empty answer', answer: null }],
    ['reasoning alone is an empty answer', [delta({ reasoning: 'hm' }), finish('stop')], { class: 'Content', detail: 'empty answer' }],
    ['a last event without its blank line is none', [say('a'), 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n'], { class: 'Transient' }],
  ])('%s', (_, events, expected) => {
    const { end } = read(events);
    if (expected === null) expect(end).toBeNull();
    else expect(end).toMatchObject(expected);
  });

  test('[DONE] without a finish, and an empty answer\'s, is not handed on', () => {
    expect(read([say('a'), done])).toMatchObject({ kinds: ['Content'], failure: { detail: '[DONE] without a finish reason' } });
    expect(read([role, finish('stop'), done])).toMatchObject({ kinds: ['Silence', 'Silence'], failure: { class: 'Content' } });
  });

  test('after a good [DONE] nothing counts any more', () => {
    const events = [say('a'), finish('stop'), done, '{"error":{"message":"late"}}', 'nonsense'];
    const atOnce = events.map((event) => `data: ${event}\n\n`).join('');
    for (const pushed of [events, [atOnce]]) expect(read(pushed)).toMatchObject({ kinds: ['Content', 'Finish', 'End'], failure: null, end: null });
  });

  test('a choice that begins in a scanned event is known', () => {
    expect(read([delta({ content: 'a' }), delta({ content: 'b' }), delta({ content: 'c' }, 1), finish('stop')]).end).toMatchObject({ class: 'Transient' });
  });
});

describe('a failure inside a 200', () => {
  test.each<[string, string, Partial<Failure>]>([
    ['an error event by its type', '{"error":{"message":"m","type":"insufficient_quota","code":"insufficient_quota"}}', { class: 'Quota', status: 429 }],
    ['an error event by its status', 'event: error\ndata: {"error":{"message":"m","type":"invalid_request_error","code":"x","status_code":400}}\n\n', { class: 'Client', status: 400 }],
    ['a named event that is no JSON', 'event: error\ndata: upstream died\n\n', { class: 'Transient', status: 500 }],
    ['Anthropic\'s form', 'event: error\ndata: {"type":"error","error":{"details":null,"type":"overloaded_error","message":"Overloaded"} }\n\n', { class: 'Overload', status: 503 }],
    ['vLLM\'s form', '{"object":"error","message":"m","type":"BadRequestError","code":400}', { class: 'Client', status: 400 }],
    ['OpenRouter\'s chunk with choices', '{"id":"g","error":{"code":502,"message":"Provider disconnected"},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}', { class: 'Transient', status: 502 }],
    ['OpenRouter\'s chunk with an error beside text', '{"error":{"code":502,"message":"x"},"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":null}]}', { class: 'Transient', status: 502 }],
    ['OpenRouter\'s rate limit', '{"error":{"code":429,"message":"Provider returned error","metadata":{"raw":"{\\"error\\":{\\"code\\":\\"insufficient_quota\\",\\"message\\":\\"x\\"}}"}}}', { class: 'Quota', status: 429 }],
    ['a finish reason that says so', '{"choices":[{"index":0,"delta":{},"finish_reason":"error"}]}', { class: 'Transient' }],
    ['DeepSeek\'s shortage', '{"choices":[{"index":0,"delta":{},"finish_reason":"insufficient_system_resource"}]}', { class: 'Overload' }],
    ['an event that is not JSON', 'data: <html>\n\n', { class: 'Transient', detail: 'an event that is not a JSON object' }],
    ['an event that is cut', '{"choices":[{"index":0,"delta":{"content":"a"', { class: 'Transient' }],
    ['an event that is a list', '[]', { class: 'Transient' }],
    ['a model that loads', '{"error":{"message":"Loading model","type":"unavailable_error","code":503}}', { class: 'Loading', status: 503 }],
  ])('%s, before content and after', (_, event, expected) => {
    for (const before of [[role], [role, say('a'), say('b')]]) {
      const result = read([...before, event, say('later'), done]);
      expect(result.failure).toMatchObject(expected);
      expect(result.end).toBe(result.failure);
      expect(result.kinds).toHaveLength(before.length);
    }
  });

  test('an error member that says nothing is none', () => {
    expect(read(['{"error":null,"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}', '{"error":{},"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}']).end).toBeNull();
  });

  test('what a model writes is never taken for a member', () => {
    const written = say('"error": {"x":1}, "finish_reason":"stop", "usage": {}, "index": 3, "tool_calls": [1], "error"');
    expect(read([say('a'), written, written, finish('stop'), done]).kinds).toEqual(['Content', 'Content', 'Content', 'Finish', 'End']);
  });
});

describe('an answer that is gathered', () => {
  const half = 17 * 1024 * 1024;
  test.each<[string, (text: string) => string]>([
    ['text', say],
    ['arguments of a call', (text) => toolCall({ index: 0, id: 'x', type: 'function', function: { name: 'f', arguments: text } })],
  ])('may be as large as an answer may be, and no larger: %s', (_, piece) => {
    const pieces = Array.from({ length: 4 }, () => piece('a'.repeat(half / 2)));
    expect(read([role, ...pieces.slice(0, 3)], { unary: true }).failure).toBeNull();
    expect(read([role, ...pieces], { unary: true }).failure).toMatchObject({ class: 'Transient', detail: 'answer is larger than 32 MiB' });
    expect(read([role, ...pieces], { unary: false }).failure).toBeNull();
  });
});

describe('tool calls that SDKs would lose are mended', () => {
  const calls = (handedOn: string): unknown[] => handedOn.split('\n\n').filter((event) => event.includes('tool_calls')).flatMap((event) => {
    const chunk = JSON.parse(event.slice(6)) as { choices: { delta: { tool_calls?: unknown[] } }[] };
    return chunk.choices[0]?.delta.tool_calls ?? [];
  });

  test.each<[string, object[], object[]]>([
    ['without an index and a type (Mistral)', [{ id: 'x', function: { name: 'f', arguments: '{}' } }, { id: 'y', function: { name: 'g', arguments: '{}' } }],
      [{ id: 'x', index: 0, type: 'function', function: { name: 'f', arguments: '{}' } }, { id: 'y', index: 1, type: 'function', function: { name: 'g', arguments: '{}' } }]],
    ['all with index 0 (Ollama)', [{ index: 0, id: 'x', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }, { index: 0, id: 'y', type: 'function', function: { name: 'f', arguments: '{"b":2}' } }],
      [{ index: 0, id: 'x', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }, { index: 1, id: 'y', type: 'function', function: { name: 'f', arguments: '{"b":2}' } }]],
    ['all with index 0 and without ids', [{ index: 0, type: 'function', function: { name: 'f', arguments: '{"a":1}' } }, { index: 0, type: 'function', function: { name: 'f', arguments: '{"b":2}' } }],
      [{ index: 0, id: 'call_c1_0', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }, { index: 1, id: 'call_c1_1', type: 'function', function: { name: 'f', arguments: '{"b":2}' } }]],
    ['with a name on each piece of one call', [{ index: 0, id: 'x', type: 'function', function: { name: 'f', arguments: '{"a":' } }, { index: 0, function: { name: 'f', arguments: '{}}' } }, { index: 0, function: { name: 'f', arguments: '' } }],
      [{ index: 0, id: 'x', type: 'function', function: { name: 'f', arguments: '{"a":' } }, { index: 0, function: { name: 'f', arguments: '{}}' } }, { index: 0, function: { name: 'f', arguments: '' } }]],
    ['without any id (Gemini)', [{ type: 'function', function: { name: 'f', arguments: '{}' } }], [{ index: 0, id: 'call_c1_0', type: 'function', function: { name: 'f', arguments: '{}' } }]],
    ['with arguments that are an object', [{ index: 0, id: 'x', type: 'function', function: { name: 'f', arguments: { a: 1 } } }], [{ index: 0, id: 'x', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }]],
  ])('%s', (_, given, expected) => {
    expect(calls(read([role, ...given.map(toolCall), finish('tool_calls'), done]).handedOn)).toEqual(expected);
  });

  test('sound ones keep their bytes', () => {
    const events = [role, toolCall({ index: 0, id: 'x', type: 'function', function: { name: 'f', arguments: '' } }), toolCall({ index: 0, function: { arguments: '{}' } }), finish('tool_calls'), done];
    expect(read(events).handedOn).toBe(events.map((event) => `data: ${event}\n\n`).join(''));
  });

  test('and so is a choice that never names its role, once', () => {
    const { handedOn } = read([say('a'), say('b'), delta({ content: 'c' }, 1), finish('stop'), finish('stop', 1), done]);
    expect(handedOn.split('\n\n').flatMap((event, place) => (event.includes('"role":"assistant"') ? [place] : []))).toEqual([0, 2]);
  });

  test('long numbers beside them keep their digits', () => {
    const event = '{"seed":12345678901234567890,"choices":[{"index":0,"delta":{"tool_calls":[{"id":"x","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}';
    expect(read([event, done]).handedOn).toContain('"seed":12345678901234567890');
  });
});

describe('gathered for a unary client', () => {
  const gather = (events: readonly string[]): unknown => {
    const { reader, end } = read(events, { unary: true, stripUsage: true });
    expect(end).toBeNull();
    return JSON.parse(reader.answer());
  };

  test('text, usage and what else the chunks said', () => {
    const first = '{"id":"c1","object":"chat.completion.chunk","created":7,"model":"m","system_fingerprint":"fp","service_tier":"default","obfuscation":"x","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"usage":null}';
    expect(gather([first, say('Al'), say('pha'), finish('stop'), usage, done])).toEqual({
      id: 'c1', object: 'chat.completion', created: 7, model: 'm', system_fingerprint: 'fp', service_tier: 'default',
      choices: [{ index: 0, message: { role: 'assistant', content: 'Alpha', refusal: null }, logprobs: null, finish_reason: 'stop' }],
      usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
    });
  });

  test('several choices, each with its own text, calls and logprobs', () => {
    const part = (index: number, members: object): string => JSON.stringify({ choices: [{ index, finish_reason: null, ...members }] });
    expect(gather([
      part(1, { delta: { content: 'B' }, logprobs: { content: [{ token: 'B' }], refusal: null } }), part(0, { delta: { content: 'A' } }),
      part(1, { delta: { content: 'b' }, logprobs: { content: [{ token: 'b' }] } }), finish('stop', 1), finish('length'), done,
    ])).toMatchObject({
      choices: [
        { index: 0, message: { content: 'A' }, finish_reason: 'length' },
        { index: 1, message: { content: 'Bb' }, logprobs: { content: [{ token: 'B' }, { token: 'b' }], refusal: null }, finish_reason: 'stop' },
      ],
    });
  });

  const assembled = (given: object[]): unknown => (gather([role, ...given.map(toolCall), finish('tool_calls'), done]) as { choices: { message: { tool_calls: unknown } }[] }).choices[0]?.message.tool_calls;
  const call = (id: string, name: string, args: string): object => ({ id, type: 'function', function: { name, arguments: args } });

  test.each<[string, object[], object[]]>([
    ['in pieces (OpenAI)', [{ index: 0, id: 'x', type: 'function', function: { name: 'f', arguments: '' } }, { index: 0, function: { arguments: '{"a":' } }, { index: 0, function: { arguments: '1}' } }], [call('x', 'f', '{"a":1}')]],
    ['with an empty id on continuations (Qwen)', [{ index: 0, id: 'x', type: 'function', function: { name: 'f', arguments: '' } }, { index: 0, id: '', type: 'function', function: { arguments: '{}' } }], [call('x', 'f', '{}')]],
    ['with an empty name on continuations (hosted GLM)', [{ index: 0, id: 'x', type: 'function', function: { name: 'f', arguments: '' } }, { index: 0, type: 'function', function: { name: '', arguments: '{}' } }], [call('x', 'f', '{}')]],
    ['with another id on each continuation (as some servers write)', [{ index: 0, id: 'x', type: 'function', function: { name: 'f' } }, { index: 0, id: 'y', function: { arguments: '{}' } }], [call('x', 'f', '{}')]],
    ['with the name repeated', [{ index: 0, id: 'x', type: 'function', function: { name: 'f', arguments: '{' } }, { index: 0, id: 'x', function: { name: 'f', arguments: '}' } }], [call('x', 'f', '{}')]],
    ['side by side', [{ index: 0, id: 'x', type: 'function', function: { name: 'f', arguments: '{' } }, { index: 1, id: 'y', type: 'function', function: { name: 'g', arguments: '[' } }, { index: 0, function: { arguments: '}' } }, { index: 1, function: { arguments: ']' } }], [call('x', 'f', '{}'), call('y', 'g', '[]')]],
    ['under one index', [{ index: 0, id: 'x', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }, { index: 0, id: 'y', type: 'function', function: { name: 'f', arguments: '{"b":2}' } }], [call('x', 'f', '{"a":1}'), call('y', 'f', '{"b":2}')]],
    ['under one id', [{ index: 0, id: 'x', type: 'function', function: { name: 'f', arguments: '{}' } }, { index: 1, id: 'x', type: 'function', function: { name: 'g', arguments: '{' } }, { index: 1, id: 'x', function: { arguments: '}' } }], [call('x', 'f', '{}'), call('x', 'g', '{}')]],
    ['that begin at a high index', [{ index: 3, id: 'x', type: 'function', function: { name: 'f', arguments: '{}' } }], [call('x', 'f', '{}')]],
    ['without arguments', [{ index: 0, id: 'x', type: 'function', function: { name: 'f', arguments: '' } }], [call('x', 'f', '{}')]],
    ['with members of their own', [{ index: 0, id: 'x', type: 'function', function: { name: 'f', arguments: '{}' }, extra_content: { google: { thought_signature: 's' } } }], [{ ...call('x', 'f', '{}'), extra_content: { google: { thought_signature: 's' } } }]],
    ['of a custom tool', [{ index: 0, id: 'x', type: 'custom', custom: { name: 'f', input: 'a' } }, { index: 0, custom: { input: 'b' } }], [{ id: 'x', type: 'custom', custom: { name: 'f', input: 'ab' } }]],
  ])('tool calls %s', (_, given, expected) => {
    expect(assembled(given)).toEqual(expected);
  });

  test('reasoning under each of its names', () => {
    expect(gather([
      delta({ role: 'assistant', reasoning_content: 'a' }), delta({ reasoning_content: 'b', content: null }), delta({ reasoning: 'c' }), delta({ reasoning: 'd' }),
      delta({ reasoning_details: [{ type: 'reasoning.text', text: 'e', index: 0 }] }), delta({ reasoning_details: [{ type: 'reasoning.text', text: 'f', index: 0 }] }), delta({ reasoning_details: [{ type: 'reasoning.text', signature: 's', index: 0 }] }),
      say('x'), finish('stop'), done,
    ])).toMatchObject({ choices: [{ message: { role: 'assistant', content: 'x', reasoning_content: 'ab', reasoning: 'cd', reasoning_details: [{ type: 'reasoning.text', text: 'ef', index: 0, signature: 's' }] } }] });
  });

  test('Mistral\'s parts', () => {
    expect(gather([
      role, delta({ content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'a' }] }] }), delta({ content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'b' }], closed: true }, { type: 'text', text: '1' }] }),
      delta({ content: '44' }), finish('stop'), done,
    ])).toMatchObject({ choices: [{ message: { content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'ab' }], closed: true }, { type: 'text', text: '144' }] } }] });
  });

  test('a finish reason that is said twice is the first', () => {
    expect(gather([say('a'), finish('tool_calls'), finish('stop'), done])).toMatchObject({ choices: [{ finish_reason: 'tool_calls' }] });
  });

  test('Groq\'s usage inside its own member', () => {
    expect(gather([say('a'), '{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"x_groq":{"id":"r","usage":{"prompt_tokens":1,"completion_tokens":2}}}'])).toMatchObject({ usage: { prompt_tokens: 1, completion_tokens: 2 }, x_groq: { id: 'r' } });
  });

  test('numbers that JavaScript cannot hold', () => {
    const { reader } = read(['{"seed":12345678901234567890,"choices":[{"index":0,"seed":98765432109876543210,"delta":{"content":"a"},"finish_reason":"stop"}]}'], { unary: true });
    expect(reader.answer()).toContain('"seed":12345678901234567890');
    expect(reader.answer()).toContain('"seed":98765432109876543210');
  });
});
