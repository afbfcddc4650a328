/**
 * Which of an application's headers reach a provider. What the application says to the provider passes, as it would
 * without Belay (OpenAI-Beta, X-Title, user-agent and whatever a server of one's own reads); these never do:
 * - of the one connection: hop-by-hop (RFC 9110, 7.6.1), addresses and encodings that Belay's own request sets anew;
 * - credentials, by name and by look: the key that is sent is the provider's alone;
 * - OpenAI-Organization and OpenAI-Project, which belong to the application's key;
 * - what is told to Belay (`x-belay-*`, `x-stainless-*`), a browser (`sec-*`) or the path here (`x-forwarded-*`, traces);
 * - X-Conversation-Id: it makes llama.cpp go on generating after a hang-up (tools/server, replay);
 * - Idempotency-Key: a provider would answer a retry with the failure that it has stored for the key.
 */
export function goesUpstream(name: string): boolean {
  const lower = name.toLowerCase();
  return !neverByName.has(lower) && !neverByLook.test(lower);
}

/** The application's headers that go upstream, with lower-cased names; values of repeated ones are kept apart. */
export function upstreamHeaders<Value>(headers: { readonly [name: string]: Value | undefined }): { [name: string]: Value } {
  const passed: { [name: string]: Value } = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && goesUpstream(name)) passed[name.toLowerCase()] = value;
  }
  return passed;
}

const neverByName = new Set([
  'connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'expect', 'http2-settings',
  'host', 'content-length', 'content-type', 'content-encoding', 'accept', 'accept-encoding', 'date', 'via', 'forwarded', 'x-real-ip',
  'openai-organization', 'openai-project', 'x-conversation-id', 'idempotency-key',
  'origin', 'referer', 'traceparent', 'tracestate', 'baggage', 'b3', 'uber-trace-id', 'x-amzn-trace-id', 'x-cloud-trace-context',
]);

const neverByLook = /auth|api-?key|-key$|token|secret|cookie|credential|password|^x-(belay|stainless|forwarded|envoy|b3)-|^(proxy|sec|access-control|if)-/;
