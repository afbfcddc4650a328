import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { maxBodyBytes } from '@belay/contract';
import { startBelay, until } from '../support/belay-process.ts';
import { sendChat } from '../support/chat-client.ts';
import { chainManifest, providerManifests, type Fields } from '../support/manifests.ts';
import { rigsOfTest } from '../support/rig.ts';

jest.setTimeout(60_000);

const rigs = rigsOfTest();
afterEach(() => rigs.closeAll());

const messages = [{ role: 'user', content: 'Hi' }];

describe('a request that cannot be served gets one clear sentence, and the next one is served', () => {
  test.each<[string, string | Fields, number, RegExp]>([
    ['a model that no chain serves', { model: 'gpt-9', messages }, 404, /"gpt-9" is in no chain of namespace default\. Chains: chat \(model-of-a\)\. Add it to spec\.modelNames/],
    ['a body that is not JSON', '{"model": "chat", ', 400, /JSON/],
    ['a body that is a list', '[]', 400, /object/],
    ['a body without a model', { messages }, 400, /model/],
    ['a model that is no text', { model: 7, messages }, 400, /model/],
    ['nothing at all', '', 400, /JSON|empty/],
  ])('%s', async (_title, body, status, said) => {
    const rig = await rigs.open({ a: [{ say: 'Alpha' }] });
    const outcome = await sendChat({ baseUrl: rig.belay.baseUrl, body });
    expect(outcome).toMatchObject({ status, end: 'json', error: { message: expect.stringMatching(said), type: 'invalid_request_error' } });
    expect(rig.a.requests).toHaveLength(0);
    expect(await rig.ask()).toMatchObject({ status: 200, text: 'Alpha' });
  });

  test.each([true, false])('a body over the cap is 413, whether its length is declared: %s', async (declared) => {
    const rig = await rigs.open({ a: [{ say: 'Alpha' }] });
    const outcome = await rig.ask({ messages: [{ role: 'user', content: 'x'.repeat(maxBodyBytes) }] }, { chunked: !declared });
    expect(outcome).toMatchObject({ status: 413, error: { message: expect.stringMatching(/32 MiB/) } });
    expect(rig.a.requests).toHaveLength(0);
    expect(await rig.ask()).toMatchObject({ status: 200, text: 'Alpha' });
  });

  test('a path that is not served is 404 and says which are; a wrong method is 405', async () => {
    const rig = await rigs.open({ a: [{ say: 'Alpha' }] });
    expect(await rig.ask({}, { path: '/embeddings' })).toMatchObject({ status: 404, error: { message: expect.stringContaining('/v1/chat/completions') } });
    expect((await fetch(`${rig.belay.baseUrl}/chat/completions`)).status).toBe(405);
  });
});

const local = 'http://127.0.0.1:9/v1';
const provider = (spec: Fields = {}): readonly Fields[] => providerManifests({ name: 'p', spec: { dialect: 'OpenAI', baseURL: local, ...spec } });
const chain = (spec: Fields = {}): Fields => chainManifest('chat', { targets: [{ providerRef: { name: 'p' }, model: 'm' }], ...spec });

describe('belay run refuses to start, with one sentence that says where and what would be right', () => {
  test.each<[string, readonly Fields[] | { readonly [file: string]: string }, RegExp]>([
    ['a manifest that does not parse', { 'broken.yaml': 'kind: FallbackChain\nspec: [' }, /broken\.yaml:[23]:\d+/],
    ['an unknown field, with the nearest known one', [...provider(), chain({ latencyBuget: '2s' })], /manifests\.yaml:\d+:\d+.*latencyBuget.*latencyBudget/],
    ['a value that a rule forbids', [...provider(), chain({ retries: 9 })], /spec\.retries.*3/],
    ['plain http to another machine', [...provider({ baseURL: 'http://llm.example/v1' }), chain()], /spec\.baseURL.*https/],
    ['no chain at all', [...provider()], /FallbackChain/],
  ])('%s', async (_title, manifests, said) => {
    await expect(startBelay({ manifests })).rejects.toThrow(said);
  });

  test('a port in use', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as AddressInfo;
    await expect(startBelay({ manifests: [...provider(), chain()], port })).rejects.toThrow(new RegExp(`${port}.*(in use|taken)`));
    await new Promise((resolve) => taken.close(resolve));
  });

  test.each<[string, readonly string[], RegExp]>([
    ['an option that does not exist', ['--prot', '1'], /--prot/],
    ['a fault of no known kind', ['--fault', 'p=sleepy'], /sleepy.*silent/],
    ['another address without a client key', ['--listen', '0.0.0.0'], /BELAY_CLIENT_KEY/],
  ])('%s', async (_title, args, said) => {
    await expect(startBelay({ manifests: [...provider(), chain()], args })).rejects.toThrow(said);
  });
});

