import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseChatRequest } from '../client/request.ts';
import type { UpstreamRequestOptions } from '../../dialect.ts';
import { upstreamRequest } from './request.ts';

function sent(text: string, options: Partial<UpstreamRequestOptions> = {}): string {
  const request = parseChatRequest(new TextEncoder().encode(text));
  if (!request.ok) throw new Error(JSON.stringify(request.problems));
  const { path, body } = upstreamRequest(request.value, { model: 'target-model', stream: false, preset: null, ...options });
  expect(path).toBe('/chat/completions');
  return new TextDecoder().decode(body);
}

describe('a request on its way to a target', () => {
  test.each<[string, Partial<UpstreamRequestOptions>, string, string]>([
    ['gets the target\'s model and keeps the rest', {}, '{"model":"m","messages":[{"model":"m"}],"seed":12345678901234567890,"x": 1.0 }', '{"model":"target-model","messages":[{"model":"m"}],"seed":12345678901234567890,"x": 1.0 }'],
    ['has every repeated model replaced', {}, '{"model":"a","messages":[],"m\\u006fdel":"b"}', '{"model":"target-model","messages":[],"m\\u006fdel":"target-model"}'],
    ['loses belay wherever it stands', {}, '{"belay":{"targets":"a,}b"},"model":"m","messages":[],"belay":null}', '{"model":"target-model","messages":[]}'],
    ['asked unary, keeps a stream that is off and loses its options', {}, '{"stream": false,"model":"m","stream_options":{"include_usage":true},"messages":[]}', '{"stream": false,"model":"target-model","messages":[]}'],
    ['asked unary for a client that streams, turns stream off', {}, '{"stream":true,"model":"m","messages":[]}', '{"stream":false,"model":"target-model","messages":[]}'],
    ['asked as a stream, gains both members', { stream: true }, '{"model":"m","messages":[]}', '{"model":"target-model","messages":[],"stream":true,"stream_options":{"include_usage":true}}'],
    ['asked as a stream, has its own members changed in their place', { stream: true }, '{"stream":false,"model":"m","stream_options":null,"messages":[]}', '{"stream":true,"model":"target-model","stream_options":{"include_usage":true},"messages":[]}'],
    ['keeps other stream options', { stream: true }, '{"model":"m","messages":[],"stream":true,"stream_options":{"include_obfuscation": false}}', '{"model":"target-model","messages":[],"stream":true,"stream_options":{"include_obfuscation": false,"include_usage":true}}'],
    ['asks for usage where the application said no', { stream: true }, '{"model":"m","messages":[],"stream":true,"stream_options":{"include_usage":false}}', '{"model":"target-model","messages":[],"stream":true,"stream_options":{"include_usage":true}}'],
    ['leaves stream options of the wrong kind to the provider', { stream: true }, '{"model":"m","messages":[],"stream":true,"stream_options":5}', '{"model":"target-model","messages":[],"stream":true,"stream_options":5}'],
    ['to Mistral goes without stream options', { stream: true, preset: 'Mistral' }, '{"model":"m","messages":[],"stream":true,"stream_options":{"include_usage":true}}', '{"model":"target-model","messages":[],"stream":true}'],
    ['loses a byte order mark', {}, '\ufeff{"model":"m","messages":[]}', '{"model":"target-model","messages":[]}'],
    ['escapes the model\'s name', { model: 'a"b\\c' }, '{"model":"m","messages":[]}', '{"model":"a\\"b\\\\c","messages":[]}'],
  ])('%s', (_, options, text, expected) => {
    expect(sent(text, options)).toBe(expected);
  });

  test('means the same as the parsed request with those members changed, whatever else is in it', () => {
    const names = fc.oneof(fc.string(), fc.constantFrom('stream', 'stream_options', 'belay', 'temperature'));
    fc.assert(fc.property(fc.dictionary(names, fc.jsonValue()), fc.boolean(), (more, stream) => {
      const { stream: _stream, stream_options: options, belay: _belay, ...others } = more;
      const given = { ...more, stream: true, belay: {}, model: 'm', messages: ['x'] };
      const out = JSON.parse(sent(JSON.stringify(given), { stream })) as { [name: string]: unknown };
      const { stream: gotStream, stream_options: gotOptions, ...got } = out;
      expect(got).toEqual(JSON.parse(JSON.stringify({ ...others, model: 'target-model', messages: ['x'] })));
      expect(gotStream).toBe(stream);
      if (!stream) expect(gotOptions).toBeUndefined();
      else if (options === undefined || options === null) expect(gotOptions).toEqual({ include_usage: true });
    }));
  });
});
