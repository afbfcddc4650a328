import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { chartValues } from '../../scripts/chart/values-table.ts';
import { chart, everything, renderText, tryRender } from './render-chart.ts';

interface Schema {
  readonly type?: string;
  readonly additionalProperties?: boolean | Schema;
  readonly description?: string;
  readonly [keyword: string]: unknown;
}

const schema = JSON.parse(readFileSync(join(chart, 'values.schema.json'), 'utf8')) as Schema;
const text = readFileSync(join(chart, 'values.yaml'), 'utf8');
const defaults = parse(text) as object;
const validate = new Ajv({ allErrors: true }).compile(schema);

test('helm refuses a misspelt value, and names it and its place', async () => {
  expect(await tryRender({ values: { webhook: { replica: 3 } } })).toEqual({ refused: expect.stringContaining("at '/webhook': additional properties 'replica' not allowed") });
});

test.each<[string, object, string]>([
  ['a number for a tag', { image: { tag: 1 } }, "at '/image/tag': got number, want string"],
  ['a word that is none of those', { secretAccess: 'none' }, "at '/secretAccess': value must be one of 'cluster', 'namespaces'"],
  ['a text for a switch', { crds: { keep: 'true' } }, "at '/crds/keep': got string, want boolean"],
  ['a tag within a repository', { image: { repository: 'ghcr.io/belay-dev/belay@sha256:0' } }, "at '/image/repository': 'ghcr.io/belay-dev/belay@sha256:0' does not match pattern"],
  ['a digest cut short', { image: { digest: 'sha256:abc' } }, "at '/image/digest': 'sha256:abc' does not match pattern"],
  ['a Secret by its name alone', { imagePullSecrets: ['registry'] }, "at '/imagePullSecrets/0': got string, want object"],
  ['no webhook at all', { webhook: { replicas: 0 } }, "at '/webhook/replicas': minimum: got 0, want 1"],
  ['less time than the webhook takes to go', { webhook: { terminationGracePeriodSeconds: 5 } }, "at '/webhook/terminationGracePeriodSeconds': minimum: got 5, want 15"],
])('helm refuses %s', async (_, values, message) => {
  expect(await tryRender({ values })).toEqual({ refused: expect.stringContaining(message) });
});

test('values of a parent chart may be there, its condition among them', async () => {
  expect(await tryRender({ values: { global: { whatever: { else: 1 } }, enabled: true } })).toEqual({ text: await renderText() });
});

describe('a key without a value, which takes the default away', () => {
  const paths = [...new Set(parents(leavesOf(defaults).map(([path]) => path)).filter((path) => !/\.(resources|nodeSelector)\./.test(path)))];
  const isEmptiable = (path: string): boolean => ['', '[]', '{}', '""'].includes(JSON.stringify(valueAt(defaults, path))) || /\.(resources|nodeSelector|image\.(tag|digest))$/.test(path);

  test.each(paths.filter((path) => !isEmptiable(path)))('%s is refused by its name', (path) => {
    expect([validate(without(path)), validate.errors?.map(({ message }) => message)]).toEqual([false, [`must have required property '${path.split('.').at(-1)}'`]]);
  });

  test('is as good as an empty one everywhere else', async () => {
    const emptiable = paths.filter(isEmptiable);
    const all = (value: (path: string) => unknown): object => emptiable.reduce((values, path) => withValue(values, path, value(path)), {});
    const empty = (path: string): unknown => ({ array: [], object: {}, string: '' })[typeOf(valueAt(defaults, path))];
    const maps = emptiable.filter((path) => Object.keys(valueAt(defaults, path) as object).length > 0 && typeOf(valueAt(defaults, path)) === 'object');
    const taken = await renderText({ values: all(() => null) });
    // A map is added to, so that only null empties one that has members.
    expect(maps).toEqual(['webhook.resources', 'webhook.nodeSelector', 'controller.resources', 'controller.nodeSelector']);
    expect(taken).toBe(await renderText({ values: all((path) => (maps.includes(path) ? null : empty(path))) }));
  });

  test('and helm says so', async () => {
    expect(await tryRender({ values: { webhook: { replicas: null } } })).toEqual({ refused: expect.stringContaining("at '/webhook': missing property 'replicas'") });
  });
});

test('the defaults and everything.yaml are valid', () => {
  expect([validate(defaults), validate(merged(defaults, parse(readFileSync(everything, 'utf8')) as object)), validate.errors]).toEqual([true, true, null]);
});

describe('of each value, every type but its own is refused', () => {
  // Quantities may be numbers, but none below zero.
  const wrong: readonly unknown[] = ['Not A Value!', -3.5, true, ['x'], { unknown: 1 }];

  test.each(leavesOf(defaults))('%s', (path, value) => {
    const others = wrong.filter((other) => typeOf(other) !== typeOf(value));
    const taken = others.filter((other) => validate(withValue(defaults, path, other)));
    expect(taken).toEqual([]);
  });
});

test('every object of the schema is closed, but for those that somebody else judges', () => {
  const open = objectsOf(schema, '').filter(({ at }) => at.additionalProperties !== false && !(typeof at.additionalProperties === 'object' && at.additionalProperties.type !== undefined));
  expect(open.map(({ path }) => path)).toEqual([
    '/properties/global',
    '/definitions/affinity/properties/nodeAffinity', '/definitions/affinity/properties/podAffinity', '/definitions/affinity/properties/podAntiAffinity',
    '/definitions/topologySpreadConstraints/items/properties/labelSelector',
  ]);
});

