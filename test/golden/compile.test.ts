import { describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseRoutingTable } from '@belay/contract';
import { compileNamespace } from '@belay/operator/core/compile/compile-namespace.ts';
import { nodeTools, readManifests, snapshotOf } from './compile/snapshot-of.ts';

const goldens = join(import.meta.dirname, 'compile');
const examples = join(import.meta.dirname, '../../examples');
const cases = [...foldersOf(goldens), ...foldersOf(examples)];

describe('manifests give the recorded table and conditions (UPDATE_GOLDEN=1 records them anew)', () => {
  test.each(cases.map(({ name, folder }) => [name, folder] as const))('%s', (name, folder) => {
    const compilation = compileNamespace(snapshotOf(readManifests(folder), { standalone: false }), nodeTools);
    expect(parseRoutingTable(JSON.parse(JSON.stringify(compilation.table)))).toEqual({ ok: true, value: compilation.table });
    const text = `${JSON.stringify(compilation, null, 2)}\n`;
    const golden = join(goldens, `${name}.json`);
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(golden, text);
    expect(text).toBe(readFileSync(golden, 'utf8'));
  });
});

test.each(foldersOf(examples).map(({ name, folder }) => [name, folder] as const))('the example %s has nothing to be said against it', (_, folder) => {
  const { conditions, table } = compileNamespace(snapshotOf(readManifests(folder)), nodeTools);
  expect(table.chains.length).toBeGreaterThan(0);
  expect(conditions.flatMap(({ findings }) => findings)).toEqual([]);
});

function foldersOf(parent: string): readonly { readonly name: string; readonly folder: string }[] {
  return readdirSync(parent, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => ({ name, folder: join(parent, name) }));
}
