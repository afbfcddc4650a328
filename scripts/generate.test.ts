import { expect, test } from '@jest/globals';
import { generate, outdated } from './generate.ts';

test('types and schemas are current with the CRDs (npm run generate)', () => {
  expect(outdated()).toEqual([]);
});

test('a field is optional unless the CRD requires it or gives it a default', () => {
  const types = generate().get('operator/core/resources/fallback-chain.ts');
  expect(types).toContain('readonly latencyBudget?: string;');
  expect(types).toContain('readonly deadline: string;');
  expect(types).toContain("readonly fallbackMode: 'Sequential' | 'Race';");
  expect(types).toContain('readonly providerRef: {');
});
