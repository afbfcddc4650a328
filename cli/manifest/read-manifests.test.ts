import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { formatFieldPath, parseFieldPath } from './field-path.ts';
import { nearestName } from './nearest-name.ts';
import { readManifests } from './read-manifests.ts';

const read = (text: string) => readManifests([{ name: 'chat.yaml', text }]);
const head = 'apiVersion: belay.dev/v1alpha1\nkind: FallbackChain\nmetadata: { name: chat }\n';

describe('finds each field where it stands', () => {
  const chain = `${head}spec:
  latencyBudget: 2s
  targets:
  - { providerRef: { name: openai }, model: gpt-4o }
  - providerRef:
      name: groq
    model: llama
`;
  test.each([
    ['a scalar, at its value', chain, 'spec.latencyBudget', '5:18'],
    ['a list, at its key', chain, 'spec.targets', '6:3'],
    ['an item of a list', chain, 'spec.targets[1]', '8:5'],
    ['a field inside braces', chain, 'spec.targets[0].model', '7:45'],
    ['a field of a nested block', chain, 'spec.targets[1].providerRef.name', '9:13'],
    ['a field that is missing, at its parent', chain, 'spec.targets[1].name', '8:5'],
    ['the document itself', chain, '', '1:1'],
    ['a label with a dot and a slash in its name', `${head.replace('name: chat', 'name: chat, labels: { app.io/x: y }')}`, 'metadata.labels[app.io/x]', '3:45'],
    ['a field after an alias, at the alias', `${head}x: &t [1]\nspec:\n  targets: *t\n`, 'spec.targets', '6:3'],
    ['a merged field, where it was written', `${head}x: &m\n  retries: 9\nspec:\n  <<: *m\n`, 'spec.retries', '5:12'],
    ['a field after CRLF and a byte order mark', `\ufeff${chain.replaceAll('\n', '\r\n')}`, 'spec.targets[1].model', '10:12'],
    ['a field of a JSON file', '{\n "apiVersion": "belay.dev/v1alpha1", "kind": "FallbackChain",\n "metadata": {"name": "chat"},\n "spec": {"retries": 9}}', 'spec.retries', '4:22'],
  ])('%s', (_title, text, path, place) => {
    const { line, column } = read(text).resources[0]?.positionOf(path) ?? {};
    expect(`${line}:${column}`).toBe(place);
  });

  test('an unknown field, at its key', () => {
    expect(read(chain).resources[0]?.positionOf('spec.latencyBudget', 'key')).toEqual({ line: 5, column: 3 });
  });

  test('a field of a later document and of a List, by the lines of the whole file', () => {
    const { resources } = read(`${chain}---\napiVersion: v1\nkind: List\nitems:\n- apiVersion: belay.dev/v1alpha1\n  kind: FallbackChain\n  metadata: { name: two }\n  spec: { retries: 2 }\n`);
    expect(resources.map(({ name }) => name)).toEqual(['chat', 'two']);
    expect(resources[1]?.positionOf('spec.retries')).toEqual({ line: 18, column: 20 });
  });
});

