import { describe, expect, test } from '@jest/globals';
import { encodeBootstrap, parseRoutingTable } from '@belay/contract';
import { nodeTools, snapshotOf } from '../../../test/golden/compile/snapshot-of.ts';
import { compileNamespace } from './compile-namespace.ts';
import { foreignReferences } from './foreign-providers.ts';
import { requiredKeys } from './required-keys.ts';
import type { SecretFact, Snapshot } from './snapshot.ts';

const provider = (name: string, spec: string, namespace = 'models') => `kind: ModelProvider\nmetadata: { name: ${name}, namespace: ${namespace} }\nspec: ${spec}\n`;
const keyed = (allowed: string) => `{ preset: OpenAI, credentials: { secretKeyRef: { name: s, key: k } }, allowedNamespaces: { ${allowed} } }`;
const chainTo = (...targets: readonly string[]) => `kind: FallbackChain\nmetadata: { name: chat, namespace: support }\nspec: { targets: [ ${targets.map((target, index) => `{ name: t${index}, providerRef: ${target}, model: m }`).join(', ')} ] }\n`;
const shared = '{ name: p, namespace: models }';

function compile(documents: readonly string[], facts: Partial<Snapshot> = {}) {
  const snapshot = snapshotOf(documents.join('---\n'), { namespace: 'support', ...facts });
  return { ...compileNamespace(snapshot, nodeTools), keys: requiredKeys(snapshot, nodeTools) };
}

