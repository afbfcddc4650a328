import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseRoutingTable } from './parse-routing-table.ts';

type Container = { [key: string | number]: unknown };

const sample = readFileSync(join(import.meta.dirname, 'golden/routing-table.json'), 'utf8');
const table = (): Container => JSON.parse(sample) as Container;

test('the golden sample of a table is read as it is', () => {
  expect(parseRoutingTable(table())).toEqual({ ok: true, value: table() });
});

test('unknown fields, at every level, are left out', () => {
  const newer = JSON.parse(sample, (_, value: unknown) => (isContainer(value) && !Array.isArray(value) ? { ...value, fromALaterRelease: 1 } : value)) as unknown;
  expect(parseRoutingTable(newer)).toEqual({ ok: true, value: table() });
});

test.each([
  [{ ...table(), schemaVersion: 2 }, 'schemaVersion', 'must be 1, the schema version that this release reads, not 2'],
  [{ ...table(), schemaVersion: '1' }, 'schemaVersion', 'must be 1, the schema version that this release reads, not "1"'],
  [{}, 'schemaVersion', 'must be 1, the schema version that this release reads, not missing'],
  [null, '', 'a routing table must be a JSON object, not null'],
  [[], '', 'a routing table must be a JSON object, not a list'],
  ['table', '', 'a routing table must be a JSON object, not "table"'],
])('%j is refused as a whole', (input, path, message) => {
  expect(parseRoutingTable(input)).toEqual({ ok: false, problems: [{ path, message }] });
});

describe('a member that is not what it must be', () => {
  const paths = pathsOf(table(), '').filter((path) => path !== 'schemaVersion');
  const nullable = /\.(preset|connectMs|firstContentMs|idleMs|concurrency|latencyBudgetMs|hedgeDelayMs|unroutable|contextTokens)$/;

  test.each(paths.filter((path) => !nullable.test(path)))('%s missing is said with its path, once', (path) => {
    const { ok, problems } = damaged(path, undefined);
    expect(ok).toBe(false);
    expect(problems?.map((problem) => problem.path)).toEqual([path]);
    expect(problems?.[0]?.message).toMatch(/^must be .+, not .+/);
  });

  test.each(paths.filter((path) => nullable.test(path)))('%s missing counts as null, as a compiler of an earlier release left it out', (path) => {
    expect(damaged(path, undefined)).toEqual(damaged(path, null));
    expect(damaged(path, null).ok).toBe(true);
  });

  test.each(paths)('%s as an object of nothing is never taken for good', (path) => {
    const problem = damaged(path, path.endsWith('timeouts') || path.endsWith('race') ? 7 : {}).problems?.[0];
    expect(problem?.path.startsWith(path.replace(/\[\d+\]$/, ''))).toBe(true);
  });
});

test.each([
  ['chains[0].deadlineMs', 0, 'must be a whole number from 1 to 2147483647, not 0'],
  ['chains[0].deadlineMs', 1.5, 'must be a whole number from 1 to 2147483647, not 1.5'],
  ['chains[0].deadlineMs', 2 ** 31, 'must be a whole number from 1 to 2147483647, not 2147483648'],
  ['chains[0].latencyBudgetMs', '2s', 'must be a whole number from 1 to 2147483647, not "2s"'],
  ['chains[0].retries', 4, 'must be a whole number from 0 to 3, not 4'],
  ['chains[0].race.extraRequests', 5, 'must be a share from 0 to 1, not 5'],
  ['providers[0].concurrency', 0, 'must be a whole number of at least 1, not 0'],
  ['providers[0].address', 'https://a.example/', 'must be an http(s) URL without a trailing slash, local:NAME, or local:NAMESPACE/NAME, not "https://a.example/"'],
  ['providers[0].address', 'local:a/b/c', 'must be an http(s) URL without a trailing slash, local:NAME, or local:NAMESPACE/NAME, not "local:a/b/c"'],
  ['providers[0].dialect', 'Gemini', 'must be one of OpenAI, not "Gemini"'],
  ['chains[0].fallbackMode', 'Parallel', 'must be one of Sequential, Race, not "Parallel"'],
  ['chains[0].targets[0].model', '', 'must be a name, not ""'],
])('%s of %j: %s', (path, value, message) => {
  expect(damaged(path, value)).toEqual({ ok: false, problems: [{ path, message }] });
});

test.each(['local:qwen', 'local:models/qwen', 'https://llm.example', 'http://vllm.models.svc:8000/v1'])('%s is an address', (address) => {
  expect(damaged('providers[0].address', address).ok).toBe(true);
});

test('no input makes it throw', () => {
  fc.assert(fc.property(fc.anything(), (input) => {
    expect(parseRoutingTable(input).ok).toBe(false);
  }));
  const paths = pathsOf(table(), '');
  fc.assert(fc.property(fc.constantFrom(...paths), fc.anything(), (path, value) => {
    expect(typeof damaged(path, value).ok).toBe('boolean');
  }));
});

/** The sample with one member replaced; undefined removes it. */
function damaged(path: string, value: unknown): { ok: boolean; problems?: readonly { path: string; message: string }[] } {
  const input = table();
  const keys = path.split(/[.[\]]+/).filter((key) => key !== '');
  const last = keys.pop() ?? '';
  const holder = keys.reduce<Container>((container, key) => container[key] as Container, input);
  if (value === undefined && !Array.isArray(holder)) delete holder[last];
  else holder[last] = value === undefined ? null : value;
  return parseRoutingTable(input);
}

function pathsOf(value: unknown, path: string): readonly string[] {
  if (!isContainer(value)) return [path];
  const children = Object.entries(value).flatMap(([key, child]) => pathsOf(child, Array.isArray(value) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`));
  return path === '' ? children : [path, ...children];
}

function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null;
}
