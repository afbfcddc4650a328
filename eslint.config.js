// Lint rules of ARCHITECTURE.md. Which package may import which is .dependency-cruiser.mjs's business.
import { basename, dirname, relative, resolve, sep } from 'node:path';
import tseslint from 'typescript-eslint';

const packages = ['contract', 'operator', 'sidecar', 'cli'];
const product = packages.map((name) => `${name}/**/*.ts`);
const pure = ['contract/**/*.ts', 'operator/core/**/*.ts', 'sidecar/core/**/*.ts', 'sidecar/dialects/**/*.ts'];
const tests = ['**/*.test.ts', 'test/**/*.ts'];
const generated = ['crd-schemas', 'fallback-chain', 'model-provider'].map((name) => `operator/core/resources/${name}.ts`);

const takeAClock = 'Take a Clock: only system-clock.ts reads or waits for time.';
const takeARandom = 'Take a Random: chance comes in as a parameter.';
const clockModules = ['timers', 'timers/promises', 'perf_hooks'].flatMap((name) => [name, `node:${name}`]);
const timers = ['setTimeout', 'setInterval', 'setImmediate', 'performance'];

/** Every syntax that is refused everywhere; a block that adds to `no-restricted-syntax` must repeat these. */
const refusedSyntax = [
  { selector: 'CatchClause > BlockStatement[body.length=0]', message: 'Empty catch: handle the error, or return a value that says what happened.' },
];
const refusedInProduct = [
  ...refusedSyntax,
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: takeAClock },
  { selector: "CallExpression[callee.name='Date']", message: takeAClock },
  { selector: "MemberExpression[object.name='globalThis'][property.name=/^(setTimeout|setInterval|setImmediate|performance)$/]", message: takeAClock },
];

/** @type {import('eslint').Rule.RuleModule} */
const fileName = {
  meta: { type: 'problem', schema: [], messages: {
    shape: 'File name {{name}}: kebab-case, after its main export.',
    vague: 'File name {{name}}: name what it holds; utils, helpers, common and types say nothing.',
  } },
  create: (context) => ({ Program(node) {
    const name = basename(context.filename);
    const folders = relative(context.cwd, dirname(context.filename)).split(sep);
    const words = [name.replace(/\..*$/, ''), ...folders];
    if (!/^\.?[a-z0-9]+(-[a-z0-9]+)*(\.(test|config))?\.[cm]?[jt]s$/.test(name)) context.report({ node, messageId: 'shape', data: { name } });
    if (words.some((word) => /^(utils?|helpers?|common|types)$|-(utils?|helpers?)$/.test(word))) context.report({ node, messageId: 'vague', data: { name } });
  } }),
};

/** @type {import('eslint').Rule.RuleModule} */
const packageByName = {
  meta: { type: 'problem', fixable: 'code', schema: [], messages: { relative: "Import '{{specifier}}' leads into package {{owner}}: import it by name, @belay/{{owner}}/…" } },
  create(context) {
    const owner = (path) => packages.find((name) => relative(context.cwd, path).split(sep)[0] === name);
    const own = owner(context.filename);
    const check = ({ source }) => {
      if (typeof source?.value !== 'string' || !source.value.startsWith('.')) return;
      const path = resolve(dirname(context.filename), source.value);
      const other = owner(path);
      if (other === undefined || other === own) return;
      const byName = `'@belay/${relative(context.cwd, path).split(sep).join('/')}'`;
      context.report({ node: source, messageId: 'relative', data: { specifier: source.value, owner: other }, fix: (fixer) => fixer.replaceText(source, byName) });
    };
    return { ImportDeclaration: check, ExportNamedDeclaration: check, ExportAllDeclaration: check, ImportExpression: check };
  },
};

export default tseslint.config(
  { ignores: ['**/node_modules/', '**/.types/', '**/dist/', 'dist.part-*/', '**/.cache/', '**/coverage/', ...generated] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.{ts,js,mjs}'],
    plugins: { '@typescript-eslint': tseslint.plugin, belay: { rules: { 'file-name': fileName, 'package-by-name': packageByName } } },
    languageOptions: { parser: tseslint.parser },
    rules: {
      'belay/file-name': 'error',
      'belay/package-by-name': 'error',
      // A switch over a closed union counts once, however many its cases.
      'complexity': ['error', { max: 10, variant: 'modified' }],
      'max-lines': ['error', 400],
      'max-lines-per-function': ['error', 60],
      'no-restricted-syntax': ['error', ...refusedSyntax],
      'eqeqeq': ['error', 'always', { null: 'ignore' }],
      'no-constant-condition': ['error', { checkLoops: 'allExceptWhileTrue' }],
      'no-dupe-else-if': 'error',
      'no-self-compare': 'error',
      'no-unsafe-finally': 'error',
      'no-unsafe-optional-chaining': 'error',
      'no-useless-catch': 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      '@typescript-eslint/ban-ts-comment': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
    },
  },
  {
    // Rules that need types: where a package's tsconfig reaches, and it reaches no test.
    files: ['{contract,cli}/**/*.ts', '{operator,sidecar}/{core,dialects,shell}/**/*.ts'],
    ignores: tests,
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: false } }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    },
  },
  {
    files: product,
    ignores: [...tests, '**/system-clock.ts'],
    rules: {
      'no-restricted-syntax': ['error', ...refusedInProduct],
      'no-restricted-globals': ['error', ...timers.map((name) => ({ name, message: takeAClock }))],
      'no-restricted-properties': ['error',
        { object: 'Date', property: 'now', message: takeAClock },
        { object: 'AbortSignal', property: 'timeout', message: takeAClock },
        { object: 'process', property: 'hrtime', message: takeAClock },
        { object: 'Math', property: 'random', message: takeARandom }],
      'no-restricted-imports': ['error', { paths: clockModules.map((name) => ({ name, message: takeAClock })) }],
    },
  },
  {
    // Dialects are compiled with Node's types for TextDecoder and URL alone.
    files: ['sidecar/dialects/**/*.ts'],
    ignores: tests,
    rules: { 'no-restricted-globals': ['error', ...timers.map((name) => ({ name, message: takeAClock })), ...['fetch', 'process', 'WebSocket'].map((name) => ({ name, message: 'A dialect translates: the shell does I/O.' }))] },
  },
  { files: [...pure, 'operator/shell/**/*.ts', 'sidecar/shell/**/*.ts'], ignores: tests, rules: { 'no-console': 'error' } },
  { files: ['operator/main.ts', 'sidecar/main.ts'], rules: { 'max-lines': ['error', 60] } },
  {
    // A table of cases is one function, and an assertion may say what it knows.
    files: tests,
    rules: { 'max-lines-per-function': 'off', '@typescript-eslint/no-non-null-assertion': 'off' },
  },
);
