import { expect, test } from '@jest/globals';
import type { FailureClass } from '@belay/contract';
import type { Failure } from '@belay/sidecar/core/failure/failure.ts';
import { classifyAnswer } from '@belay/sidecar/dialects/openai-chat/upstream/failure.ts';
import { describeRecorded, errors } from './recordings.ts';

type Expected = readonly [FailureClass, Partial<Failure>?];

/** With model `*` these go back in the provider's own words: the application chose the model. */
const namesTheModel = new Set(['azure/error-404-deployment-not-found.json', 'groq/error-404-model.json']);

const expected: { readonly [name: string]: Expected } = {
  'openai-chat/error-400-invalid-image-url.json': ['Client', { detail: '400 invalid_image_url' }],
  'openai-chat/error-400-unsupported-parameter.json': ['Client', { detail: '400 unsupported_parameter' }],
  'openai-chat/error-401-invalid-key.json': ['Auth', { detail: '401 key refused', answer: null }],
  'azure/error-401.json': ['Auth'],
  'azure/error-404-deployment-not-found.json': ['Missing'],
  'azure/error-429-rate-limit.json': ['Rate', { retryAfterMs: 1_000, oversize: false, detail: '429, resets in 1 s' }],
  'groq/error-400-tool-use-failed.json': ['Content', { answer: null }],
  'groq/error-404-model.json': ['Missing'],
  'deepseek/error-400-bad-tool-history.json': ['Client'],
  'deepseek/error-401.json': ['Auth'],
  'xai/error-400-invalid-key.json': ['Auth', { answer: null }],
  'openrouter/error-401.json': ['Auth'],
  'openrouter/error-429.json': ['Rate', { retryAfterMs: null, detail: '429' }],
  'perplexity/error-400-context-length.json': ['Context'],
  'perplexity/error-401.json': ['Auth'],
  'ollama/error-400-context-length-cloud.json': ['Context'],
  'llamacpp-live/error-400-bad-schema.json': ['Client'],
  'llamacpp-live/error-400-context-length-stream.json': ['Context'],
  'llamacpp-live/error-400-context-length.json': ['Context', { detail: '400 prompt too long' }],
  'llamacpp-live/error-400-grammar-with-tools.json': ['Client'],
  'llamacpp-live/error-400-messages-type.json': ['Client'],
  'llamacpp-live/error-400-no-messages.json': ['Client'],
  'llamacpp-live/error-400-two-trailing-assistants.json': ['Client'],
  'llamacpp-live/error-401-no-key.json': ['Auth'],
  'llamacpp-live/error-401-wrong-key.json': ['Auth'],
  'llamacpp-live/error-404-route.json': ['Missing'],
  'llamacpp-live/error-500-bad-json.json': ['Client'],
  'llamacpp-live/error-500-image-unsupported.json': ['Client'],
  'llamacpp-live/error-501-embeddings-disabled.json': ['Transient'],
  'llamacpp-live/error-501-metrics-disabled.json': ['Transient'],
  'llamacpp-live/error-501-props-post.json': ['Transient'],
  'llamacpp-live/error-501-slots-disabled.json': ['Transient'],
  'llamacpp-live/error-503-loading-model.json': ['Loading', { detail: '503 loading its model' }],
  'llamacpp-live/error-503-no-slot.json': ['Overload'],
  'llamacpp-live/health-loading.json': ['Loading'],
  'llamacpp-live/metrics-loading.json': ['Loading'],
  'llamacpp-live/models-loading.json': ['Loading'],
  '_quoted/anthropic-429-rate_limit.json': ['Rate'],
  '_quoted/anthropic-529-overloaded.json': ['Overload'],
  '_quoted/azure-400-content_filter.json': ['Content'],
  '_quoted/gemini-503-high-demand.json': ['Overload'],
  '_quoted/gemini-503-overloaded.json': ['Overload'],
  '_quoted/llamacpp-401.json': ['Auth'],
  '_quoted/llamacpp-503-loading.json': ['Loading'],
  '_quoted/openai-429-insufficient_quota.json': ['Quota', { detail: '429 quota used up' }],
  '_quoted/openai-429-request-too-large.json': ['Rate', { oversize: true, retryAfterMs: null }],
  '_quoted/openai-429-tpm.json': ['Rate', { oversize: false, retryAfterMs: 1_574 }],
  '_quoted/vllm-401.json': ['Auth'],
  '_constructed/google-429-retry-info.json': ['Rate', { retryAfterMs: 34_400 }],
};

const found = errors();

describeRecorded('a recorded error', () => {
  test('has its class here, each of them', () => {
    expect(found.map(({ name }) => name).sort()).toEqual(Object.keys(expected).sort());
  });

  test.each(found.map((recording) => [recording.name, recording] as const))('%s', (name, { status, headers, body }) => {
    const [failureClass, more = {}] = expected[name] ?? ['Client'];
    const failed = classifyAnswer({ status, headers, body }, { preset: null, wallNowMs: Date.parse('2026-11-25T00:00:00Z'), promptBytes: 1_000 });
    expect(failed).toMatchObject({ class: failureClass, status, ...more });
    const returns = failureClass === 'Client' || failureClass === 'Context' || namesTheModel.has(name)
      || (failureClass === 'Content' && more.answer !== null);
    if (returns) expect(failed.answer).toMatchObject({ body, status: status >= 500 ? 400 : status });
    else expect(failed.answer).toBeNull();
  });
});
