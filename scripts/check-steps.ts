export interface CheckStep {
  readonly name: string;
  /** Arguments of Node, from the root of the repository. */
  readonly args: readonly string[];
}

/** What every commit must pass, apart from tests. test/house runs the same commands over planted violations. */
export const checkSteps: readonly CheckStep[] = [
  { name: 'types', args: ['node_modules/typescript/bin/tsc', '-b'] },
  { name: 'lint', args: ['node_modules/eslint/bin/eslint.js', '--max-warnings=0', '.'] },
  { name: 'dependency rules', args: ['node_modules/dependency-cruiser/bin/dependency-cruiser.mjs', '--config', '.dependency-cruiser.mjs', 'contract', 'operator', 'sidecar', 'cli', 'test', 'scripts'] },
  { name: 'unused code', args: ['node_modules/knip/bin/knip.js', '--no-progress', '--no-config-hints'] },
  { name: 'generated files', args: ['scripts/generate.ts', '--check'] },
];
