// The dependency rule of ARCHITECTURE.md: who may import whom. Types count as much as values.
// Tests beside their file may use what tests need; every other rule holds for them too.
const packages = '(contract|operator|sidecar|cli)';
const product = `^${packages}/`;
const ownTests = '\\.test\\.ts$';
/** Packages without I/O, clock or chance, which the pure halves may use. */
const purePackages = '(^|/)node_modules/eventsource-parser/';

const rule = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

export default {
  forbidden: [
    rule('contract-imports-nothing', 'What both programs agree on depends on neither, nor on any library.',
      { path: '^contract/', pathNot: ownTests }, { pathNot: '^contract/' }),
    rule('core-is-pure', 'A core decides: it imports itself, the contract and listed pure packages; no I/O, no shell, no dialect.',
      { path: '^(operator|sidecar)/core/', pathNot: ownTests }, { pathNot: ['^contract/', '^$1/core/', purePackages] }),
    rule('dialects-import-core-and-contract', 'A dialect translates: sidecar/core, contract, its own folder and listed pure packages.',
      { path: '^sidecar/dialects/', pathNot: ownTests }, { pathNot: ['^contract/', '^sidecar/(core|dialects)/', purePackages] }),
    rule('dialects-stand-apart', 'Two dialects meet in the conversation, never in each other.',
      { path: '^sidecar/dialects/([^/]+)/' }, { path: '^sidecar/dialects/[^/]+/', pathNot: '^sidecar/dialects/$1/' }),
    rule('kube-knows-no-belay', 'operator/shell/kube could be a library.',
      { path: '^operator/shell/kube/', pathNot: ownTests }, { path: product, pathNot: '^operator/shell/kube/' }),
    rule('shell-stays-in-its-package', 'A shell imports its own package and the contract.',
      { path: '^(operator|sidecar)/shell/', pathNot: ownTests }, { path: product, pathNot: ['^contract/', '^$1/'] }),
    rule('operator-and-sidecar-never-meet', 'The two programs meet in the contract.',
      { path: '^operator/' }, { path: '^sidecar/' }),
    rule('sidecar-and-operator-never-meet', 'The two programs meet in the contract.',
      { path: '^sidecar/' }, { path: '^operator/' }),
    rule('nothing-imports-cli', 'The command line is a way in, not a library.',
      { path: '^(contract|operator|sidecar)/' }, { path: '^cli/' }),
    rule('main-only-wires', 'main.ts starts a program; nothing imports it.',
      { pathNot: ownTests }, { path: '^(operator|sidecar)/main\\.ts$' }),
    rule('product-imports-no-test', 'Product code never imports test code, nor the scripts around it.',
      { path: product, pathNot: ownTests }, { path: ['^(test|bench|scripts|examples)/', ownTests] }),
    rule('kubernetes-in-the-operator-only', 'The Kubernetes client belongs to the operator (+72 MB).',
      { path: '^(contract|sidecar|cli)/' }, { path: '(^|/)node_modules/@kubernetes/' }),
    rule('no-whole-undici', 'undici/lib/dispatcher/pool.js alone: the whole package costs 13 MiB and 100 ms more.',
      { path: '^(contract|sidecar)/' }, { path: '(^|/)node_modules/undici/', pathNot: '(^|/)node_modules/undici/lib/dispatcher/' }),
    rule('no-development-package-in-product', 'What a program needs to run stands under dependencies of its own package.',
      { path: product, pathNot: ownTests }, { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm', 'npm-optional', 'type-only'] }),
    rule('no-undeclared-package', 'A package that no package.json lists is there by accident.',
      { pathNot: ownTests }, { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] }),
    rule('no-unresolvable', 'The import leads nowhere.', {}, { couldNotResolve: true }),
    rule('no-cycle', 'Files that import each other cannot be read one at a time.', {}, { circular: true }),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // Nothing of a library may match: an import that is excluded is never judged.
    exclude: { path: '/\\.types/' },
    tsPreCompilationDeps: true,
    combinedDependencies: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'node', 'default'], extensions: ['.ts', '.mjs', '.js', '.json'] },
  },
};
