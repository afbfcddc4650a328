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
    project('house', ['<rootDir>/test/house/**/*.test.ts']),
  ],
};
