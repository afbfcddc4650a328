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

test('values of a parent chart may be there', async () => {
  expect(await tryRender({ values: { global: { whatever: { else: 1 } } } })).toHaveProperty('text');
});

test('the defaults and everything.yaml are valid', () => {
  expect([validate(defaults), validate(parse(readFileSync(everything, 'utf8'))), validate.errors]).toEqual([true, true, null]);
});

describe('of each value, every type but its own is refused', () => {
  // Quantities may be numbers, but none below zero.
  const wrong: readonly unknown[] = ['Not A Value!', -3.5, true, ['x'], { unknown: 1 }];

  test.each(leavesOf(defaults))('%s', (path, value) => {
    const others = wrong.filter((other) => typeOf(other) !== typeOf(value));
    const taken = others.filter((other) => validate(nested(path, other)));
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
  expect([...known].filter((path) => !written.has(path) && path !== 'global')).toEqual([]);
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