test('every value has a default, and every default is a value', () => {
  const known = new Set(propertiesOf(schema, ''));
  const written = new Set([...parents(leavesOf(defaults).map(([path]) => path))]);
  expect([...known].filter((path) => !written.has(path) && !['global', 'enabled'].includes(path))).toEqual([]);
  expect([...written].filter((path) => !known.has(path) && !/\.(resources|nodeSelector)\./.test(path))).toEqual([]);
});

describe('every value changes what is rendered', () => {
  const full = parse(readFileSync(everything, 'utf8')) as object;
  const fullText = renderText({ args: ['--values', everything] });
  const others: Readonly<Record<string, unknown>> = {
    'image.repository': 'mine/belay', 'image.tag': 'next', 'image.pullPolicy': 'Never', 'localTier.image.tag': 'next', 'localTier.image.digest': '',
    'webhook.podDisruptionBudget.enabled': false, 'webhook.resources.requests.cpu': 1, 'webhook.resources.requests.memory': '1Gi', 'webhook.resources.limits.memory': '1Gi',
    'webhook.terminationGracePeriodSeconds': 99, 'controller.resources.requests.cpu': 1, 'controller.resources.requests.memory': '1Gi', 'controller.resources.limits.memory': '2Gi',
    'webhook.nodeSelector.kubernetes.io/os': 'bsd', 'controller.nodeSelector.kubernetes.io/os': 'bsd', 'controller.terminationGracePeriodSeconds': 99,
    'crds.enabled': false, 'crds.keep': false, 'cleanup.enabled': false, 'metrics.podMonitor.interval': '9s', 'nameOverride': 'other', 'fullnameOverride': 'other',
  };

  test.each(chartValues(text).flatMap(({ path, value }) => (typeOf(value) === 'object' ? leavesOf(value as object, `${path}.`).concat(Object.keys(value as object).length === 0 ? [[path, value]] : []) : [[path, value] as const])))('%s', async (path, value) => {
    const written = valueAt(full, path);
    // A map is added to, never replaced.
    const added = path.endsWith('affinity') ? { podAffinity: {} } : { other: 'x' };
    const other = typeOf(value) === 'object' ? added : written === undefined || written === value ? others[path] : value;
    expect(other).toBeDefined();
    expect(await renderText({ args: ['--values', everything], values: nested(path, other) })).not.toBe(await fullText);
  });
});

function leavesOf(value: object, prefix = ''): readonly [string, unknown][] {
  return Object.entries(value).flatMap(([key, member]: [string, unknown]): readonly [string, unknown][] =>
    (typeOf(member) === 'object' && Object.keys(member as object).length > 0 ? leavesOf(member as object, `${prefix}${key}.`) : [[`${prefix}${key}`, member]]));
}

/** Keys of a map such as `kubernetes.io/os` are one, whatever points they hold. */
function partsOf(path: string): readonly string[] {
  const [, before, key] = /^(.*\.nodeSelector)\.(.+)$/.exec(path) ?? [];
  return before === undefined || key === undefined ? path.split('.') : [...before.split('.'), key];
}

function nested(path: string, value: unknown): object {
  return partsOf(path).reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as object;
}

/** A copy of values in which one is another. */
function withValue(values: object, path: string, value: unknown): object {
  const put = (at: object, [key = '', ...rest]: readonly string[]): object => ({ ...at, [key]: rest.length === 0 ? value : put(((at as Record<string, unknown>)[key] ?? {}) as object, rest) });
  return put(values, partsOf(path));
}

/** As helm does it: maps are added to, everything else is replaced. */
function merged(values: object, over: object): object {
  return leavesOf(over).reduce((all, [path, value]) => withValue(all, path, value), values);
}

/** The defaults but for one value, or group of values. */
function without(path: string): object {
  return JSON.parse(JSON.stringify(withValue(defaults, path, undefined))) as object;
}

function valueAt(values: unknown, path: string): unknown {
  return partsOf(path).reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], values);
}

function typeOf(value: unknown): string {
  return Array.isArray(value) ? 'array' : typeof value;
}

function parents(paths: readonly string[]): readonly string[] {
  return paths.flatMap((path) => path.split('.').map((_, index, parts) => parts.slice(0, index + 1).join('.')));
}

function objectsOf(at: Schema, path: string): readonly { readonly path: string; readonly at: Schema }[] {
  const own = at.type === 'object' ? [{ path, at }] : [];
  return [...own, ...Object.entries(at).flatMap(([key, member]) => (typeof member === 'object' && member !== null && !Array.isArray(member) ? objectsOf(member as Schema, `${path}/${key}`) : []))];
}

/** Of the values' own shape: what lists hold, and Kubernetes' shapes within resources, have no default. */
function propertiesOf(at: Schema, prefix: string): readonly string[] {
  const target = typeof at['$ref'] === 'string' ? ((schema['definitions'] as Record<string, Schema>)[at['$ref'].replace('#/definitions/', '')] ?? {}) : at;
  if (['#/definitions/resources', '#/definitions/affinity'].includes(String(at['$ref']))) return [];
  return Object.entries((target['properties'] ?? {}) as Record<string, Schema>).flatMap(([key, member]) => [`${prefix}${key}`, ...propertiesOf(member, `${prefix}${key}.`)]);
}
