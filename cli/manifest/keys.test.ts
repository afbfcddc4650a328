import { describe, expect, test } from '@jest/globals';
import { findManifests } from './manifest-files.ts';
import { compileTools, validateManifests } from '../validate/validate-manifests.ts';
import { keyVariableFor, resolveKeys } from './keys.ts';

const provider = (name: string, spec: string): string => `---
apiVersion: belay.dev/v1alpha1
kind: ModelProvider
metadata: { name: ${name}, namespace: a }
spec: { ${spec}, credentials: { secretKeyRef: { name: keys, key: apiKey } } }
`;
const chain = `---
apiVersion: belay.dev/v1alpha1
kind: FallbackChain
metadata: { name: chat, namespace: a }
spec: { targets: [ { providerRef: { name: openai }, model: m } ] }
`;
const secret = (body: string, namespace = 'a'): string => `---\napiVersion: v1\nkind: Secret\nmetadata: { name: keys, namespace: ${namespace} }\n${body}\n`;

async function resolve(text: string, env: Record<string, string> = {}) {
  const { namespaces, resources } = await validateManifests({ files: [{ name: 'a.yaml', text }], faults: [] }, { namespace: 'a', use: 'Machine' });
  const [namespace] = namespaces;
  if (namespace === undefined) throw new Error('the manifests hold no namespace a');
  return resolveKeys({ resources, snapshot: namespace.snapshot, tools: compileTools, env });
}

async function load(text: string, env: Record<string, string> = {}) {
  const { keys, problems } = await resolve(text, env);
  return { keys: keys.map(({ provider: name, secret: key, origin }) => ({ name, key: key.reveal(), origin })), problems };
}

const openai = provider('openai', 'preset: OpenAI') + chain;
const origin = 'https://api.openai.com';

describe('a key is found', () => {
  test.each([
    ['in stringData of its Secret in the files', openai + secret('stringData: { apiKey: sk-1 }'), {}, 'sk-1'],
    ['in data, which is base64', openai + secret(`data: { apiKey: ${Buffer.from('sk-2\n').toString('base64')} }`), {}, 'sk-2'],
    ['in stringData rather than in data', openai + secret('data: { apiKey: eA== }\nstringData: { apiKey: sk-3 }'), {}, 'sk-3'],
    ['in the Secret rather than in the environment', openai + secret('stringData: { apiKey: sk-1 }'), { OPENAI_API_KEY: 'env' }, 'sk-1'],
    ['in the variable that its SDK reads', openai, { OPENAI_API_KEY: ' env\n' }, 'env'],
    ['in the variable of its own name', openai, { BELAY_KEY_OPENAI: 'own' }, 'own'],
    ['in the variable of its own name before the one that all of its preset share', openai, { BELAY_KEY_OPENAI: 'own', OPENAI_API_KEY: 'env' }, 'own'],
    ['beside a variable that is set to nothing', openai, { BELAY_KEY_OPENAI: ' ', OPENAI_API_KEY: 'env' }, 'env'],
    ['beside a Secret of the same name in another namespace', openai + secret('stringData: { apiKey: other }', 'b'), { OPENAI_API_KEY: 'env' }, 'env'],
  ])('%s', async (_title, text, env, key) => {
    expect(await load(text, env as Record<string, string>)).toEqual({ keys: [{ name: 'openai', key, origin }], problems: [] });
  });

  test('for the origin of its own address alone', async () => {
    const { keys } = await load(provider('openai', 'preset: OpenAI, baseURL: "http://127.0.0.1:9001/v1"') + chain, { OPENAI_API_KEY: 'k' });
    expect(keys).toEqual([{ name: 'openai', key: 'k', origin: 'http://127.0.0.1:9001' }]);
  });
});

describe('a key that is missing or cannot be sent is told with its place, and never printed', () => {
  test.each([
    ['none anywhere, with both ways to give it', openai, {}, 'warning', 'SecretNotFound', 'provider openai has no key, so that its targets are left out: set OPENAI_API_KEY or BELAY_KEY_OPENAI, or add the Secret keys with the key apiKey to the manifests'],
    ['a Secret without it', openai + secret('stringData: { key: x }'), { OPENAI_API_KEY: 'env' }, 'error', 'SecretKeyMissing', 'Secret keys has no key "apiKey": add it under stringData, or name one that it has'],
    ['data that is no base64', openai + secret('data: { apiKey: sk-hidden }'), {}, 'error', 'SecretKeyInvalid', 'the key apiKey of Secret keys is not base64, which data takes: write the key itself under stringData'],
    ['a number that was not quoted', openai + secret('stringData: { apiKey: 12345 }'), {}, 'error', 'SecretKeyInvalid', 'the key apiKey of Secret keys must be text: quote it'],
    ['a line break inside', openai, { OPENAI_API_KEY: 'sk-\nhidden' }, 'error', 'SecretKeyInvalid', 'OPENAI_API_KEY holds a line break or a character beyond ASCII, which no header can carry: is it the key alone?'],
    ['typographic quotes', openai, { BELAY_KEY_OPENAI: '“hidden”' }, 'error', 'SecretKeyInvalid', 'BELAY_KEY_OPENAI holds a line break or a character beyond ASCII, which no header can carry: is it the key alone?'],
    ['nothing but spaces', openai + secret('stringData: { apiKey: "  " }'), {}, 'error', 'SecretKeyInvalid', 'the key apiKey of Secret keys is empty'],
  ])('%s', async (_title, text, env, severity, reason, message) => {
    const { problems } = await load(text, env as Record<string, string>);
    expect(problems).toEqual([expect.objectContaining({ severity, reason, message, file: 'a.yaml', line: 5, resource: 'ModelProvider a/openai' })]);
    expect(JSON.stringify(problems)).not.toMatch(/hidden|12345/);
  });
});

test('the variable of a provider is its name in capitals', () => {
  expect(['on-prem', 'gpu.pool', 'a1'].map(keyVariableFor)).toEqual(['BELAY_KEY_ON_PREM', 'BELAY_KEY_GPU_POOL', 'BELAY_KEY_A1']);
});

test('a key prints as nothing, and its version changes with it', async () => {
  const versions = new Set<string>();
  for (const env of ['a', 'a', 'b']) {
    const [key] = (await resolve(openai, { OPENAI_API_KEY: env })).keys;
    expect(JSON.stringify(key)).toContain('[redacted]');
    expect(key?.secret.reveal()).toBe(env);
    versions.add(key?.version ?? '');
  }
  expect(versions.size).toBe(2);
});

test('the examples are valid, and say which keys they want', async () => {
  const found = findManifests([new URL('../../examples/quickstart', import.meta.url).pathname]);
  const { namespaces, problems, resources } = await validateManifests(found, { namespace: null, use: 'Cluster' });
  expect(problems).toEqual([]);
  const snapshot = namespaces[0]?.snapshot;
  if (snapshot === undefined) throw new Error('no namespace');
  expect(resolveKeys({ resources, snapshot, tools: compileTools, env: {} }).problems.map(({ reason }) => reason)).toEqual(['SecretNotFound', 'SecretNotFound']);
});
