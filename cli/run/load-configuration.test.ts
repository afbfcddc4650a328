import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { loadConfiguration } from './load-configuration.ts';
import { configurationFromJSON, configurationToJSON } from './configuration-json.ts';
import { starterManifests } from './starter-manifests.ts';

let folder = '';
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'belay-load-')); });
afterEach(() => rmSync(folder, { recursive: true }));

const chain = (targets: string, namespace = 'support'): string => `apiVersion: belay.dev/v1alpha1
kind: FallbackChain
metadata: { name: chat, namespace: ${namespace} }
spec: { targets: [${targets}] }
---
`;
const provider = (name: string, spec: string, namespace = 'support'): string => `apiVersion: belay.dev/v1alpha1
kind: ModelProvider
metadata: { name: ${name}, namespace: ${namespace} }
spec: ${spec}
---
`;
const keyed = '{ preset: OpenAI, credentials: { secretKeyRef: { name: openai, key: apiKey } } }';
const local = '{ local: { engine: LlamaCpp, model: { persistentVolumeClaim: { claimName: models, path: q/qwen.gguf } }, parallel: 3 } }';
const to = (name: string): string => `{ providerRef: { name: ${name} }, model: m }`;

const load = (text: string, env: NodeJS.ProcessEnv = {}, namespace: string | null = null) => {
  writeFileSync(join(folder, 'chain.yaml'), text);
  return loadConfiguration({ paths: [folder], starter: null, namespace }, env);
};
const loaded = async (...args: Parameters<typeof load>) => {
  const result = await load(...args);
  if (!result.ok) throw new Error(result.problems.join('\n'));
  return result.value;
};

