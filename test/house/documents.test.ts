// What people are told to look for is what the programs say: names in docs/ are held to the code.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { exclusionReasons, failureClasses, injectedLabel, podAnnotations, requestHeaders, responseHeaders } from '@belay/contract';
import { repository } from './planted-tree.ts';

const read = (path: string): string => readFileSync(join(repository, path), 'utf8');
const operations = `${read('docs/operations.md')}\n${read('docs/on-call.md')}`;
const requests = read('docs/requests.md');
const injection = read('docs/injection.md');

/** Literals of a union type in this file, `type NAME = 'A' | 'B';` over any number of lines. */
function unionOf(path: string, start: string): readonly string[] {
  const text = read(path);
  const union = /^[^;]*;/.exec(text.slice(text.indexOf(start) + start.length))?.[0] ?? '';
  return [...union.matchAll(/'([A-Za-z]+)'/g)].map(([, name]) => name ?? '');
}

/** Names between backticks, alone or before braces, as in `belay_x_total{chain}`. */
function namesIn(document: string): ReadonlySet<string> {
  return new Set([...document.matchAll(/`([^`\n]+)`/g)].map(([, text]) => (text ?? '').replace(/\{.*\}$/, '')));
}

function metricsOf(...paths: readonly string[]): readonly string[] {
  return paths.flatMap((path) => [...read(path).matchAll(/'((?:belay|gen_ai)_(?:[a-z]+_)*[a-z]+)', ?(?:'[A-Z1]|help)/g)].map(([, name]) => name ?? ''));
}

const metrics = metricsOf('operator/shell/operator-metrics.ts', 'sidecar/shell/metrics.ts');

describe('docs/operations.md and docs/on-call.md name', () => {
  test.each<[string, readonly string[]]>([
    ['every reason of Accepted and ResolvedRefs', unionOf('operator/core/compile/conditions.ts', 'export type ErrorReason =')],
    ['every warning', unionOf('operator/core/compile/conditions.ts', 'export type WarningReason =')],
    ['every reason of a local tier', unionOf('operator/core/local-tier/local-tier-readiness.ts', 'export type LocalTierReason =')],
    ['every class of failure', failureClasses],
    ['every reason to leave a target out', exclusionReasons],
    ['every metric', metrics],
  ])('%s', (_, names) => {
    expect(names.length).toBeGreaterThan(5);
    expect(names.filter((name) => !namesIn(operations).has(name))).toEqual([]);
  });

  test('no metric that there is none of', () => {
    expect([...namesIn(operations)].filter((name) => /^(belay|gen_ai)_/.test(name) && !metrics.includes(name))).toEqual([]);
  });
});

describe('docs/requests.md names', () => {
  test('every header of a request and of an answer, and no other', () => {
    const named = [...namesIn(requests)].map((name) => name.replace(/: .*$/, '')).filter((name) => /^x-belay-./.test(name));
    expect([...new Set(named)].sort()).toEqual([...Object.values(requestHeaders), ...Object.values(responseHeaders)].sort());
  });

  test('every code that a sidecar answers itself, and no other', () => {
    const codes = ['serve-chat', 'listener', 'read-body', 'finish-request'].flatMap((file) => [...read(`sidecar/shell/${file}.ts`).matchAll(/code: '([a-z_]+)'/g)].map(([, code]) => code ?? ''));
    const table = requests.slice(requests.indexOf('| status |'));
    const named = [...table.matchAll(/^\| [\d, ]+ \| ([^|]*)\|/gm)].flatMap(([, cell]) => [...namesIn(cell ?? '')]);
    expect(new Set(named)).toEqual(new Set(codes));
  });
});

describe('docs/injection.md names', () => {
  test('every annotation, and no other', () => {
    const known = [...Object.values(podAnnotations), injectedLabel];
    const named = [...namesIn(injection)].map((name) => name.replace(/=.*$/, '')).filter((name) => /^belay\.dev\/./.test(name));
    expect([...new Set(named)].sort()).toEqual([...known].sort());
  });

  test('every reason of an Event about a workload', () => {
    const reasons = unionOf('operator/core/inject-watch/pod-findings.ts', "readonly type: 'Normal' | 'Warning';\n  readonly reason:");
    expect(reasons.length).toBeGreaterThan(3);
    expect(reasons.filter((name) => !namesIn(injection).has(name))).toEqual([]);
  });
});
