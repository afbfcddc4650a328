import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createPlantedTree, type PlantedTree } from './planted-tree.ts';

interface Finding {
  readonly ruleId: string | null;
  readonly message: string;
}

const lines = (count: number): string => 'export {};\n'.repeat(count);
const functionOf = (count: number): string => `export function long(): void {\n${'  void 0;\n'.repeat(count - 2)}}\n`;
const branches = (count: number): string => `export const branchy = (n: number): number => {\n${Array.from({ length: count - 1 }, (_, n) => `  if (n === ${n}) return ${n};\n`).join('')}  return -1;\n};\n`;

/** What is refused: sentence, file, text, rule, words of the message. */
const refused: readonly (readonly [string, string, string, string, string])[] = [
  ['Date.now() in product code', 'sidecar/shell/date-now.ts', 'export const now = Date.now();', 'no-restricted-properties', 'Take a Clock'],
  ['new Date() in product code', 'sidecar/shell/new-date.ts', 'export const now = new Date();', 'no-restricted-syntax', 'Take a Clock'],
  ['Date() in product code', 'cli/date-call.ts', 'export const now = Date();', 'no-restricted-syntax', 'Take a Clock'],
  ['setTimeout in product code', 'sidecar/shell/set-timeout.ts', 'setTimeout(() => undefined, 1);', 'no-restricted-globals', 'Take a Clock'],
  ['setInterval in product code', 'sidecar/shell/set-interval.ts', 'setInterval(() => undefined, 1);', 'no-restricted-globals', 'Take a Clock'],
  ['setImmediate in product code', 'sidecar/shell/set-immediate.ts', 'setImmediate(() => undefined);', 'no-restricted-globals', 'Take a Clock'],
  ['performance in product code', 'sidecar/shell/performance-now.ts', 'export const now = performance.now();', 'no-restricted-globals', 'Take a Clock'],
  ['a timer by way of globalThis', 'sidecar/shell/global-timer.ts', 'globalThis.setTimeout(() => undefined, 1);', 'no-restricted-syntax', 'Take a Clock'],
  ['AbortSignal.timeout in product code', 'sidecar/shell/abort-timeout.ts', 'export const signal = AbortSignal.timeout(1);', 'no-restricted-properties', 'Take a Clock'],
  ['process.hrtime in product code', 'cli/high-resolution.ts', 'export const now = process.hrtime();', 'no-restricted-properties', 'Take a Clock'],
  ['a module of timers in product code', 'cli/timer-module.ts', "import { setTimeout } from 'node:timers/promises';\nexport const wait = setTimeout;", 'no-restricted-imports', 'Take a Clock'],
  ['Math.random() in product code', 'sidecar/core/random.ts', 'export const die = Math.random();', 'no-restricted-properties', 'Take a Random'],
  ['console in a core', 'sidecar/core/prints.ts', "console.log('x');", 'no-console', 'Unexpected console'],
  ['console in the contract', 'contract/prints.ts', "console.log('x');", 'no-console', 'Unexpected console'],
  ['console in a dialect', 'sidecar/dialects/openai-chat/prints.ts', "console.log('x');", 'no-console', 'Unexpected console'],
  ['console in a shell', 'sidecar/shell/prints.ts', "console.log('x');", 'no-console', 'Unexpected console'],
  ['the network in a dialect', 'sidecar/dialects/openai-chat/network.ts', "void fetch('x');", 'no-restricted-globals', 'A dialect translates'],
  ['the environment in a dialect', 'sidecar/dialects/openai-chat/environment.ts', 'export const name = process.env;', 'no-restricted-globals', 'A dialect translates'],
  ['a timer in a dialect', 'sidecar/dialects/openai-chat/timer.ts', 'setTimeout(() => undefined, 1);', 'no-restricted-globals', 'Take a Clock'],
  ['an empty catch', 'sidecar/shell/empty-catch.ts', 'export function f(): void { try { void 0; } catch {} }', 'no-restricted-syntax', 'Empty catch'],
  ['a catch with a comment alone', 'scripts/empty-catch.ts', 'try { void 0; } catch { /* never mind */ }', 'no-restricted-syntax', 'Empty catch'],
  ['any', 'contract/any-value.ts', 'export const value: any = 1;', '@typescript-eslint/no-explicit-any', 'Unexpected any'],
  ['any in a test', 'contract/any-value.test.ts', 'export const value: any = 1;', '@typescript-eslint/no-explicit-any', 'Unexpected any'],
  ['a value that is claimed not to be null', 'contract/claimed.ts', 'export const f = (a: string | null): number => a!.length;', '@typescript-eslint/no-non-null-assertion', 'non-null'],
  ['a file of 401 lines', 'contract/long-file.ts', lines(401), 'max-lines', 'too many lines (401)'],
  ['a test file of 401 lines', 'contract/long-file.test.ts', lines(401), 'max-lines', 'too many lines (401)'],
  ['a main of 61 lines', 'operator/main.ts', lines(61), 'max-lines', 'too many lines (61)'],
  ['a function of 61 lines', 'contract/long-function.ts', functionOf(61), 'max-lines-per-function', 'too many lines (61)'],
  ['a function with 11 ways through it', 'contract/branchy.ts', branches(11), 'complexity', 'complexity of 11'],
  ['a relative import into another package', 'cli/relative-import.ts', "export { parsed } from '../contract/problem.ts';", 'belay/package-by-name', '@belay/contract/'],
  ['a relative import of a type into another package', 'sidecar/shell/relative-type.ts', "import type { Problem } from '../../contract/problem.ts';\nexport type P = Problem;", 'belay/package-by-name', '@belay/contract/'],
  ['a relative import into a package from a test', 'test/data-plane/relative-import.test.ts', "export * from '../../sidecar/shell/x.ts';", 'belay/package-by-name', '@belay/sidecar/'],
  ['a file name in camel case', 'contract/camelCase.ts', 'export {};', 'belay/file-name', 'kebab-case'],
  ['a file name with an underscore', 'scripts/snake_case.ts', 'export {};', 'belay/file-name', 'kebab-case'],
  ['a file named utils', 'contract/utils.ts', 'export {};', 'belay/file-name', 'name what it holds'],
  ['a file named helpers', 'sidecar/shell/helpers.ts', 'export {};', 'belay/file-name', 'name what it holds'],
  ['a file named common', 'cli/common.ts', 'export {};', 'belay/file-name', 'name what it holds'],
  ['a file named types', 'operator/core/types.ts', 'export {};', 'belay/file-name', 'name what it holds'],
  ['a test of a file named helpers', 'test/support/stream-helpers.test.ts', 'export {};', 'belay/file-name', 'name what it holds'],
  ['a folder named utils', 'cli/utils/padding.ts', 'export {};', 'belay/file-name', 'name what it holds'],
  ['a promise that nobody awaits', 'sidecar/shell/floating.ts', 'export function f(): void { Promise.resolve(1); }', '@typescript-eslint/no-floating-promises', 'Promises must be awaited'],
  ['a switch that forgets a case', 'sidecar/core/switch.ts', "export function f(v: 'a' | 'b'): number { switch (v) { case 'a': return 1; } return 2; }", '@typescript-eslint/switch-exhaustiveness-check', '"b"'],
  ['a comment that silences the compiler', 'contract/silenced.ts', '// @ts-ignore\nexport const value: number = 1;', '@typescript-eslint/ban-ts-comment', '@ts-'],
  ['a comment that silences a rule that has nothing to say', 'contract/unneeded.ts', '// eslint-disable-next-line complexity\nexport const value = 1;', 'null', 'Unused eslint-disable'],
  ['== between values', 'contract/loose.ts', 'export const f = (a: number, b: number): boolean => a == b;', 'eqeqeq', "'==='"],
  ['var', 'contract/old.ts', 'export var value = 1;', 'no-var', 'Unexpected var'],
  ['let where nothing changes', 'contract/never-changed.ts', 'export function f(): number { let a = 1; return a; }', 'prefer-const', 'never reassigned'],
  ['a condition that is always the same', 'contract/always.ts', 'export const f = (): number => { if (1) return 1; return 2; };', 'no-constant-condition', 'constant condition'],
  ['a branch that can never be reached', 'contract/twice.ts', 'export const f = (a: number): number => { if (a === 1) return 1; else if (a === 1) return 2; return 3; };', 'no-dupe-else-if', 'never execute'],
  ['a value compared with itself', 'contract/itself.ts', 'export const f = (a: number): boolean => a === a;', 'no-self-compare', 'itself'],
  ['a finally that swallows', 'contract/swallows.ts', 'export function f(): number { try { return 1; } finally { return 2; } }', 'no-unsafe-finally', 'Unsafe usage'],
  ['a call of what may not be there', 'contract/maybe.ts', 'export const f = (a?: { b(): number }): number => (a?.b)();', 'no-unsafe-optional-chaining', 'short-circuits'],
  ['a catch that only throws again', 'contract/again.ts', 'export function f(): void { try { void 0; } catch (error) { throw error; } }', 'no-useless-catch', 'Unnecessary try/catch'],
  ['await of what is no promise', 'sidecar/shell/awaits.ts', 'export const f = async (): Promise<number> => { const a = 1; return await a; };', '@typescript-eslint/await-thenable', 'await'],
  ['a promise as a condition', 'sidecar/shell/condition.ts', 'export const f = (a: Promise<boolean>): number => (a ? 1 : 2);', '@typescript-eslint/no-misused-promises', 'conditional'],
  ['an import of a type as a value', 'cli/type-as-value.ts', "import { Problem } from '@belay/contract';\nexport type P = Problem;", '@typescript-eslint/consistent-type-imports', 'import type'],
];

