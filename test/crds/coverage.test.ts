import { describe, expect, test } from '@jest/globals';
import { crdSchemas, type OpenAPISchema } from '@belay/operator/core/resources/crd-schemas.ts';
import { readCases } from './read-cases.ts';

const cases = readCases();

describe.each(crdSchemas.map(({ kind, schema }) => [kind, schema] as const))('%s', (kind, schema) => {
  const own = cases.filter(({ manifest }) => manifest['kind'] === kind);
  const spec = schema.properties?.['spec'] ?? {};
  const taken = new Set(own.filter(({ valid }) => valid).flatMap(({ manifest }) => pathsOf(manifest['spec'], 'spec')));
  const refused = new Set(own.flatMap(({ expected }) => expected.map(({ path }) => path.replaceAll(/\[\d+\]/g, '[]'))));
  const messages = own.flatMap(({ expected }) => expected.map(({ message }) => message));

  test.each(fieldsOf(spec, 'spec'))('%s stands in a valid example', (path) => {
    expect(taken).toContain(path);
  });

  test.each(leavesOf(spec, 'spec'))('%s is refused in an invalid example', (path) => {
    expect([...refused].some((cause) => cause === path || cause.startsWith(`${path}[]`))).toBe(true);
  });

  test.each(rulesOf(schema))('the rule that says "%s" is broken by an invalid example', (message) => {
    expect(messages).toContain(message);
  });

  test('every field says what it is, to whoever asks kubectl explain', () => {
    const silent = [...fieldsWithin(schema, '')].filter(([path, { description = '' }]) => description === '' && path !== '.metadata').map(([path]) => path);
    expect(silent).toEqual([]);
  });

  // The server would add it to the list of whoever applies without it, and call that a conflict where another manager applies the same.
  test('no default stands within a list that is replaced as a whole', () => {
    const lists = [...fieldsWithin(schema, '')].filter(([, { type, 'x-kubernetes-list-type': how = 'atomic' }]) => type === 'array' && how === 'atomic');
    const within = lists.flatMap(([path, { items = {} }]) => [...fieldsWithin(items, `${path}[]`)]);
    expect(within.length).toBeGreaterThan(0);
    expect(within.filter(([, field]) => field.default !== undefined).map(([path]) => path)).toEqual([]);
  });

  test('every text, every list and every map is bounded', () => {
    expect(unboundedOf(schema, '')).toEqual([]);
  });
});

function fieldsOf({ properties = {}, items }: OpenAPISchema, path: string): readonly string[] {
  const below = Object.entries(properties).flatMap(([name, property]) => [`${path}.${name}`, ...fieldsOf(property, `${path}.${name}`)]);
  return items === undefined ? below : [...below, ...fieldsOf(items, `${path}[]`)];
}

/** Each field, and its path. */
function fieldsWithin({ properties = {}, items = {}, additionalProperties = {} }: OpenAPISchema, path: string): readonly (readonly [string, OpenAPISchema])[] {
  const below = Object.entries(properties).flatMap(([name, field]) => [[`${path}.${name}`, field] as const, ...fieldsWithin(field, `${path}.${name}`)]);
  const inner = [...Object.values(items.properties ?? {}), ...Object.values(additionalProperties.properties ?? {})].length === 0 ? [] : [...fieldsWithin(items, `${path}[]`), ...fieldsWithin(additionalProperties, `${path}{}`)];
  return [...below, ...inner];
}

function leavesOf(schema: OpenAPISchema, path: string): readonly string[] {
  const { properties, items } = schema;
  if (items?.properties !== undefined) return leavesOf(items, `${path}[]`);
  return properties === undefined ? [path] : Object.entries(properties).flatMap(([name, property]) => leavesOf(property, `${path}.${name}`));
}

function rulesOf({ properties = {}, items = {}, 'x-kubernetes-validations': rules = [] }: OpenAPISchema): readonly string[] {
  const below = [...Object.values(properties), ...(items.type === undefined ? [] : [items])].flatMap(rulesOf);
  return [...new Set([...rules.map(({ message }) => message), ...below])];
}

function unboundedOf({ type, maxLength, maxItems, maxProperties, properties = {}, additionalProperties, items }: OpenAPISchema, path: string): readonly string[] {
  const unbounded = (type === 'string' && maxLength === undefined) || (type === 'array' && maxItems === undefined) || (additionalProperties !== undefined && maxProperties === undefined);
  const here = unbounded ? [path] : [];
  const below = Object.entries(properties).flatMap(([name, property]) => unboundedOf(property, `${path}.${name}`));
  return [...here, ...below, ...(additionalProperties === undefined ? [] : unboundedOf(additionalProperties, `${path}{}`)), ...(items === undefined ? [] : unboundedOf(items, `${path}[]`))];
}

/** Paths of everything that a value sets; null sets nothing. */
function pathsOf(value: unknown, path: string): readonly string[] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return [path, ...value.flatMap((item) => pathsOf(item, `${path}[]`))];
  if (typeof value !== 'object') return [path];
  return [path, ...Object.entries(value).flatMap(([name, member]) => pathsOf(member, `${path}.${name}`))];
}
