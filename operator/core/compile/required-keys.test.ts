import { expect, test } from '@jest/globals';
import { nodeTools, snapshotOf } from '../../../test/golden/compile/snapshot-of.ts';
import { requiredKeys } from './required-keys.ts';

test('each provider with credentials says which key it needs, and where alone it goes', () => {
  const credentials = 'credentials: { secretKeyRef: { name: keys, key: k } }';
  const providers = [
    ['openai', `{ preset: OpenAI, ${credentials} }`],
    ['box', `{ dialect: OpenAI, baseURL: "https://LLM.example:8443/v1/", ${credentials} }`],
    ['keyless', '{ preset: Groq }'],
    ['local', '{ local: { engine: LlamaCpp, model: { persistentVolumeClaim: { claimName: m, path: a.gguf } } } }'],
    ['refused', `{ dialect: OpenAI, baseURL: "http://llm.example/v1", ${credentials} }`],
  ].map(([name, spec]) => `kind: ModelProvider\nmetadata: { name: ${name} }\nspec: ${spec}\n`);
  expect(requiredKeys(snapshotOf(providers.join('---\n')), nodeTools)).toEqual([
    { provider: 'box', namespace: 'default', secretName: 'keys', secretKey: 'k', origin: 'https://llm.example:8443', keyVariable: null },
    { provider: 'openai', namespace: 'default', secretName: 'keys', secretKey: 'k', origin: 'https://api.openai.com', keyVariable: 'OPENAI_API_KEY' },
  ]);
});