/** What must pass, or the rule would be worth nothing. */
const allowed: readonly (readonly [string, string, string])[] = [
  ['clocks in system-clock.ts', 'sidecar/shell/system-clock.ts', 'export const now = Date.now();\nsetTimeout(() => undefined, 1);\n'],
  ['clocks in a test', 'sidecar/shell/clock.test.ts', 'export const now = Date.now();\nsetTimeout(() => undefined, 1);\n'],
  ['clocks in a script', 'scripts/clock.ts', 'export const now = Date.now();\n'],
  ['a date from a number', 'sidecar/core/date-from.ts', 'export const at = (ms: number): string => new Date(ms).toISOString();\n'],
  ['console in the command line', 'cli/prints.ts', "console.log('x');\n"],
  ['400 lines, and a main of 60', 'contract/full-file.ts', lines(400)],
  ['a function of 60 lines with 10 ways through it', 'contract/full-function.ts', functionOf(60) + branches(10)],
  ['a test of any length up to a file', 'contract/table.test.ts', functionOf(200)],
  ['a package by its name', 'cli/by-name.ts', "export { parsed } from '@belay/contract';\n"],
  ['support for tests by its path', 'contract/supported.test.ts', "export * from '../test/support/manual-clock.ts';\n"],
];

describe('lint', () => {
  let tree: PlantedTree;
  let findings: Map<string, readonly Finding[]>;

  beforeAll(() => {
    tree = createPlantedTree(Object.fromEntries([...refused, ...allowed].map(([, file, text]) => [file, text])));
    const report = JSON.parse(tree.run('lint', { add: ['--format=json'] })) as readonly { readonly filePath: string; readonly messages: readonly Finding[] }[];
    findings = new Map(report.map(({ filePath, messages }) => [filePath, messages]));
  }, 60_000);
  afterAll(() => tree.close());

  const of = (file: string): readonly string[] => {
    const entry = [...findings].find(([path]) => path.endsWith(`/${file}`));
    if (entry === undefined) throw new Error(`lint did not look at ${file}`);
    return entry[1].map(({ ruleId, message }) => `${ruleId}: ${message}`);
  };

  test.each(refused)('refuses %s', (_sentence, file, _text, rule, words) => {
    expect(of(file)).toContainEqual(expect.stringMatching(new RegExp(`^${rule}: .*${words.replaceAll(/[()[\]]/g, '\\$&')}`, 's')));
  });

  test('has a planted violation of every rule', () => {
    const settings = ['sidecar/shell/date-now.ts', 'sidecar/core/random.ts'].map((file) => JSON.parse(tree.run('lint', { add: ['--print-config', file], drop: ['.'] })) as { readonly rules: Readonly<Record<string, readonly [number]>> });
    const rules = settings.flatMap((setting) => Object.entries(setting.rules)).filter(([, [severity]]) => severity === 2).map(([name]) => name);
    const planted = new Set(refused.map(([, , , rule]) => rule));
    expect(rules.filter((rule) => !planted.has(rule))).toEqual([]);
    expect(rules.length).toBeGreaterThan(20);
  });

  test.each(allowed)('allows %s', (_sentence, file) => {
    expect(of(file)).toEqual([]);
  });
});
