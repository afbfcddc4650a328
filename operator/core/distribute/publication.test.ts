import { expect, test } from '@jest/globals';
import { routingTable } from '../../../test/support/made-up-table.ts';
import { changePublication, duePublication, type Publication } from './publication.ts';
import type { NamespaceContent } from './select-resources.ts';

const content = (version: string): NamespaceContent => ({ tables: [routingTable([], [], { version })], keys: [], endpoints: [], hints: [] });
const empty: Publication = { current: null, pending: null };
const versionOf = ({ current }: Publication): string | undefined => current?.tables[0].version;

test('what comes first is there at once, and what follows once 100 ms were quiet', () => {
  const first = changePublication(empty, content('1'), 0);
  const changed = changePublication(first, content('2'), 1_000);
  expect([versionOf(first), versionOf(changed), versionOf(duePublication(changed, 1_099)), versionOf(duePublication(changed, 1_100))]).toEqual(['1', '1', '1', '2']);
});

test('who changes all the time is published after a second all the same', () => {
  let publication = changePublication(empty, content('0'), 0);
  const published: string[] = [];
  for (let atMs = 1_000; atMs <= 3_200; atMs += 50) {
    const due = duePublication(publication, atMs);
    if (due !== publication) published.push(`${versionOf(due)} @${atMs}`);
    publication = changePublication(due, content(String(atMs)), atMs);
  }
  expect(published).toEqual(['1950 @2000', '2950 @3000']);
});
