import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createPlantedTree, type PlantedTree } from './planted-tree.ts';

interface Rule {
  readonly name: string;
}

const from = (specifier: string): string => `export * from '${specifier}';\n`;
const typeFrom = (specifier: string): string => `export type * from '${specifier}';\n`;

/** What is refused: sentence, rule, importing file, its text. */
const refused: readonly (readonly [string, string, string, string])[] = [
  ['the contract importing a core', 'contract-imports-nothing', 'contract/a.ts', from('@belay/sidecar/core/target.ts')],
  ['the contract importing a type of a core', 'contract-imports-nothing', 'contract/b.ts', typeFrom('@belay/sidecar/core/target.ts')],
  ['the contract importing a library', 'contract-imports-nothing', 'contract/c.ts', from('eventsource-parser')],
  ['the contract importing Node', 'contract-imports-nothing', 'contract/d.ts', from('node:crypto')],
  ['a core importing Node', 'core-is-pure', 'sidecar/core/a.ts', from('node:crypto')],
  ['a core importing its shell', 'core-is-pure', 'sidecar/core/b.ts', from('../shell/target.ts')],
  ['a core importing a dialect', 'core-is-pure', 'sidecar/core/c.ts', from('../dialects/anthropic/target.ts')],
  ['the other core importing Node', 'core-is-pure', 'operator/core/a.ts', from('node:fs')],
  ['a core importing a library that is not listed as pure', 'core-is-pure', 'operator/core/b.ts', from('yaml')],
  ['a core importing the other core', 'core-is-pure', 'operator/core/c.ts', typeFrom('@belay/sidecar/core/target.ts')],
  ['a dialect importing a shell', 'dialects-import-core-and-contract', 'sidecar/dialects/anthropic/a.ts', from('../../shell/target.ts')],
  ['a dialect importing Node', 'dialects-import-core-and-contract', 'sidecar/dialects/anthropic/b.ts', from('node:buffer')],
  ['a dialect importing another dialect', 'dialects-stand-apart', 'sidecar/dialects/openai-chat/a.ts', from('../anthropic/target.ts')],
  ['operator/shell/kube importing the contract', 'kube-knows-no-belay', 'operator/shell/kube/a.ts', typeFrom('@belay/contract')],
  ['operator/shell/kube importing the operator', 'kube-knows-no-belay', 'operator/shell/kube/b.ts', from('../../core/target.ts')],
  ['a shell importing the command line', 'shell-stays-in-its-package', 'sidecar/shell/a.ts', from('@belay/cli/target.ts')],
  ['the operator importing the sidecar', 'operator-and-sidecar-never-meet', 'operator/shell/a.ts', from('@belay/sidecar/core/target.ts')],
  ['a test of the operator importing the sidecar', 'operator-and-sidecar-never-meet', 'operator/shell/a.test.ts', from('@belay/sidecar/core/target.ts')],
  ['the sidecar importing the operator', 'sidecar-and-operator-never-meet', 'sidecar/shell/b.ts', from('@belay/operator/core/target.ts')],
  ['the operator importing the command line', 'nothing-imports-cli', 'operator/shell/b.ts', from('@belay/cli/target.ts')],
  ['the command line importing a main', 'main-only-wires', 'cli/a.ts', from('@belay/sidecar/main.ts')],
  ['product code importing support for tests', 'product-imports-no-test', 'sidecar/shell/c.ts', from('../../test/support/target.ts')],
  ['product code importing a test', 'product-imports-no-test', 'sidecar/core/d.ts', from('./target.test.ts')],
  ['product code importing a script', 'product-imports-no-test', 'cli/b.ts', from('../scripts/target.ts')],
  ['the command line importing the Kubernetes client', 'kubernetes-in-the-operator-only', 'cli/c.ts', from('@kubernetes/client-node')],
  ['the sidecar importing all of undici', 'no-whole-undici', 'sidecar/shell/d.ts', from('undici')],
  ['product code importing a package that is for development', 'no-development-package-in-product', 'cli/d.ts', from('fast-check')],
  ['the sidecar importing a package of the command line', 'no-undeclared-package', 'sidecar/shell/e.ts', from('commander')],
  ['an import that leads nowhere', 'no-unresolvable', 'cli/e.ts', from('./nowhere.ts')],
  ['two files that import each other', 'no-cycle', 'cli/cycle-a.ts', from('./cycle-b.ts')],
];

