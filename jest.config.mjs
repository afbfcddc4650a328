import { filesWithCode } from './scripts/files-with-code.mjs';

/** Folders of decisions, whose unit tests alone must reach nearly everything. */
const decisions = ['contract', 'operator/core', 'sidecar/core'];

const project = (displayName, testMatch) => ({
  displayName,
  rootDir: '.',
  testEnvironment: 'node',
  testMatch,
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': '<rootDir>/jest-strip-types.mjs' },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '/\\.types/', '<rootDir>/\\.cache/'],
});

export default {
  coverageProvider: 'v8',
  coverageReporters: ['text'],
  // Only where `--coverage` is asked for: `npm run check` does.
  collectCoverageFrom: process.argv.includes('--coverage') ? filesWithCode(decisions) : [],
  coverageThreshold: Object.fromEntries(decisions.flatMap((folder) => [[`./${folder}/`, { statements: 95 }], [`./${folder}/**/*.ts`, { statements: 70 }]])),
  // Pass fast, fail slow: a busy machine is no failure.
  testTimeout: 30_000,
  projects: [
    project('unit', ['<rootDir>/{contract,operator,sidecar,cli,scripts}/**/*.test.ts', '<rootDir>/test/support/**/*.test.ts']),
    project('golden', ['<rootDir>/test/golden/**/*.test.ts']),
    project('simulation', ['<rootDir>/test/simulation/**/*.test.ts']),
    project('data-plane', ['<rootDir>/test/data-plane/**/*.test.ts']),
    project('crds', ['<rootDir>/test/crds/**/*.test.ts']),
    project('kube', ['<rootDir>/test/kube/**/*.test.ts']),
    project('chart', ['<rootDir>/test/chart/**/*.test.ts']),
    project('operator', ['<rootDir>/test/operator/**/*.test.ts']),
    project('containers', ['<rootDir>/test/containers/**/*.test.ts']),
    project('cluster', ['<rootDir>/test/cluster/**/*.test.ts']),
    project('house', ['<rootDir>/test/house/**/*.test.ts']),
  ],
};
