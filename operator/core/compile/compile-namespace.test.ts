import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseRoutingTable, type ChainEntry, type ProviderEntry } from '@belay/contract';
import { manifestsOf } from '../../../test/crds/manifest-arbitrary.ts';
import { nodeTools, snapshotOf } from '../../../test/golden/compile/snapshot-of.ts';
import { compileNamespace } from './compile-namespace.ts';
import type { ResourceConditions } from './conditions.ts';
import type { Snapshot } from './snapshot.ts';

const target = '{ providerRef: { name: p }, model: m }';

describe('a provider', () => {
  test.each<[string, string, Partial<ProviderEntry>]>([
    ['takes everything from its preset', '{ preset: Mistral }', { preset: 'Mistral', address: 'https://api.mistral.ai/v1', failureDomain: 'mistral', cancellation: 'RunsOn', inCluster: false }],
    ['keeps its preset\'s domain at another address', '{ preset: OpenAI, baseURL: "https://eu.api.openai.com/v1//" }', { address: 'https://eu.api.openai.com/v1', failureDomain: 'openai' }],
    ['of one\'s own fails with its host and port', '{ preset: VLLM, baseURL: "http://127.0.0.1:8001/v1" }', { failureDomain: '127.0.0.1:8001', inCluster: true }],
    ['by dialect fails with its host', '{ dialect: OpenAI, baseURL: "https://LLM.example:443/v1" }', { preset: null, address: 'https://llm.example/v1', failureDomain: 'llm.example', cancellation: 'Unknown' }],
    ['says its own failure domain and cancellation', '{ preset: OpenAI, failureDomain: eu, cancellation: RunsOn }', { failureDomain: 'eu', cancellation: 'RunsOn' }],
    ['without credentials sends no key', '{ preset: Ollama, baseURL: "http://localhost:11434/v1" }', { needsKey: false }],
    ['with credentials waits for its key', '{ preset: OpenAI, credentials: { secretKeyRef: { name: s, key: k } } }', { needsKey: true }],
    ['that is a Service is in the cluster', '{ preset: VLLM, baseURL: "http://vllm.models.svc:8000/v1" }', { inCluster: true }],
    ['on a private address is not in the cluster', '{ preset: VLLM, baseURL: "http://10.0.0.1:8000/v1", allowInsecureHTTP: true }', { inCluster: false, allowInsecureHTTP: true }],
    ['that is local has an address of its own kind, and as many slots as it runs', '{ local: { engine: LlamaCpp, model: {} } }',
      { address: 'local:p', failureDomain: 'local:p', inCluster: true, concurrency: 2, cancellation: 'StopsBilling', needsKey: false }],
    ['that is local has the slots of all its replicas', '{ local: { engine: LlamaCpp, model: {}, parallel: 4, replicas: 3 } }', { concurrency: 12 }],
    ['that is local may be limited further', '{ local: { engine: LlamaCpp, model: {}, parallel: 8 }, limits: { concurrency: 3 } }', { concurrency: 3 }],
    ['hands on limits, timeouts and headers', '{ preset: OpenAI, limits: { concurrency: 9 }, timeouts: { connect: 1s, idle: 1m }, headers: [ { name: a, value: b } ], suspend: true }',
      { concurrency: 9, timeouts: { connectMs: 1_000, firstContentMs: null, idleMs: 60_000 }, headers: [{ name: 'a', value: 'b' }], suspended: true }],
  ])('%s', (_, spec, expected) => {
    expect(compile(provider('p', spec), chain('c', `{ targets: [ ${target} ] }`)).table.providers[0]).toMatchObject(expected);
  });

  test.each<[string, string, string, string, RegExp]>([
    ['plain http to loopback in a cluster', '{ dialect: OpenAI, baseURL: "http://127.0.0.1:1/v1" }', 'InsecureURL', 'spec.baseURL', /is for `belay run` on one machine/],
    ['plain http to a foreign domain below .svc', '{ dialect: OpenAI, baseURL: "http://a.svc.evil.example/v1" }', 'InsecureURL', 'spec.baseURL', /host ending \.svc or \.svc\.cluster\.local/],
    ['a port that does not exist', '{ dialect: OpenAI, baseURL: "https://llm.example:99999/v1" }', 'InvalidURL', 'spec.baseURL', /is not a URL that can be called/],
    ['a preset of a later release', '{ preset: Nova }', 'DialectNotSupported', 'spec.preset', /knows no preset Nova/],
    ['a dialect of a later release', '{ dialect: Gemini, baseURL: "https://g.example" }', 'DialectNotSupported', 'spec.dialect', /does not speak the dialect Gemini/],
    ['a duration that is none', '{ preset: OpenAI, timeouts: { idle: soon } }', 'InvalidValue', 'spec.timeouts.idle', /must be a duration/],
    ['no time at all', '{ preset: OpenAI, timeouts: { connect: 0s } }', 'InvalidValue', 'spec.timeouts.connect', /must be longer than 0s and at most 596h31m23s647ms, not "0s"/],
    ['a certificate authority that does not exist', '{ preset: OpenAI, tls: { caCertificateRefs: [ { name: ca } ] } }', 'ConfigMapNotFound', 'spec.tls.caCertificateRefs[0].name', /no ConfigMap "ca" in namespace default/],
    ['a certificate authority without a certificate', '{ preset: OpenAI, tls: { caCertificateRefs: [ { name: empty } ] } }', 'CertificateMissing', 'spec.tls.caCertificateRefs[0].name', /has no certificate under ca.crt/],
  ])('with %s is used by no chain, and says why', (_, spec, reason, path, message) => {
    const empty = 'kind: ConfigMap\nmetadata: { name: empty }\ndata: { other: a }\n';
    const { table, conditions } = compileNamespace(snapshotOf([provider('p', spec), chain('c', `{ targets: [ ${target} ] }`), empty].join('---\n'), { standalone: false }), nodeTools);
    expect(table.providers).toEqual([]);
    expect(table.chains[0]).toMatchObject({ targets: [], unroutable: expect.stringMatching(message) });
    const [own] = conditions;
    expect(own?.findings).toContainEqual(expect.objectContaining({ severity: 'Error', reason, path, message: expect.stringMatching(message) }));
    expect(statuses(own)).toMatchObject(own?.findings.find(({ severity }) => severity === 'Error')?.condition === 'Accepted' ? { Accepted: 'False' } : { ResolvedRefs: 'False' });
    expect(statuses(conditions[1])).toEqual({ Accepted: 'False', ResolvedRefs: 'False', Ready: 'False' });
  });

  test.each([
    ['a preset without credentials', '{ preset: OpenAI }', ['KeyMissing']],
    ['a preset without credentials at another address', '{ preset: OpenAI, baseURL: "https://proxy.example/v1" }', []],
    ['a server that usually asks for no key', '{ preset: Ollama, baseURL: "http://ollama.a.svc/v1" }', []],
    ['a server of one\'s own whose address lacks /v1', '{ preset: Ollama, baseURL: "http://ollama.a.svc/" }', ['PathMissing']],
  ])('%s is accepted, with these warnings', (_, spec, reasons) => {
    const [own] = compile(provider('p', spec)).conditions;
    expect(own?.findings.map(({ severity, reason }) => `${severity} ${reason}`)).toEqual(reasons.map((reason) => `Warning ${reason}`));
    expect(own?.conditions[0]).toMatchObject({ type: 'Accepted', status: 'True', reason: 'Accepted' });
  });

  test('plain http to loopback is served by `belay run`', () => {
    const { table, conditions } = compile(provider('p', '{ dialect: OpenAI, baseURL: "http://127.0.0.1:1/v1" }'), chain('c', `{ targets: [ ${target} ] }`));
    expect([table.providers[0]?.address, conditions[0]?.findings]).toEqual(['http://127.0.0.1:1/v1', []]);
  });

  test('certificate authorities travel as PEM', () => {
    const pem = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
    const configMap = `kind: ConfigMap\nmetadata: { name: ca }\ndata: { ca.crt: ${JSON.stringify(pem)} }\n`;
    const { table } = compile(provider('p', '{ preset: OpenAI, tls: { caCertificateRefs: [ { name: ca } ] } }'), chain('c', `{ targets: [ ${target} ] }`), configMap);
    expect(table.providers[0]?.caCertificates).toEqual([pem]);
  });

  test.each([
    ['does not exist', '', 'SecretNotFound', 'there is no Secret "s" in namespace default: create it with the key k'],
    ['lacks the key', 'kind: Secret\nmetadata: { name: s }\ndata: { other: a, another: b }\n', 'SecretKeyMissing', 'Secret "s" has no key "k": it has another, other'],
    ['is empty', 'kind: Secret\nmetadata: { name: s }\n', 'SecretKeyMissing', 'Secret "s" has no key "k": it has no keys'],
  ])('whose Secret %s stays in the table, and is not counted on', (_, secret, reason, message) => {
    const yaml = [provider('p', '{ preset: OpenAI, credentials: { secretKeyRef: { name: s, key: k } } }'), chain('c', `{ targets: [ ${target} ] }`), secret].join('---\n');
    const { table, conditions } = compileNamespace(snapshotOf(yaml, { withSecrets: true }), nodeTools);
    expect(table.chains[0]).toMatchObject({ unroutable: null, targets: [{ name: 'p' }] });
    expect(conditions[0]?.findings).toEqual([expect.objectContaining({ reason, message })]);
    expect(statuses(conditions[1])).toEqual({ Accepted: 'True', ResolvedRefs: 'True', Ready: 'False' });
    const unjudged = compileNamespace(snapshotOf(yaml), nodeTools);
    expect(unjudged.conditions[0]?.findings).toEqual([]);
    expect(unjudged.table.version).toBe(table.version);
  });
});

