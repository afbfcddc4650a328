import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { Secret, type KeyEntry } from '@belay/contract';
import { chainEntry, providerEntry, routingTable, targetEntry } from '../../../test/support/made-up-table.ts';
import { selectResources, type NamespaceContent } from './select-resources.ts';

const sha256Hex = (text: string): string => createHash('sha256').update(text).digest('hex');
const key = (provider: string, more: Partial<KeyEntry> = {}): KeyEntry => ({ provider, origin: `https://${provider}.example`, secret: new Secret(`key-of-${provider}`), version: '1', ...more });
const content: NamespaceContent = {
  tables: [routingTable([chainEntry('chat', [targetEntry('openai'), targetEntry('box')]), chainEntry('bulk', [targetEntry('groq'), targetEntry('crate')])],
    [providerEntry('openai', { needsKey: true }), providerEntry('box', { address: 'local:box' }), providerEntry('groq', { needsKey: true }), providerEntry('crate', { address: 'local:crate' })])],
  keys: [key('openai'), key('groq')],
  endpoints: [{ name: 'box', state: 'Loading', url: null }, { name: 'crate', state: 'Loading', url: null }],
  hints: [{ provider: 'openai', model: 'm', failure: 'Overload', forMs: 1 }, { provider: 'groq', model: 'm', failure: 'Overload', forMs: 1 }],
};
const select = (chains: readonly string[], given: NamespaceContent = content, readable: readonly number[] = [1]) => selectResources(given, chains, readable, null, sha256Hex);

test('a sidecar gets keys, endpoints and hints of the providers of its own chains alone', () => {
  const { keys, endpoints, hints } = select(['chat']);
  expect([keys?.data.map(({ provider }) => provider), endpoints?.data.map(({ name }) => name), hints?.data.map(({ provider }) => provider)]).toEqual([['openai'], ['box'], ['openai']]);
});

describe('keys are another version where', () => {
  const versionOf = (keys: readonly KeyEntry[]): string | undefined => select(['chat'], { ...content, keys }).keys?.version;
  test.each<[string, readonly KeyEntry[]]>([
    ['one goes to another origin', [key('openai', { origin: 'https://elsewhere.example' })]],
    ['one was rotated', [key('openai', { version: '2' })]],
    ['one is gone', []],
  ])('%s', (_, keys) => {
    expect(versionOf(keys)).not.toBe(versionOf([key('openai')]));
  });

  test('nothing else of them has changed, and never by the key itself', () => {
    expect(versionOf([key('openai', { secret: new Secret('another') })])).toBe(versionOf([key('openai')]));
  });
});

test('a sidecar that reads nothing that is written gets a table in the newest that it reads, and one that names no version none', () => {
  expect([select(['chat'], content, [7, 9, 8]).table?.data.schemaVersion, select(['chat'], content, []).table]).toEqual([9, null]);
});