describe('refuses what kubectl or an API server would refuse, with its place', () => {
  test.each([
    ['a mistyped kind', `${head.replace('FallbackChain', 'FalbackChain')}`, '2:7 no matches for kind "FalbackChain" in version "belay.dev/v1alpha1" | did you mean FallbackChain?'],
    ['a kind that Belay has not', head.replace('FallbackChain', 'Widget'), '2:7 no matches for kind "Widget" in version "belay.dev/v1alpha1" | the kinds are FallbackChain and ModelProvider'],
    ['an old version', head.replace('v1alpha1', 'v1'), '1:13 Invalid value: "belay.dev/v1": must be belay.dev/v1alpha1 | null'],
    ['a mistyped group', head.replace('belay.dev', 'belay.io'), '1:13 Invalid value: "belay.io/v1alpha1": must be belay.dev/v1alpha1 | null'],
    ['a missing apiVersion', head.split('\n').slice(1).join('\n'), "1:1 Object 'apiVersion' is missing | write apiVersion: belay.dev/v1alpha1"],
    ['a missing kind', 'apiVersion: belay.dev/v1alpha1\n', "1:1 Object 'Kind' is missing | write kind: FallbackChain, or kind: ModelProvider"],
    ['a document that is no mapping', '- a\n', '1:1 a manifest must be a mapping with apiVersion, kind and metadata, not a list | null'],
    ['a key that stands twice', `${head}spec:\n  retries: 1\n  retries: 2\n`, '6:3 the key "retries" is already set in line 5, and kubectl would silently take this one; remove one of the two | null'],
    ['a colon too many', `${head}spec: a: b\n`, '4:7 not YAML: nested mappings are not allowed in compact mappings; put one key on a line, with the same indentation as its neighbours, or quote a value that holds ": " | null'],
    ['a tab for indentation', `${head}spec:\n\tretries: 1\n`, '5:1 not YAML: tabs are not allowed as indentation; indent with spaces | null'],
    ['an open bracket', `${head}spec: { targets: [\n`, '4:19 not YAML: flow sequence in block collection must be sufficiently indented and end with a ]; indent it deeper than its parent, or close the bracket that is open | null'],
    ['a separator with content', `${head}--- spec\n`, '4:4 a document separator must stand alone on its line, as ---; found "spec" after it | null'],
    ['an alias of nothing', `${head}spec: *x\n`, '4:7 *x refers to an anchor that is not set before it in this document; define it with &x | null'],
    ['an anchor inside itself', `${head}spec: &x\n  a: *x\n`, '5:6 the anchor &x contains itself; write out what is meant | null'],
  ])('%s', (_title, text, expected) => {
    const [problem, ...more] = read(text).problems;
    expect(more).toEqual([]);
    expect(`${problem?.line}:${problem?.column} ${problem?.message} | ${problem?.hint}`).toBe(expected);
  });

  test('text after the end of a document is a warning, for kubectl never applies it', () => {
    const { resources, problems } = read(`${head}...\nspec: {}\n`);
    expect(resources).toHaveLength(1);
    expect(problems.map(({ severity, line }) => ({ severity, line }))).toEqual([{ severity: 'warning', line: 5 }]);
  });
});

test('kinds of other groups are read and never refused', () => {
  const { resources, problems } = read('apiVersion: v1\nkind: Secret\nmetadata: { name: a, namespace: b }\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: { name: c }\n');
  expect(problems).toEqual([]);
  expect(resources.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`)).toEqual(['Secret b/a', 'Deployment default/c']);
});

test('-n is the namespace of what names none', () => {
  expect(readManifests([{ name: 'a', text: head }], 'support').resources[0]?.namespace).toBe('support');
});

test('whatever stands in a file, reading it ends with resources and problems', () => {
  const piece = fc.constantFrom('a', ': ', '\n', '  ', '- ', '{', '}', '[', ']', '"', "'", '&x ', '*x', '<<: ', '---\n', '...\n', '|\n', '#', '!!int ', '\t', '? ', ',', '0x', 'kind: List\n', 'items:\n', '%', '\u0000');
  fc.assert(fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
    const { problems } = read(pieces.join(''));
    for (const { line, column } of problems) expect(line > 0 && column > 0).toBe(true);
  }), { numRuns: 500 });
});

test('any JSON comes back as it was, and each field is found where its text stands', () => {
  const spec = fc.dictionary(fc.string({ minLength: 1, maxLength: 6, unit: fc.constantFrom('a', 'b', 'é', '-', '.') }), fc.jsonValue({ maxDepth: 3, noUnicodeString: true }), { maxKeys: 5 });
  fc.assert(fc.property(spec, fc.nat(3), (value, indent) => {
    const text = JSON.stringify({ apiVersion: 'x/v1', kind: 'X', metadata: { name: 'x' }, spec: value }, null, indent);
    const resource = read(text).resources[0];
    expect(resource?.value['spec']).toEqual(JSON.parse(JSON.stringify(value)));
    for (const [key, inner] of Object.entries(value)) {
      if (typeof inner === 'object') continue;
      const { line, column } = resource?.positionOf(['spec', key]) ?? { line: 0, column: 0 };
      expect(text.split('\n')[line - 1]?.slice(column - 1).startsWith(JSON.stringify(inner))).toBe(true);
    }
  }), { numRuns: 300 });
});

test('a field path is read as it was written', () => {
  const step = fc.oneof(fc.nat(20), fc.constantFrom('spec', 'a-b', 'app.io/x', 'x y'));
  fc.assert(fc.property(fc.array(step, { minLength: 1, maxLength: 5 }), (path) => {
    expect(parseFieldPath(formatFieldPath(path))).toEqual(path);
  }));
});

test.each([
  ['latncyBudget', 'latencyBudget'], ['latencybudget', 'latencyBudget'], ['modelName', 'modelNames'], ['target', 'targets'], ['retreis', 'retries'],
  ['timeout', null], ['x', null], ['fallback', null],
])('%s is nearest to %s', (name, expected) => {
  expect(nearestName(name, ['modelNames', 'fallbackMode', 'latencyBudget', 'deadline', 'retries', 'targets'])).toBe(expected);
});