const targets: Readonly<Record<string, string>> = {
  'contract/index.ts': 'export const contract = 1;\n',
  'sidecar/core/target.ts': 'export const core = 1;\n',
  'sidecar/core/target.test.ts': 'export const test = 1;\n',
  'sidecar/dialects/anthropic/target.ts': 'export const dialect = 1;\n',
  'sidecar/shell/target.ts': 'export const shell = 1;\n',
  'sidecar/main.ts': 'export {};\n',
  'operator/core/target.ts': 'export const core = 1;\n',
  'cli/target.ts': 'export const cli = 1;\n',
  'cli/cycle-b.ts': from('./cycle-a.ts'),
  'scripts/target.ts': 'export const script = 1;\n',
  'test/support/target.ts': 'export const support = 1;\n',
  'node_modules/undici/index.js': 'export {};\n',
  'node_modules/undici/package.json': '{"name":"undici","type":"module","main":"index.js"}',
  'node_modules/@kubernetes/client-node/index.js': 'export {};\n',
  'node_modules/@kubernetes/client-node/package.json': '{"name":"@kubernetes/client-node","type":"module","main":"index.js"}',
};

/** What must pass: everything that the dependency rule grants. */
const allowed: readonly (readonly [string, string, string])[] = [
  ['a core importing the contract and a pure parser', 'sidecar/core/good.ts', from('@belay/contract') + from('eventsource-parser') + from('./target.ts')],
  ['a dialect importing core and contract', 'sidecar/dialects/anthropic/good.ts', from('@belay/contract') + from('../../core/target.ts')],
  ['a shell importing its own package, the contract and Node', 'sidecar/shell/good.ts', from('@belay/contract') + from('../core/target.ts') + from('../dialects/anthropic/target.ts') + from('node:net')],
  ['the command line importing both programs and its packages', 'cli/good.ts', from('@belay/sidecar/shell/target.ts') + from('@belay/operator/core/target.ts') + from('yaml')],
  ['a test importing support and its runner', 'sidecar/core/good.test.ts', from('../../test/support/target.ts') + from('fast-check') + from('@jest/globals')],
  ['a test across packages importing all', 'test/data-plane/good.test.ts', from('@belay/sidecar/shell/target.ts') + from('@belay/operator/core/target.ts') + from('@belay/cli/target.ts')],
];

describe('dependency rules', () => {
  let tree: PlantedTree;
  let violations: readonly { readonly from: string; readonly rule: Rule }[];
  let rules: readonly Rule[];

  beforeAll(() => {
    tree = createPlantedTree({ ...targets, ...Object.fromEntries([...refused.map(([, , file, text]) => [file, text]), ...allowed.map(([, file, text]) => [file, text])]) });
    const report = JSON.parse(tree.run('dependency rules', { add: ['--output-type', 'json'] })) as { readonly summary: { readonly violations: typeof violations; readonly ruleSetUsed: { readonly forbidden: readonly Rule[] } } };
    violations = report.summary.violations;
    rules = report.summary.ruleSetUsed.forbidden;
  }, 60_000);
  afterAll(() => tree.close());

  const rulesBrokenBy = (file: string): readonly string[] => violations.filter(({ from: importer }) => importer === file).map(({ rule }) => rule.name);

  test.each(refused)('refuse %s', (_sentence, rule, file) => {
    expect(rulesBrokenBy(file)).toContain(rule);
  });

  test.each(allowed)('allow %s', (_sentence, file) => {
    expect(rulesBrokenBy(file)).toEqual([]);
  });

  test('each have a planted violation', () => {
    expect(new Set(refused.map(([, rule]) => rule))).toEqual(new Set(rules.map(({ name }) => name)));
  });
});
