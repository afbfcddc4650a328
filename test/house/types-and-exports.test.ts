import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createPlantedTree, type PlantedTree } from './planted-tree.ts';

/** What the compiler refuses: sentence, file, text, words of the message. */
const wrongTypes: readonly (readonly [string, string, string, string])[] = [
  ['a timer in the contract', 'contract/timer.ts', 'export const wait = setTimeout;', "Cannot find name 'setTimeout'"],
  ['the network in a core', 'sidecar/core/network.ts', "export const answer = fetch('x');", "Cannot find name 'fetch'"],
  ['the environment in a core', 'sidecar/core/environment.ts', 'export const name = process.env;', "Cannot find name 'process'"],
  ['console in the other core', 'operator/core/prints.ts', "console.log('x');", "Cannot find name 'console'"],
  ['a digest in a core', 'operator/core/digest.ts', "export const digest = crypto.subtle;", "Cannot find name 'crypto'"],
  ['a shell in a core', 'sidecar/core/shell.ts', "export * from '../shell/good.ts';", 'is not listed within the file list'],
  ['an enum', 'sidecar/shell/enumeration.ts', 'export enum Mode { A }', 'erasableSyntaxOnly'],
  ['a parameter property', 'sidecar/shell/parameter-property.ts', 'export class A { constructor(readonly a: number) {} }', 'erasableSyntaxOnly'],
  ['an element that may not be there', 'sidecar/shell/element.ts', 'export const f = (a: readonly string[]): string => a[0];', "Type 'undefined' is not assignable"],
  ['undefined for a member that may be left out', 'sidecar/shell/left-out.ts', 'export const a: { b?: number } = { b: undefined };', 'exactOptionalPropertyTypes'],
  ['a name in a record as if it were a member', 'sidecar/shell/record.ts', 'export const f = (a: Record<string, string>): string | undefined => a.b;', 'index signature'],
  ['a local that nobody reads', 'sidecar/shell/local.ts', 'export function f(): void { const a = 1; }', 'never read'],
  ['a path that returns nothing', 'sidecar/shell/returns.ts', 'export function f(a: boolean): number | undefined { if (a) return 1; }', 'Not all code paths return'],
  ['an import without its extension', 'sidecar/shell/extension.ts', "export * from './good';", 'file extensions'],
];

/** What is reported as unused: sentence, words of the report. */
const unused: readonly (readonly [string, string])[] = [
  ['a file that nobody imports', 'sidecar/shell/orphan.ts'],
  ['an export that nobody imports', 'unusedExport'],
  ['an exported type that nobody imports', 'UnusedType'],
  ['a dependency that nobody imports', 'eventsource-parser'],
  ['a package that no package.json lists', 'yaml'],
];

describe('types', () => {
  let tree: PlantedTree;
  let report: string;

  beforeAll(() => {
    tree = createPlantedTree({ 'cli/good.ts': 'export {};\n', 'test/good.test.ts': 'export {};\n', 'sidecar/shell/good.ts': 'export {};\n', ...Object.fromEntries(wrongTypes.map(([, file, text]) => [file, text])) });
    report = tree.run('types');
  }, 60_000);
  afterAll(() => tree.close());

  test.each(wrongTypes)('refuse %s', (_sentence, file, _text, words) => {
    const found = report.split(/\n(?=\S)/).filter((line) => line.startsWith(`${file}(`));
    expect(found.join('\n')).toContain(words);
  });

  test('have nothing against a good file', () => {
    expect(report).not.toMatch(/good[^\n]*: error/);
  });
});

describe('unused code', () => {
  let tree: PlantedTree;
  let report: string;

  beforeAll(() => {
    tree = createPlantedTree({
      'sidecar/main.ts': "import { used } from './shell/used.ts';\nused();\n",
      'sidecar/shell/used.ts': "export * as yaml from 'yaml';\nexport const used = (): void => undefined;\nexport const unusedExport = 1;\nexport type UnusedType = 1;\n",
      'sidecar/shell/orphan.ts': 'export {};\n',
    });
    report = tree.run('unused code');
  }, 60_000);
  afterAll(() => tree.close());

  test.each(unused)('shows %s', (_sentence, words) => {
    expect(report).toContain(words);
  });

  test('does not show what is used', () => {
    expect(report).not.toMatch(/\bused\b +/);
  });
});