describe('a provider of another namespace', () => {
  const labels = { team: 'support', stage: '' };
  test.each<[boolean, string]>([
    [true, 'from: All'],
    [false, 'from: Same'],
    [false, ''],
    [false, 'from: Selector'],
    [true, 'from: Selector, selector: { matchLabels: { team: support } }'],
    [true, 'from: Selector, selector: { matchLabels: { kubernetes.io/metadata.name: support } }'],
    [false, 'from: Selector, selector: { matchLabels: { kubernetes.io/metadata.name: models } }'],
    [false, 'from: Selector, selector: { matchLabels: { team: support, stage: live } }'],
    [true, 'from: Selector, selector: { matchExpressions: [ { key: team, operator: In, values: [sales, support] } ] }'],
    [false, 'from: Selector, selector: { matchExpressions: [ { key: region, operator: In, values: [eu] } ] }'],
    [false, 'from: Selector, selector: { matchExpressions: [ { key: team, operator: NotIn, values: [support] } ] }'],
    [true, 'from: Selector, selector: { matchExpressions: [ { key: region, operator: NotIn, values: [eu] } ] }'],
    [true, 'from: Selector, selector: { matchExpressions: [ { key: stage, operator: Exists } ] }'],
    [false, 'from: Selector, selector: { matchExpressions: [ { key: region, operator: Exists } ] }'],
    [true, 'from: Selector, selector: { matchExpressions: [ { key: region, operator: DoesNotExist } ] }'],
    [false, 'from: Selector, selector: { matchLabels: { team: support }, matchExpressions: [ { key: stage, operator: DoesNotExist } ] }'],
  ])('may be used (%s) under { %s }', (permitted, allowed) => {
    const { table, keys } = compile([provider('p', keyed(allowed)), chainTo(shared)], { namespaceLabels: labels });
    expect({ providers: table.providers.map(({ name }) => name), keys: keys.map(({ provider: name, namespace }) => [namespace, name]) })
      .toEqual(permitted ? { providers: ['models/p'], keys: [['models', 'models/p']] } : { providers: [], keys: [] });
  });

  test('that is not shared costs its target alone, and leaves no word of itself in the table', () => {
    const { table, conditions, keys } = compile([provider('p', keyed('from: Same')), provider('q', '{ preset: Groq }', 'support'), chainTo(shared, '{ name: q }')]);
    expect(table.chains[0]).toMatchObject({ unroutable: null, targets: [{ name: 't1', provider: 'q', tier: 'Primary' }] });
    expect(JSON.stringify({ table, keys })).not.toMatch(/"models|api\.openai/);
    expect(conditions.at(-1)?.conditions.find(({ type }) => type === 'ResolvedRefs')).toEqual({
      type: 'ResolvedRefs', status: 'False', reason: 'RefNotPermitted',
      message: 'spec.targets[0].providerRef.namespace: target t0: ModelProvider "p" of namespace models is not shared with namespace support: its owner can allow that in spec.allowedNamespaces.',
    });
  });

  test('that was the only one leaves an unroutable chain without it, so that no last good form can use it', () => {
    const { table } = compile([provider('p', keyed('from: Same')), provider('q', '{ preset: Groq }', 'support'), chainTo(shared)]);
    expect(table.chains[0]).toMatchObject({ targets: [], unroutable: expect.stringContaining('is not shared with namespace support') });
    expect(table.providers.map(({ name }) => name)).toEqual(['q']);
  });

  test('of the same name as one\'s own is another', () => {
    const { table } = compile([provider('p', '{ preset: Groq }', 'support'), provider('p', keyed('from: All')), chainTo('{ name: p }', shared)]);
    expect(table.chains[0]?.targets.map(({ provider: name, tier }) => [name, tier])).toEqual([['p', 'Primary'], ['models/p', 'InterProvider']]);
    expect(table.providers.map(({ name, preset }) => [name, preset])).toEqual([['models/p', 'OpenAI'], ['p', 'Groq']]);
  });

  test('in one\'s own namespace by its name is one\'s own, whoever may use it', () => {
    const { table } = compile([provider('p', '{ preset: Groq }', 'support'), chainTo('{ name: p, namespace: support }')]);
    expect(table.providers.map(({ name }) => name)).toEqual(['p']);
  });

  test('that does not exist is said with its namespace', () => {
    const { conditions } = compile([chainTo(shared)]);
    expect(conditions.at(-1)?.findings[0]).toMatchObject({ reason: 'ProviderNotFound', message: 'target t0: there is no ModelProvider "p" in namespace models' });
  });

  test('that cannot be used itself is said with its namespace', () => {
    const { conditions } = compile([provider('p', '{ dialect: OpenAI, baseURL: "http://llm.example/v1", allowedNamespaces: { from: All } }'), chainTo(shared)]);
    expect(conditions.at(-1)?.findings[0]).toMatchObject({ reason: 'ProviderNotAccepted', message: expect.stringMatching(/^target t0: ModelProvider "p" of namespace models cannot be used \(spec\.baseURL: plain http/) });
  });

  test('has no condition here: its own namespace tells of it', () => {
    const { conditions } = compile([provider('p', keyed('from: All')), chainTo(shared)]);
    expect(conditions.map(({ kind, name }) => [kind, name])).toEqual([['FallbackChain', 'chat']]);
  });

  test('that runs locally is addressed by both its names', () => {
    const spec = '{ local: { engine: LlamaCpp, model: { persistentVolumeClaim: { claimName: m, path: a.gguf } } }, allowedNamespaces: { from: All } }';
    const { table } = compile([provider('p', spec), chainTo(shared)]);
    expect(table.providers[0]).toMatchObject({ name: 'models/p', address: 'local:models/p', failureDomain: 'local:models/p', inCluster: true });
    expect(parseRoutingTable(table)).toEqual({ ok: true, value: table });
    const loading = compile([provider('p', spec), chainTo(shared)], { endpoints: [{ name: 'models/p', state: 'Loading', url: null }] });
    expect(loading.table.version).toBe(table.version);
    expect(loading.conditions[0]?.conditions.at(-1)).toEqual({ type: 'Ready', status: 'False', reason: 'NoUsableTarget', message: 'No target can answer: t0 is loading its model.' });
  });

  test('is reached with the authorities of its own namespace, and never with those of another', () => {
    const pem = '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----';
    const spec = '{ preset: VLLM, baseURL: "https://vllm.example/v1", tls: { caCertificateRefs: [ { name: ca } ] }, allowedNamespaces: { from: All } }';
    const certificates = (namespace: string) => compile([provider('p', spec), chainTo(shared)], { configMaps: [{ namespace, name: 'ca', data: { 'ca.crt': pem } }] }).table.providers[0]?.caCertificates;
    expect(certificates('models')).toEqual([pem]);
    expect(certificates('support')).toBeUndefined();
  });
});

describe('Secret references never cross namespaces', () => {
  test('the key of a shared provider is asked for in its owner\'s namespace, a Secret of that name here is not looked at', () => {
    const own: SecretFact = { namespace: 'support', name: 's', state: 'found', keys: { k: 'present' } };
    const missing: SecretFact = { namespace: 'models', name: 's', state: 'missing' };
    const { conditions, keys } = compile([provider('p', keyed('from: All')), chainTo(shared)], { secrets: [own, missing] });
    expect(keys).toEqual([{ provider: 'models/p', namespace: 'models', secretName: 's', secretKey: 'k', origin: 'https://api.openai.com', keyVariable: 'OPENAI_API_KEY' }]);
    expect(conditions[0]?.conditions.at(-1)).toMatchObject({ type: 'Ready', status: 'False', message: 'No target can answer: t0 lacks its key.' });
  });
});

test.each<[string, readonly SecretFact[], string | null]>([
  ['not known yet', [], null],
  ['found', [{ namespace: 'models', name: 's', state: 'found', keys: { k: 'present' } }], null],
  ['missing', [{ namespace: 'models', name: 's', state: 'missing' }], 'SecretNotFound'],
  ['denied', [{ namespace: 'models', name: 's', state: 'denied', message: 'secrets "s" is forbidden' }], 'SecretAccessDenied'],
  ['without the key', [{ namespace: 'models', name: 's', state: 'found', keys: {} }], 'SecretKeyMissing'],
  ['with a key that no header can carry', [{ namespace: 'models', name: 's', state: 'found', keys: { k: 'invalid' } }], 'SecretKeyInvalid'],
])('a Secret that is %s says so of its provider alone, and the table is the same whatever it is', (_, secrets, reason) => {
  const documents = [provider('p', keyed('from: All')), provider('q', '{ preset: VLLM, baseURL: "https://q.example/v1" }'), 'kind: FallbackChain\nmetadata: { name: chat, namespace: models }\nspec: { targets: [ { providerRef: { name: p }, model: m }, { providerRef: { name: q }, model: m } ] }\n'];
  const { table, conditions } = compile(documents, { namespace: 'models', secrets });
  expect(table).toEqual(compile(documents, { namespace: 'models' }).table);
  expect(conditions.map(({ name, findings }) => [name, findings.map((finding) => finding.reason)])).toEqual([['p', reason === null ? [] : [reason]], ['q', []], ['chat', []]]);
  expect(conditions.at(-1)?.conditions.map(({ type, status }) => [type, status])).toEqual([['Accepted', 'True'], ['ResolvedRefs', 'True'], ['Ready', 'True']]);
});

test('what chains refer to elsewhere is listed once, and sorted', () => {
  const { chains } = snapshotOf([chainTo(shared, '{ name: z, namespace: b }', '{ name: own }', '{ name: own2, namespace: support }'), chainTo(shared).replace('chat', 'other')].join('---\n'), { namespace: 'support' });
  expect(foreignReferences('support', chains)).toEqual([{ namespace: 'b', name: 'z' }, { namespace: 'models', name: 'p' }]);
});

test('names at the length limit travel whole', () => {
  const long = (letter: string) => `${letter.repeat(63)}.${letter.repeat(63)}.${letter.repeat(63)}.${letter.repeat(61)}`;
  const namespace = 'n'.repeat(63);
  const documents = [provider(long('p'), '{ preset: Groq, allowedNamespaces: { from: All } }', namespace), chainTo(`{ name: ${long('p')}, namespace: ${namespace} }`, `{ name: ${long('q')}, namespace: ${namespace} }`).replace('chat', long('c'))];
  const { table, conditions } = compile(documents);
  expect(long('p')).toHaveLength(253);
  expect(parseRoutingTable(JSON.parse(JSON.stringify(table)))).toEqual({ ok: true, value: table });
  expect(encodeBootstrap({ table, endpoints: [], certificates: '' }).ok).toBe(true);
  expect(conditions.at(-1)?.conditions.map(({ type, status }) => [type, status])).toEqual([['Accepted', 'True'], ['ResolvedRefs', 'False'], ['PartiallyInvalid', 'True'], ['Ready', 'True']]);
});
