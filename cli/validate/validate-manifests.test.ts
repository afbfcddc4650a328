import { describe, expect, test } from '@jest/globals';
import { placeOf } from '../manifest/manifest-problem.ts';
import { selectNamespace } from './select-namespace.ts';
import { validateManifests, type ValidateOptions } from './validate-manifests.ts';

const top = 'apiVersion: belay.dev/v1alpha1\n';
const chain = (name: string, spec: string, namespace = 'a'): string => `${top}kind: FallbackChain\nmetadata: { name: ${name}, namespace: ${namespace} }\nspec:\n${spec}\n---\n`;
const provider = (name: string, spec: string, namespace = 'a'): string => `${top}kind: ModelProvider\nmetadata: { name: ${name}, namespace: ${namespace} }\nspec: { ${spec} }\n---\n`;
const target = (name: string): string => `  targets: [ { providerRef: { name: ${name} }, model: m } ]`;
const local = provider('own', 'preset: LlamaCpp, baseURL: "https://own.example/v1"');

async function problemsOf(text: string, options: Partial<ValidateOptions> = {}): Promise<readonly string[]> {
  const { problems } = await validateManifests({ files: [{ name: 'x.yaml', text }], faults: [] }, { namespace: null, use: 'Machine', ...options });
  return problems.map((one) => `${placeOf(one).slice('x.yaml:'.length)} ${one.severity} ${one.path} ${one.reason}`);
}

describe('each problem is found, once, and where it stands', () => {
  test.each([
    ['nothing wrong', chain('c', target('own')) + local, []],
    ['a provider that does not exist', chain('c', target('nope')) + local, ['5:37 error spec.targets[0].providerRef.name ProviderNotFound']],
    ['a provider of another namespace', chain('c', target('own'), 'b') + local, ['5:37 error spec.targets[0].providerRef.name ProviderNotFound']],
    ['two chains with one model name', chain('a', `  modelNames: [gpt]\n${target('own')}`) + chain('b', `  modelNames: [b, gpt]\n${target('own')}`) + local, ['12:19 error spec.modelNames[1] NameTaken']],
    ['a target that egress forbids', chain('c', `  egress: ClusterOnly\n${target('own')}`) + local, ['6:14 error spec.targets[0] EgressForbidden']],
    ['a resource that stands twice', chain('c', target('own')) + local + local, ['14:19 error metadata.name ResourceRepeated']],
    ['the same name in two namespaces', chain('c', target('own')) + local + provider('own', 'preset: OpenAI', 'b'), ['15:1 warning spec.credentials KeyMissing']],
    ['a provider that is wrong itself, and not its chains too', chain('c', target('own')) + local.replace('LlamaCpp', 'Lama'), ['10:17 error spec.preset FieldValueNotSupported', '7:1 warning  RulesNotChecked']],
    ['a file that cannot be read, and not what it may hold', `${chain('c', target('nope'))}a: b: c\n`, ['7:4 error  ManifestUnreadable']],
    ['an unknown field, at its name', chain('c', `  latncyBudget: 2s\n${target('own')}`) + local, ['5:3 error spec.latncyBudget UnknownField']],
    ['a rule of the CRD', chain('c', `  deadline: 1s\n  latencyBudget: 2s\n${target('own')}`) + local, ['6:18 error spec.latencyBudget FieldValueInvalid']],
    ['a name that no API server takes', chain('C_c', target('own')) + local, ['3:19 error metadata.name FieldValueInvalid']],
    ['a resource without a name', chain('""', target('own')) + local, ['1:1 warning  RulesNotChecked', '3:19 error metadata.name FieldValueRequired']],
  ])('%s', async (_title, text, expected) => {
    const found = await problemsOf(text);
    expect([...found].sort()).toEqual([...expected].sort());
  });

  const withAuthority = `${chain('c', target('own'))}${top}kind: ModelProvider\nmetadata: { name: own, namespace: a }\nspec:\n  preset: LlamaCpp\n  baseURL: https://own.example/v1\n  tls: { caCertificateRefs: [ { name: ca } ] }\n`;
  test('a certificate authority that is not in the files is an error on one machine, and may be in a cluster', async () => {
    expect(await problemsOf(withAuthority)).toEqual(['13:39 error spec.tls.caCertificateRefs[0].name ConfigMapNotFound']);
    expect(await problemsOf(withAuthority, { use: 'Cluster' })).toEqual(['13:39 warning spec.tls.caCertificateRefs[0].name ConfigMapNotFound']);
  });

  test('a certificate authority is read from a ConfigMap in the files', async () => {
    const map = '---\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: ca, namespace: a }\ndata: { ca.crt: "-----BEGIN CERTIFICATE-----\\nx\\n-----END CERTIFICATE-----" }\n';
    expect(await problemsOf(withAuthority + map)).toEqual([]);
  });

  test('plain http to loopback is fine for belay run, and warned of where a cluster is meant', async () => {
    const text = chain('c', target('own')) + local.replace('https://own.example', 'http://127.0.0.1:9');
    expect(await problemsOf(text)).toEqual([]);
    expect(await problemsOf(text, { use: 'Cluster' })).toEqual(['10:36 warning spec.baseURL InsecureURL']);
  });

  test('a Secret in the files that lacks the key is an error, one that is not there may be in the cluster', async () => {
    const text = chain('c', target('openai')) + provider('openai', 'preset: OpenAI, credentials: { secretKeyRef: { name: keys, key: apiKey } }');
    const secret = 'apiVersion: v1\nkind: Secret\nmetadata: { name: keys, namespace: a }\nstringData: { key: x }\n';
    expect(await problemsOf(text, { use: 'Cluster' })).toEqual([]);
    expect(await problemsOf(text + secret, { use: 'Cluster' })).toEqual(['10:73 error spec.credentials.secretKeyRef.key SecretKeyMissing']);
  });

  describe('a provider of another namespace', () => {
    const shared = (allowed: string) => provider('own', `preset: LlamaCpp, baseURL: "https://own.example/v1", allowedNamespaces: { ${allowed} }`, 'models');
    const far = (name = 'own') => chain('c', `  targets: [ { providerRef: { name: ${name}, namespace: models }, model: m } ]`);
    const labelled = 'apiVersion: v1\nkind: Namespace\nmetadata: { name: a, labels: { team: support } }\n---\n';

    test.each<[string, string, ValidateOptions['use'], readonly string[]]>([
      ['that it is shared with is found among the files', far() + shared('from: All'), 'Machine', []],
      ['is shared by the labels of a Namespace in the files', far() + labelled + shared('from: Selector, selector: { matchLabels: { team: support } }'), 'Cluster', []],
      ['is not, where the labels are others', far() + labelled + shared('from: Selector, selector: { matchLabels: { team: sales } }'), 'Cluster', ['5:53 error spec.targets[0].providerRef.namespace RefNotPermitted']],
      ['may be, where the labels are not in the files', far() + shared('from: Selector, selector: { matchLabels: { team: support } }'), 'Cluster', ['5:53 warning spec.targets[0].providerRef.namespace RefNotPermitted']],
      ['is kept to its own by default', far() + labelled + shared(''), 'Cluster', ['5:53 error spec.targets[0].providerRef.namespace RefNotPermitted']],
      ['may be in the cluster', far('nope'), 'Cluster', ['5:37 warning spec.targets[0].providerRef.name ProviderNotFound']],
      ['is nowhere on one machine', far('nope'), 'Machine', ['5:37 error spec.targets[0].providerRef.name ProviderNotFound']],
      ['that is wrong itself is said once', far() + shared('from: All').replace('LlamaCpp', 'Lama'), 'Machine', ['10:17 error spec.preset FieldValueNotSupported', '7:1 warning  RulesNotChecked']],
    ])('%s', async (_title, text, use, expected) => {
      expect([...await problemsOf(text, { use })].sort()).toEqual([...expected].sort());
      expect([...await problemsOf(text, { use, namespace: 'a' })].sort()).toEqual([...expected].sort());
    });
  });

  test('-n leaves other namespaces alone', async () => {
    const text = chain('c', target('own')) + local + chain('d', target('nope'), 'b');
    expect(await problemsOf(text, { namespace: 'a' })).toEqual([]);
    expect(await problemsOf(text, { namespace: 'b' })).toEqual(['16:37 error spec.targets[0].providerRef.name ProviderNotFound']);
  });
});

