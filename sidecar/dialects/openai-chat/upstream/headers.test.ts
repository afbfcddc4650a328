import { describe, expect, test } from '@jest/globals';
import { goesUpstream, upstreamHeaders } from './headers.ts';

describe('headers of an application', () => {
  test.each([
    'Authorization', 'Proxy-Authorization', 'x-api-key', 'api-key', 'X-Goog-Api-Key', 'Cookie', 'x-auth-token', 'helicone-auth', 'x-portkey-api-key',
    'x-amz-security-token', 'OpenAI-Organization', 'OpenAI-Project', 'ocp-apim-subscription-key', 'cf-access-client-secret',
  ])('%s belongs to the application and never leaves', (name) => {
    expect(goesUpstream(name)).toBe(false);
  });

  test.each([
    'Host', 'Connection', 'Keep-Alive', 'TE', 'Trailer', 'Transfer-Encoding', 'Upgrade', 'Content-Length', 'Content-Encoding', 'Accept-Encoding', 'Expect',
    'X-Stainless-Retry-Count', 'x-belay-targets', 'X-Forwarded-For', 'Origin', 'Sec-Fetch-Mode', 'traceparent', 'X-Conversation-Id', 'Idempotency-Key', 'if-none-match',
  ])('%s is of this connection and stays', (name) => {
    expect(goesUpstream(name)).toBe(false);
  });

  test.each(['User-Agent', 'OpenAI-Beta', 'HTTP-Referer', 'X-Title', 'x-grok-conv-id', 'X-Client-Request-Id', 'x-user-id'])('%s is meant for the provider and passes', (name) => {
    expect(goesUpstream(name)).toBe(true);
  });

  test('those that pass keep their values under lower-cased names', () => {
    expect(upstreamHeaders({ 'X-Title': 'app', authorization: 'Bearer sk-app', accept: undefined, 'x-list': ['a', 'b'] })).toEqual({ 'x-title': 'app', 'x-list': ['a', 'b'] });
  });
});
