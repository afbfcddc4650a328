import { describe, expect, test } from '@jest/globals';
import { readManifests, type JsonObject } from '../manifest/read-manifests.ts';
import { readCases, sameMessage } from '../../test/crds/read-cases.ts';
import type { OpenAPISchema } from '@belay/operator/core/resources/crd-schemas.ts';
import { compileResourceCheck, resourceCheckFor } from './check-resource.ts';

const cases = readCases();

describe('says what an API server says', () => {
  test.each(cases.map((one) => [`${one.file}:${one.line} ${one.sentence}`, one] as const))('%s', (_title, { text, expected }) => {
    const { resources, problems } = readManifests([{ name: 'case.yaml', text }]);
    expect(problems).toEqual([]);
    const { kind, value } = resources[0] ?? { kind: '', value: {} as JsonObject };
    const { errors } = resourceCheckFor(kind)(value);
    const found = errors.map(({ path, reason, message }) => ({ path, reason, message }));
    const missing = expected.filter((cause) => !found.some((one) => one.path === cause.path && one.reason === cause.reason && sameMessage(cause.message, one.message)));
    const unexpected = found.filter((one) => !expected.some((cause) => one.path === cause.path && one.reason === cause.reason && sameMessage(cause.message, one.message)));
    expect({ missing, unexpected }).toEqual({ missing: [], unexpected: [] });
  });
});

describe('checks any CRD, also by what those of Belay do not use yet', () => {
  const judge = (spec: OpenAPISchema, value: JsonObject) => {
    const check = compileResourceCheck({ group: 'x.io', version: 'v1', kind: 'X', plural: 'xs', singular: 'x', shortNames: [], schema: { type: 'object', properties: { spec, status: { type: 'object', properties: { a: { type: 'string' } } } } } });
    const { value: normalized, errors } = check({ metadata: { name: 'x' }, ...value });
    return { spec: normalized['spec'], found: errors.map(({ path, reason, message }) => `${path} ${reason} ${message}`) };
  };
  const rule = (text: string) => [{ rule: text, message: 'broken' }];

  test.each<[string, OpenAPISchema, JsonObject, readonly string[]]>([
    ['integers are integers to a rule', { type: 'object', 'x-kubernetes-validations': rule('self.n / 2 == 2 && self.n + 1 == 6'), properties: { n: { type: 'integer' } } }, { n: 5 }, []],
    ['numbers are not', { type: 'object', 'x-kubernetes-validations': rule('self.n / 2.0 == 2.5'), properties: { n: { type: 'number' } } }, { n: 5 }, []],
    ['names that CEL cannot write are escaped', { type: 'object', 'x-kubernetes-validations': rule("self.a__dash__b == 'x' && self.__namespace__ == 'y' && self.c__dot__d == 'z'"), properties: { 'a-b': { type: 'string' }, namespace: { type: 'string' }, 'c.d': { type: 'string' } } }, { 'a-b': 'x', namespace: 'y', 'c.d': 'z' }, []],
    ['a rule that forbids', { type: 'object', 'x-kubernetes-validations': [{ rule: '!has(self.n)', message: 'no n', reason: 'FieldValueForbidden', fieldPath: '.n' }], properties: { n: { type: 'integer' } } }, { n: 1 }, ['spec.n FieldValueForbidden Forbidden: no n']],
    ['a rule that cannot be evaluated says so', { type: 'object', 'x-kubernetes-validations': rule('self.m == 1'), properties: { n: { type: 'integer' } } }, { n: 1 }, [expect.stringMatching(/^spec FieldValueInvalid Invalid value: .+ evaluating rule: broken$/) as unknown as string]],
    ['an item that stands three times is told once', { type: 'object', properties: { s: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } } } }, { s: ['a', 'a', 'a', 'b', 'b'] }, ['spec.s[1] FieldValueDuplicate Duplicate value: "a"', 'spec.s[4] FieldValueDuplicate Duplicate value: "b"']],
    ['a null item of a keyed list is an object without keys', { type: 'object', properties: { s: { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k'], items: { type: 'object', properties: { k: { type: 'string' } } } } } }, { s: [{ k: 'a' }, { k: 'a' }] }, ['spec.s[1] FieldValueDuplicate Duplicate value: {"k":"a"}']],
    ['a text of as many characters as are allowed, however many bytes', { type: 'object', properties: { s: { type: 'string', maxLength: 2, minLength: 2 } } }, { s: '😀é' }, []],
  ])('%s', (_title, schema, spec, expected) => {
    expect(judge(schema, { spec }).found).toEqual(expected);
  });

  test('nulls give way to defaults, and are dropped where there is none', () => {
    const schema: OpenAPISchema = { type: 'object', properties: { a: { type: 'string', default: 'x' }, b: { type: 'string' }, c: { type: 'object', properties: { d: { type: 'integer', default: 1 } } } } };
    expect(judge(schema, { spec: { a: null, b: null, c: {} } })).toEqual({ spec: { a: 'x', c: { d: 1 } }, found: [] });
  });

  test('a status is dropped, as at creation, but its unknown fields are told', () => {
    expect(judge({ type: 'object' }, { spec: {}, status: { a: 1, b: 2 } }).found).toEqual(['status.b UnknownField unknown field "status.b"']);
  });
});