describe('the namespace that is served', () => {
  const select = async (text: string, namespace: string | null = null) => {
    const validated = await validateManifests({ files: [{ name: 'x.yaml', text }], faults: [] }, { namespace, use: 'Machine' });
    expect(validated.problems).toEqual([]);
    return selectNamespace(validated, namespace);
  };
  const two = chain('c', target('own')) + local + chain('d', target('own'), 'b') + provider('own', 'preset: LlamaCpp, baseURL: "https://own.example/v1"', 'b');

  test.each([
    ['the only one with chains', chain('c', target('own')) + local + provider('x', 'preset: LlamaCpp, baseURL: "https://own.example/v1"', 'z'), null, 'a'],
    ['that of -n', two, 'b', 'b'],
    ['default, where the manifests name none', (chain('c', target('own')) + local).replaceAll(', namespace: a', ''), null, 'default'],
    ['that of -n, where the manifests name none', (chain('c', target('own')) + local).replaceAll(', namespace: a', ''), 'support', 'support'],
  ])('%s', async (_title, text, namespace, expected) => {
    expect(await select(text, namespace)).toMatchObject({ ok: true, value: { name: expected, compilation: { table: { namespace: expected } } } });
  });

  test.each([
    ['two with chains are listed', two, null, 'chains stand in 2 namespaces, a, b: choose one with -n'],
    ['-n without chains lists those that have', two, 'c', 'namespace c has no FallbackChain; those that have: a, b'],
    ['no chain at all', local, null, 'the manifests hold no FallbackChain: add one that names its targets'],
  ])('%s', async (_title, text, namespace, message) => {
    expect(await select(text, namespace)).toEqual({ ok: false, problems: [{ path: '', message }] });
  });
});