describe('a chain', () => {
  const both = provider('p', '{ preset: OpenAI }') + '---\n' + provider('q', '{ preset: Groq }');

  test.each<[string, string, Partial<ChainEntry>]>([
    ['has no latency budget in Sequential, and waits up to 2 s for a rate limit', '', { fallbackMode: 'Sequential', latencyBudgetMs: null, rateLimitWaitUpToMs: 2_000, deadlineMs: 600_000, retries: 1, egress: 'Any' }],
    ['has a budget of 2 s in Race, and waits for no rate limit', 'fallbackMode: Race,', { latencyBudgetMs: 2_000, rateLimitWaitUpToMs: 0 }],
    ['with a budget waits for no rate limit', 'latencyBudget: 3s,', { latencyBudgetMs: 3_000, rateLimitWaitUpToMs: 0 }],
    ['waits as long as it says', 'latencyBudget: 3s, triggers: { rateLimit: { waitUpTo: 1500ms } },', { rateLimitWaitUpToMs: 1_500 }],
    ['races by the defaults of its CRD', '', { race: { prefer: 'Primary', hedgeDelayMs: null, extraRequests: 0.05 } }],
    ['races by what is given, and defaults for the rest', 'race: { hedgeDelay: 0s },', { race: { prefer: 'Primary', hedgeDelayMs: 0, extraRequests: 0.05 } }],
    ['races as it says', 'race: { prefer: First, hedgeDelay: 1s, extraRequests: 0.5% },', { race: { prefer: 'First', hedgeDelayMs: 1_000, extraRequests: 0.005 } }],
  ])('%s', (_, fields, expected) => {
    expect(compile(both, chain('c', `{ ${fields} targets: [ ${target} ] }`)).table.chains[0]).toMatchObject(expected);
  });

  test('serves what is left when a provider does not exist, and says which is missing', () => {
    const { table, conditions } = compile(both, chain('c', '{ targets: [ { providerRef: { name: nobody }, model: x }, { providerRef: { name: p }, model: m } ] }'));
    expect(table.chains[0]).toMatchObject({ unroutable: null, targets: [{ name: 'p', tier: 'Primary' }] });
    const own = conditions.at(-1);
    expect(statuses(own)).toEqual({ Accepted: 'True', ResolvedRefs: 'False', PartiallyInvalid: 'True', Ready: 'True' });
    expect(own?.conditions[1]).toEqual({
      type: 'ResolvedRefs', status: 'False', reason: 'ProviderNotFound',
      message: 'spec.targets[0].providerRef.name: target nobody: there is no ModelProvider "nobody" in namespace default.',
    });
  });

  test('that is unroutable goes on in its last good form, so the providers of that form still travel', () => {
    const providers = [provider('p', '{ preset: OpenAI }'), provider('q', '{ preset: Groq }')];
    const names = (documents: readonly string[]) => compile(...documents).table.providers.map(({ name }) => name);
    expect(names([...providers, chain('c', '{ targets: [ { providerRef: { name: p }, model: m } ] }')])).toEqual(['p']);
    expect(names([...providers, chain('c', '{ targets: [ { providerRef: { name: nobody }, model: m } ] }')])).toEqual(['p', 'q']);
  });

  test('without any target that can be used travels as unroutable, with a sentence', () => {
    const { table, conditions } = compile(chain('c', `{ targets: [ ${target} ] }`));
    expect(table.chains[0]?.unroutable).toBe('chain c cannot be served: target p: there is no ModelProvider "p" in namespace default.');
    expect(statuses(conditions[0])).toEqual({ Accepted: 'False', ResolvedRefs: 'False', Ready: 'False' });
  });

  test.each([
    ['deadline: 0h', 'Chain c cannot be served: spec.deadline must be longer than 0s and at most 596h31m23s647ms, not "0h"'],
    ['latencyBudget: 600h', 'Chain c cannot be served: spec.latencyBudget must be longer than 0s and at most 596h31m23s647ms, not "600h"'],
    ['triggers: { rateLimit: { waitUpTo: 99999h } }', 'Chain c cannot be served: spec.triggers.rateLimit.waitUpTo must be at most 596h31m23s647ms, not "99999h"'],
    ['race: { prefer: Primary, hedgeDelay: 99999h, extraRequests: 5% }', 'Chain c cannot be served: spec.race.hedgeDelay must be at most 596h31m23s647ms, not "99999h"'],
  ])('with %s, which no sidecar would take, is refused alone, and not the whole table', (field, message) => {
    const { table, conditions } = compile(both, chain('c', `{ ${field}, targets: [ ${target} ] }`), chain('d', `{ targets: [ ${target} ] }`));
    expect(parseRoutingTable(table)).toMatchObject({ ok: true });
    expect(table.chains.map(({ name, unroutable }) => [name, unroutable === null])).toEqual([['c', false], ['d', true]]);
    expect(conditions.at(-2)?.conditions[0]).toMatchObject({ type: 'Accepted', status: 'False', reason: 'InvalidValue', message: expect.stringContaining(message) });
  });

  test('that must stay in the cluster is refused for a target outside, and lists what it may still use', () => {
    const local = provider('local', '{ local: { engine: LlamaCpp, model: {} } }');
    const spec = '{ egress: ClusterOnly, targets: [ { providerRef: { name: local }, model: a }, { providerRef: { name: p }, model: m } ] }';
    const { table, conditions } = compile(both, local, chain('c', spec));
    expect(table.chains[0]).toMatchObject({ targets: [{ name: 'local' }], unroutable: expect.stringContaining('target p leaves the cluster: provider p is at https://api.openai.com') });
    expect(table.providers.map(({ name }) => name)).toEqual(['local', 'p', 'q']);
    expect(conditions.at(-1)?.conditions[0]).toMatchObject({ type: 'Accepted', status: 'False', reason: 'EgressForbidden' });
  });

  test('that must stay in the cluster is served by Services and local providers', () => {
    const inside = provider('local', '{ local: { engine: LlamaCpp, model: {} } }') + '---\n' + provider('vllm', '{ preset: VLLM, baseURL: "https://vllm.a.svc/v1" }');
    const { table } = compile(inside, chain('c', '{ egress: ClusterOnly, targets: [ { providerRef: { name: local }, model: a }, { providerRef: { name: vllm }, model: b } ] }'));
    expect(table.chains[0]).toMatchObject({ unroutable: null, targets: [{ name: 'local' }, { name: 'vllm' }] });
  });

  test('that loses one of its names serves the others; one that loses all is refused', () => {
    const { table, conditions } = compile(both, chain('a', `{ modelNames: [x], targets: [ ${target} ] }`), chain('b', `{ modelNames: [x, y], targets: [ ${target} ] }`), chain('c', `{ modelNames: [x], targets: [ ${target} ] }`));
    expect(table.chains.map(({ name, modelNames, unroutable }) => [name, modelNames, unroutable])).toEqual([
      ['a', ['x'], null], ['b', ['y'], null], ['c', [], 'chain c cannot be served: model name "x" belongs to chain a: give this chain another name for it in spec.modelNames.'],
    ]);
    expect(conditions.slice(2).map(statuses)).toEqual([
      { Accepted: 'True', ResolvedRefs: 'True', Ready: 'True' },
      { Accepted: 'True', ResolvedRefs: 'True', PartiallyInvalid: 'True', Ready: 'True' },
      { Accepted: 'False', ResolvedRefs: 'True', Ready: 'False' },
    ]);
    expect(conditions[4]?.conditions[0]?.reason).toBe('NameTaken');
  });

  test.each([
    ['targets of one vendor', '{ targets: [ { name: a, providerRef: { name: p }, model: m }, { name: b, providerRef: { name: p }, model: n } ] }', 'SameFailureDomain', 'spec.targets'],
    ['a fallback with a smaller window', '{ targets: [ { providerRef: { name: wide }, model: w }, { providerRef: { name: q }, model: n }, { providerRef: { name: narrow }, model: w } ] }', 'SmallerWindow', 'spec.targets[2].model'],
    ['a race of one', `{ fallbackMode: Race, targets: [ ${target} ] }`, 'SingleTargetRace', 'spec.fallbackMode'],
    ['a hedge that comes too late', '{ fallbackMode: Race, race: { hedgeDelay: 2s }, targets: [ { providerRef: { name: p }, model: m }, { providerRef: { name: q }, model: n } ] }', 'HedgeNeverStarts', 'spec.race.hedgeDelay'],
    ['nothing but suspended targets', '{ targets: [ { providerRef: { name: p }, model: m, suspend: true } ] }', 'AllSuspended', 'spec.targets'],
  ])('with %s is accepted with a warning', (_, spec, reason, path) => {
    const windows = provider('wide', '{ preset: XAI, models: [ { name: w, contextTokens: 200000 } ] }') + '---\n' + provider('narrow', '{ preset: DeepSeek, models: [ { name: w, contextTokens: 64000 } ] }');
    const own = compile(both, windows, chain('c', spec)).conditions.at(-1);
    expect(own?.findings).toEqual([expect.objectContaining({ severity: 'Warning', reason, path })]);
    expect(own?.conditions[0]).toMatchObject({ type: 'Accepted', status: 'True', reason: 'Accepted', message: expect.stringContaining(path) });
  });

  test.each([
    ['its target', both, '{ targets: [ { providerRef: { name: p }, model: m, suspend: true } ] }'],
    ['its provider', provider('p', '{ preset: OpenAI, suspend: true }'), `{ targets: [ ${target} ] }`],
  ])('is accepted and not ready while %s is suspended', (_, providers, spec) => {
    const { table, conditions } = compile(providers, chain('c', spec));
    expect(table.chains[0]?.unroutable).toBeNull();
    expect(statuses(conditions.at(-1))).toEqual({ Accepted: 'True', ResolvedRefs: 'True', Ready: 'False' });
  });

  test('whose default names all belong to others is refused; one that keeps a default name is only warned', () => {
    const { conditions } = compile(both, chain('a', `{ modelNames: [m, b], targets: [ ${target} ] }`), chain('b', `{ targets: [ ${target} ] }`), chain('c', `{ targets: [ ${target} ] }`));
    expect(conditions.slice(-2).map(({ conditions: [accepted], findings }) => [accepted?.status, findings[0]?.reason])).toEqual([['False', 'NameTaken'], ['True', 'DefaultNameTaken']]);
  });

  test('gives each target its tier and its window', () => {
    const more = [provider('box', '{ dialect: OpenAI, baseURL: "http://10.0.0.1/v1", allowInsecureHTTP: true, models: [ { name: o, contextTokens: 8192 } ] }'), provider('local', '{ local: { engine: LlamaCpp, model: {} } }')].join('---\n');
    const spec = `{ targets: [ ${target}, { name: same, providerRef: { name: p }, model: n }, { providerRef: { name: q }, model: m }, { providerRef: { name: box }, model: o }, { providerRef: { name: local }, model: l } ] }`;
    expect(compile(both, more, chain('c', spec)).table.chains[0]?.targets.map(({ name, tier, contextTokens }) => [name, tier, contextTokens])).toEqual([
      ['p', 'Primary', null], ['same', 'IntraProvider', null], ['q', 'InterProvider', null], ['box', 'OpenModel', 8_192], ['local', 'Local', 4_096],
    ]);
  });
});