describe('what can be served is served, and what cannot is said', () => {
  test('a reference that leads nowhere costs its target alone', async () => {
    const rig = await rigs.open({ a: [{ say: 'Alpha' }], chain: { targets: [{ providerRef: { name: 'nobody' }, model: 'm' }, { providerRef: { name: 'b' }, model: 'model-of-b' }] } });
    expect(await rig.ask()).toMatchObject({ text: 'Bravo one two three' });
    expect(rig.belay.output()).toMatch(/manifests\.yaml:\d+:\d+.*no ModelProvider \\"nobody\\"/);
  });

  test('a provider without its key is left out, and its answer would say so', async () => {
    const noKey = { apiVersion: 'belay.dev/v1alpha1', kind: 'ModelProvider', metadata: { name: 'keyless' }, spec: { preset: 'OpenAI', credentials: { secretKeyRef: { name: 'openai', key: 'apiKey' } } } };
    const far = chainManifest('far', { targets: [{ providerRef: { name: 'keyless' }, model: 'gpt-4o' }] });
    const rig = await rigs.open({ a: [{ say: 'Alpha' }], more: [noKey, far], env: { OPENAI_API_KEY: '' } });
    expect(rig.belay.output()).toMatch(/OPENAI_API_KEY/);
    expect(await rig.ask({ model: 'far' })).toMatchObject({ status: 503, headers: { 'x-should-retry': 'false' }, error: { message: expect.stringContaining('KeyNotDelivered') } });
    expect(await rig.ask()).toMatchObject({ text: 'Alpha' });
  });

  test('two chains that claim one name: the first by name keeps it, and the other is told', async () => {
    const other = chainManifest('another', { modelNames: ['shared', 'mine'], targets: [{ name: 'b', providerRef: { name: 'b' }, model: 'model-of-b' }] });
    const rig = await rigs.open({ a: [{ say: 'Alpha' }], chain: { modelNames: ['chat', 'shared'] }, more: [other] });
    expect(await rig.ask({ model: 'shared' })).toMatchObject({ headers: { 'x-belay-chain': 'another' } });
    expect(await rig.ask({ model: 'chat' })).toMatchObject({ headers: { 'x-belay-chain': 'chat' } });
    expect(rig.belay.output()).toMatch(/shared.*another/);
  });

  test('a chain that ClusterOnly forbids is refused, and every other chain is served', async () => {
    const outside = { apiVersion: 'belay.dev/v1alpha1', kind: 'ModelProvider', metadata: { name: 'outside' }, spec: { preset: 'OpenAI' } };
    const far = chainManifest('far', { egress: 'ClusterOnly', targets: [{ providerRef: { name: 'outside' }, model: 'gpt-4o' }] });
    const rig = await rigs.open({ a: [{ say: 'Alpha' }], more: [outside, far] });
    expect(await rig.ask({ model: 'far' })).toMatchObject({ status: 503, error: { message: expect.stringContaining('leaves the cluster') } });
    expect(rig.belay.output()).toMatch(/leaves the cluster/);
    expect(await rig.ask()).toMatchObject({ text: 'Alpha' });
  });

  test.each<[string, readonly string[], { readonly [name: string]: string }, string, RegExp]>([
    ['llama-server', ['--model-dir', '/nowhere'], { BELAY_LLAMA_SERVER: '/nowhere/llama-server' }, 'local-server-missing', /BELAY_LLAMA_SERVER names \/nowhere\/llama-server/],
    ['the model file', ['--model-dir', '/nowhere'], { BELAY_LLAMA_SERVER: process.execPath }, 'local-model-missing', /put the GGUF file at \/nowhere\/small\.gguf/],
  ])('without %s the other targets serve, and one sentence says how to get it', async (_title, args, env, event, said) => {
    const here = { apiVersion: 'belay.dev/v1alpha1', kind: 'ModelProvider', metadata: { name: 'here' }, spec: { local: { engine: 'LlamaCpp', model: { persistentVolumeClaim: { claimName: 'models', path: 'small.gguf' } }, contextTokens: 512, parallel: 1 } } };
    const targets = [{ providerRef: { name: 'here' }, model: 'small' }, { providerRef: { name: 'b' }, model: 'model-of-b' }];
    const rig = await rigs.open({ a: [{ say: 'Alpha' }], more: [here], chain: { targets }, args, env });
    await until('it is said', () => rig.belay.lines().some((line) => line.event === event));
    expect(rig.belay.lines().find((line) => line.event === event)?.message).toMatch(said);
    expect(await rig.ask()).toMatchObject({ text: 'Bravo one two three' });
  });
});