describe('the configuration of belay run', () => {
  test('holds table, keys from the environment, and local models with the defaults of their CRD', async () => {
    const { table, keys, localModels, warnings } = await loaded(chain(`${to('openai')}, ${to('small')}`) + provider('openai', keyed) + provider('small', local), { OPENAI_API_KEY: ' sk-1\n' });
    expect(table).toMatchObject({ namespace: 'support', chains: [{ name: 'chat', unroutable: null }] });
    expect(table.providers.find(({ name }) => name === 'small')).toMatchObject({ address: 'local:small', concurrency: 3 });
    expect(keys.map(({ provider: name, origin, secret }) => [name, origin, secret.reveal()])).toEqual([['openai', 'https://api.openai.com', 'sk-1']]);
    expect(localModels).toEqual([{ name: 'small', path: 'q/qwen.gguf', contextTokens: 4096, parallel: 3 }]);
    expect(warnings).toEqual([]);
  });

  test('starts no server for a local model that no chain uses or that is suspended', async () => {
    const text = chain(`${to('openai')}, ${to('paused')}`) + provider('openai', keyed) + provider('unused', local) + provider('paused', local.replace('{ local', '{ suspend: true, local'));
    expect((await loaded(text, { OPENAI_API_KEY: 'sk-1' })).localModels).toEqual([]);
  });

  test('a reference that leads nowhere costs its target and is said with its place; the rest is served', async () => {
    const { table, warnings } = await loaded(chain(`${to('openai')}, ${to('opnai')}`) + provider('openai', keyed), { OPENAI_API_KEY: 'sk-1' });
    expect(table.chains[0]?.targets.map(({ name }) => name)).toEqual(['openai']);
    expect(warnings).toEqual([expect.stringMatching(/chain\.yaml:4:\d+: error: spec\.targets\[1\]\.providerRef\.name: .*opnai.*\(ProviderNotFound\)$/)]);
  });

  test('a missing key is said, and names the variables that would hold it', async () => {
    expect((await loaded(chain(to('openai')) + provider('openai', keyed))).warnings.join('\n')).toMatch(/OPENAI_API_KEY.*BELAY_KEY_OPENAI/);
  });

  test('what another namespace shares is served with its key and its local model, and what is wrong with it is said', async () => {
    const share = (spec: string) => spec.replace('{ ', '{ allowedNamespaces: { from: All }, ');
    const far = (name: string) => `{ providerRef: { name: ${name}, namespace: models }, model: m }`;
    const text = chain(`${far('openai')}, ${far('small')}`) + provider('openai', share(keyed), 'models') + provider('small', share(local), 'models');
    const { table, keys, localModels } = await loaded(text, { OPENAI_API_KEY: 'sk-1' });
    expect(table.providers.map(({ name, address }) => [name, address])).toEqual([['models/openai', 'https://api.openai.com/v1'], ['models/small', 'local:models/small']]);
    expect(keys.map(({ provider: name, secret }) => [name, secret.reveal()])).toEqual([['models/openai', 'sk-1']]);
    expect(localModels).toEqual([{ name: 'models/small', path: 'q/qwen.gguf', contextTokens: 4096, parallel: 3 }]);
    expect((await loaded(text)).warnings).toEqual([expect.stringMatching(/chain\.yaml:\d+:\d+: warning: .*set OPENAI_API_KEY or BELAY_KEY_MODELS_OPENAI, or add the Secret openai/)]);
  });

  test('what another namespace does not share is neither served nor is its key read', async () => {
    const text = chain(`${to('small')}, { providerRef: { name: openai, namespace: models }, model: m }`) + provider('small', local) + provider('openai', keyed, 'models');
    const { table, keys, warnings } = await loaded(text, { OPENAI_API_KEY: 'sk-1' });
    expect({ providers: table.providers.map(({ name }) => name), keys }).toEqual({ providers: ['small'], keys: [] });
    expect(warnings).toEqual([expect.stringContaining('ModelProvider "openai" of namespace models is not shared with namespace support')]);
  });

  test('what another namespace lacks is none of its business', async () => {
    const text = chain(to('openai')) + provider('openai', keyed) + chain(to('nobody'), 'other') + provider('up', '{ preset: VLLM, baseURL: "http://127.0.0.1:9/v1" }', 'other');
    const { table, warnings } = await loaded(text, { OPENAI_API_KEY: 'sk-1' }, 'support');
    expect(table.namespace).toBe('support');
    expect(warnings).toEqual([]);
  });

  test.each<[string, string, RegExp]>([
    ['a broken rule', chain(''), /^.*chain\.yaml:4:\d+: error: spec\.targets: /],
    ['an unknown field', chain(to('openai')).replace('spec: {', 'spec: { latncyBudget: 2s,') + provider('openai', keyed), /did you mean latencyBudget\?/],
    ['text that is no YAML', 'kind: [', /chain\.yaml:1:\d+: error: not YAML/],
    ['chains in two namespaces', chain(to('openai')) + provider('openai', keyed) + chain(to('openai'), 'other') + provider('openai', keyed, 'other'), /^chains stand in 2 namespaces, other, support: choose one with -n$/],
  ])('%s is refused', async (_sentence, text, message) => {
    expect(await load(text, { OPENAI_API_KEY: 'sk-1' })).toEqual({ ok: false, problems: [expect.stringMatching(message)] });
  });

  test('passes through a pipe whole, and its keys print as nothing on the other side', async () => {
    const configuration = await load(chain(to('openai')) + provider('openai', keyed), { OPENAI_API_KEY: 'sk-1' });
    const other = configurationFromJSON(configurationToJSON(configuration));
    expect(JSON.parse(JSON.stringify(other))).toEqual(JSON.parse(JSON.stringify(configuration)));
    expect(JSON.stringify(other)).not.toContain('sk-1');
    expect(other.ok && other.value.keys[0]?.secret.reveal()).toBe('sk-1');
  });
});

describe('manifests to start from', () => {
  test('are a chain of the providers whose keys are set, which is served without a warning', async () => {
    const env = { GROQ_API_KEY: 'g', OPENAI_API_KEY: 'o', MISTRAL_API_KEY: '  ' };
    const result = await loadConfiguration({ paths: [], starter: starterManifests(env), namespace: null }, env);
    expect(result).toMatchObject({ ok: true, value: { warnings: [], keys: [{ provider: 'groq' }, { provider: 'openai' }], table: { chains: [{ modelNames: ['chat', 'gpt-4o'], targets: [{ name: 'openai' }, { name: 'groq' }] }] } } });
  });

  test('have at most the targets that a chain may have', () => {
    const all = ['OPENAI', 'GROQ', 'DEEPSEEK', 'MISTRAL', 'TOGETHER', 'FIREWORKS', 'XAI', 'OPENROUTER', 'CEREBRAS'].map((name) => [`${name}_API_KEY`, 'k'] as const);
    expect(starterManifests(Object.fromEntries(all))?.match(/kind: ModelProvider/g)).toHaveLength(8);
  });

  test('are none where no key is set', () => {
    expect(starterManifests({ OPENAI_API_KEY: '' })).toBeNull();
  });
});