test('the table holds only providers that a chain uses, by name', () => {
  const { table } = compile(provider('z', '{ preset: OpenAI }'), provider('a', '{ preset: Groq }'), provider('unused', '{ preset: XAI }'),
    chain('c', '{ targets: [ { providerRef: { name: z }, model: m }, { providerRef: { name: a }, model: m } ] }'));
  expect(table.providers.map(({ name }) => name)).toEqual(['a', 'z']);
});

test('conditions carry the generation that was compiled', () => {
  const yaml = `kind: ModelProvider\nmetadata: { name: p, generation: 7 }\nspec: { preset: OpenAI }\n`;
  expect(compile(yaml).conditions[0]).toMatchObject({ kind: 'ModelProvider', name: 'p', observedGeneration: 7 });
});

describe('for any resources that keep the form of their CRD', () => {
  const snapshots = fc.record({
    providers: fc.uniqueArray(manifestsOf('ModelProvider', ['a', 'b', 'c']), { selector: ({ metadata }) => metadata.name }),
    chains: fc.uniqueArray(manifestsOf('FallbackChain', ['x', 'y', 'z']), { selector: ({ metadata }) => metadata.name }),
    standalone: fc.boolean(),
  });

  test('there is a table that can be read back, each name is served once, and what is refused has a sentence', () => {
    fc.assert(fc.property(snapshots, (some) => {
      const { table, conditions } = compileNamespace(snapshot(some), nodeTools);
      expect(parseRoutingTable(JSON.parse(JSON.stringify(table)))).toEqual({ ok: true, value: table });
      const names = table.chains.flatMap(({ modelNames }) => modelNames);
      expect(new Set(names).size).toBe(names.length);
      expect(conditions.length).toBe(some.providers.length + some.chains.length);
      for (const { targets, unroutable, egress } of table.chains) {
        if (unroutable === null) expect(targets.length).toBeGreaterThan(0);
        else expect(unroutable).toMatch(/^chain [xyz] cannot be served: .+\.$/s);
        if (egress === 'ClusterOnly') for (const { provider: name } of targets) expect(table.providers.find((entry) => entry.name === name)?.inCluster).toBe(true);
      }
    }), { numRuns: 500 });
  });

  test('the order in which they come changes nothing', () => {
    fc.assert(fc.property(snapshots, ({ providers, chains, standalone }) => {
      const reversed = { providers: [...providers].reverse(), chains: [...chains].reverse(), standalone };
      expect(compileNamespace(snapshot(reversed), nodeTools)).toEqual(compileNamespace(snapshot({ providers, chains, standalone }), nodeTools));
    }));
  });

  function snapshot(some: Pick<Snapshot, 'providers' | 'chains' | 'standalone'>): Snapshot {
    return { namespace: 'default', namespaceLabels: {}, foreignProviders: [], configMaps: [], secrets: [], clusterDomain: 'cluster.local', ...some };
  }
});

function compile(...documents: readonly string[]) {
  return compileNamespace(snapshotOf(documents.join('---\n')), nodeTools);
}

function provider(name: string, spec: string): string {
  return `kind: ModelProvider\nmetadata: { name: ${name} }\nspec: ${spec.replace('model: {}', 'model: { persistentVolumeClaim: { claimName: m, path: a.gguf } }')}\n`;
}

function chain(name: string, spec: string): string {
  return `kind: FallbackChain\nmetadata: { name: ${name} }\nspec: ${spec}\n`;
}

function statuses(resource: ResourceConditions | undefined): { [type: string]: string } {
  return Object.fromEntries((resource?.conditions ?? []).map(({ type, status }) => [type, status]));
}
