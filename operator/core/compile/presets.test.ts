import { expect, test } from '@jest/globals';
import { crdSchemas } from '../resources/crd-schemas.ts';
import { presetNamed, presets } from './presets.ts';

const spec = crdSchemas.find(({ kind }) => kind === 'ModelProvider')?.schema.properties?.['spec'];

test('there is a preset for each name of the CRD and no other', () => {
  expect(Object.keys(presets)).toEqual(spec?.properties?.['preset']?.enum);
});

test('the presets that need a baseURL are those that the CRD asks it of', () => {
  const rule = spec?.['x-kubernetes-validations']?.find((validation) => validation.rule.includes('self.preset in'))?.rule ?? '';
  const asked = [...rule.matchAll(/'(\w+)'/g)].map(([, name]) => name);
  expect(Object.entries(presets).filter(([, { baseURL }]) => baseURL === null).map(([name]) => name)).toEqual(asked);
});

test('each address is https, without a trailing slash', () => {
  for (const { baseURL } of Object.values(presets)) if (baseURL !== null) expect(baseURL).toMatch(/^https:\/\/[a-z0-9./-]+[a-z0-9]$/);
});

test.each(['Anthropic', 'toString', '__proto__', ''])('%j is no preset', (name) => {
  expect(presetNamed(name)).toBeNull();
});
