import { describe, expect, test } from '@jest/globals';
import type { RoutingTable } from '@belay/contract';
import { chainEntry, providerEntry, routingTable, targetEntry } from '../../../test/support/made-up-table.ts';
import { compileTable } from './compile-table.ts';
import type { CompiledTable } from './compiled-table.ts';
import { describeUnknownModel } from './describe-unknown-model.ts';
import { resolveChain } from './resolve-chain.ts';

const [a, b] = [providerEntry('a'), providerEntry('b')];
const chat = chainEntry('chat', [targetEntry('a'), targetEntry('b')], { modelNames: ['chat', 'gpt-4o'] });
const good = routingTable([chat], [a, b]);

function compiled(table: RoutingTable, previous: CompiledTable | null = null): CompiledTable {
  const result = compileTable(table, previous);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.value;
}

describe('a good table', () => {
  test('finds a chain by each of its exact names', () => {
    const table = compiled(good);
    expect(resolveChain(table, 'gpt-4o')?.entry.name).toBe('chat');
    expect(resolveChain(table, 'chat')?.targets.map(({ healthKey, provider }) => [healthKey, provider.address])).toEqual([
      ['a model-of-a', 'https://a.example/v1'], ['b model-of-b', 'https://b.example/v1'],
    ]);
    expect(resolveChain(table, 'gpt-4o:bulk')).toBeNull();
    expect(resolveChain(table, '*')).toBeNull();
  });

  test('a chain that claims * serves what no chain claims, and no more', () => {
    const table = compiled(routingTable([chat, chainEntry('rest', [targetEntry('a')], { modelNames: ['*'] })], [a, b]));
    expect(resolveChain(table, 'gpt-4o')?.entry.name).toBe('chat');
    expect(resolveChain(table, 'anything')?.entry.name).toBe('rest');
  });

  test('a name of an object is a model name like any other', () => {
    expect(resolveChain(compiled(good), 'constructor')).toBeNull();
  });

  test('nothing of it can be changed any more', () => {
    const [chain] = compiled(good).chains.values();
    expect(() => Object.assign(chain?.targets[0]?.provider.timeouts ?? {}, { connectMs: 1 })).toThrow(TypeError);
    expect(() => Object.assign(chain?.entry.race ?? {}, { prefer: 'First' })).toThrow(TypeError);
  });

  test('unknown fields are ignored: a newer controller may send them', () => {
    const newer: unknown = { ...good, later: 1, chains: [{ ...chat, holdback: { characters: 9 } }] };
    expect(compiled(newer as RoutingTable).chains.get('chat')?.entry).toEqual(chat);
  });

  test('a table read from a file is not frozen by compiling it', () => {
    const own = structuredClone(good);
    compiled(own);
    expect(Object.isFrozen(own.chains[0])).toBe(false);
  });
});

describe('a table that does not compile', () => {
  const withChain = (more: object): unknown => ({ ...good, chains: [{ ...chat, ...more }] });
  const withProvider = (more: object): unknown => ({ ...good, providers: [{ ...a, ...more }, b] });
  const withTarget = (more: object): unknown => withChain({ targets: [{ ...targetEntry('a'), ...more }, targetEntry('b')] });

  test.each<[string, unknown, string, string]>([
    ['a schema of another time', { ...good, schemaVersion: 2 }, 'schemaVersion', 'must be 1, the schema version that this release reads, not 2'],
    ['a table without chains', { ...good, chains: undefined }, 'chains', 'must be a list, not missing'],
    ['a deadline that is no number', withChain({ deadlineMs: 'soon' }), 'chains[0].deadlineMs', 'must be a whole number from 1 to 2147483647, not "soon"'],
    ['a deadline of nothing', withChain({ deadlineMs: 0 }), 'chains[0].deadlineMs', 'must be a whole number from 1 to 2147483647, not 0'],
    ['a timer that Node would fire at once', withChain({ deadlineMs: 2 ** 31 }), 'chains[0].deadlineMs', 'must be a whole number from 1 to 2147483647, not 2147483648'],
    ['a budget of half a millisecond', withChain({ latencyBudgetMs: 0.5 }), 'chains[0].latencyBudgetMs', 'must be a whole number from 1 to 2147483647, not 0.5'],
    ['four retries', withChain({ retries: 4 }), 'chains[0].retries', 'must be a whole number from 0 to 3, not 4'],
    ['more hedges than requests', withChain({ race: { ...chat.race, extraRequests: 1.5 } }), 'chains[0].race.extraRequests', 'must be a share from 0 to 1, not 1.5'],
    ['a mode that is none', withChain({ fallbackMode: 'Parallel' }), 'chains[0].fallbackMode', 'must be one of Sequential, Race, not "Parallel"'],
    ['a window of nothing', withTarget({ contextTokens: 0 }), 'chains[0].targets[0].contextTokens', 'must be a whole number of at least 1, not 0'],
    ['a target without a model', withTarget({ model: '' }), 'chains[0].targets[0].model', 'must be a name, not ""'],
    ['a target at a provider that is not there', withTarget({ provider: 'x' }), 'chains[0].targets[0].provider', 'must be a provider of this table, not "x"'],
    ['two targets of one name', withTarget({ name: 'b' }), 'chains[0].targets[1].name', 'must be unique; "b" is also chains[0].targets[0]'],
    ['a chain of nothing', withChain({ targets: [] }), 'chains[0].targets', 'must have at least one target, or the chain say why it is unroutable'],
    ['a dialect that this sidecar does not speak', withProvider({ dialect: 'Gopher' }), 'providers[0].dialect', 'must be one of OpenAI, not "Gopher"'],
    ['an address with a trailing slash', withProvider({ address: 'https://a.example/' }), 'providers[0].address', 'must be an http(s) URL without a trailing slash, local:NAME, or local:NAMESPACE/NAME, not "https://a.example/"'],
    ['an address of a file', withProvider({ address: 'file:///etc' }), 'providers[0].address', 'must be an http(s) URL without a trailing slash, local:NAME, or local:NAMESPACE/NAME, not "file:///etc"'],
    ['a concurrency of nothing', withProvider({ concurrency: 0 }), 'providers[0].concurrency', 'must be a whole number of at least 1, not 0'],
    ['two providers of one name', withProvider({ name: 'b' }), 'providers[1].name', 'must be unique; "b" is also providers[0]'],
    ['two chains of one name', { ...good, chains: [chat, { ...chat, modelNames: ['other'] }] }, 'chains[1].name', 'must be unique; "chat" is also chains[0]'],
    ['two chains that claim one model', { ...good, chains: [chat, { ...chat, name: 'other' }] }, 'chains[1].modelNames', 'must not claim "chat", which chain chat claims'],
  ])('%s', (_, table, path, message) => {
    const result = compileTable(table, null);
    expect(result).toMatchObject({ ok: false, problems: expect.arrayContaining([{ path, message }]) });
  });

  test.each([null, 1, 'table', [], {}])('what is no table at all is refused, and nothing is thrown: %j', (table) => {
    expect(compileTable(table, null).ok).toBe(false);
  });

  test('all that is wrong is said at once', () => {
    const result = compileTable({ ...good, chains: [{ ...chat, retries: 9, deadlineMs: -1 }] }, null);
    expect(result.ok ? [] : result.problems.map(({ path }) => path)).toEqual(['chains[0].deadlineMs', 'chains[0].retries']);
  });
});

describe('a chain that arrives unroutable', () => {
  const broken = chainEntry('chat', [], { modelNames: ['chat', 'gpt-4o'], unroutable: 'target c: no provider "c"' });
  const before = compiled(good);

  test('is served in its last good form, marked stale', () => {
    const chain = resolveChain(compiled(routingTable([broken], [a, b]), before), 'gpt-4o');
    expect(chain).toMatchObject({ stale: true, entry: { unroutable: 'target c: no provider "c"', retries: 1 } });
    expect(chain?.targets.map(({ entry }) => entry.name)).toEqual(['a', 'b']);
  });

  test('is served so through one unroutable table after another', () => {
    const once = compiled(routingTable([broken], [a, b]), before);
    expect(resolveChain(compiled(routingTable([broken], [a, b]), once), 'chat')?.targets).toHaveLength(2);
  });

  test('loses targets whose provider is gone', () => {
    expect(resolveChain(compiled(routingTable([broken], [b]), before), 'chat')?.targets.map(({ entry }) => entry.name)).toEqual(['b']);
  });

  test("sees its providers as they are now: suspended by hand, moved, with another key's need", () => {
    const chain = resolveChain(compiled(routingTable([broken], [{ ...a, suspended: true }, { ...b, address: 'https://new.example' }]), before), 'chat');
    expect(chain?.targets.map(({ provider }) => [provider.suspended, provider.address])).toEqual([[true, 'https://a.example/v1'], [false, 'https://new.example']]);
  });

  test('sees its targets suspended where the new form says so', () => {
    const chain = resolveChain(compiled(routingTable([{ ...broken, targets: [targetEntry('a', { suspended: true })] }], [a, b]), before), 'chat');
    expect(chain?.targets.map(({ entry }) => entry.suspended)).toEqual([true, false]);
  });

  test('never leaves the cluster where it now must not', () => {
    const chain = resolveChain(compiled(routingTable([{ ...broken, egress: 'ClusterOnly' }], [a, { ...b, inCluster: true }]), before), 'chat');
    expect(chain?.targets.map(({ entry }) => entry.name)).toEqual(['b']);
    expect(chain?.entry.egress).toBe('ClusterOnly');
  });

  test('keeps its old names where it comes without, except those that another chain claims now', () => {
    const table = compiled(routingTable([chainEntry('another', [targetEntry('b')], { modelNames: ['gpt-4o'] }), { ...broken, modelNames: [] }], [a, b]), before);
    expect(resolveChain(table, 'chat')?.stale).toBe(true);
    expect(resolveChain(table, 'gpt-4o')?.entry.name).toBe('another');
  });

  test.each<[string, CompiledTable | null, RoutingTable]>([
    ['without a last good form', null, routingTable([broken], [a, b])],
    ['with all of its providers gone', before, routingTable([broken], [])],
  ])('%s it has no targets, and still says why', (_, previous, table) => {
    expect(resolveChain(compiled(table, previous), 'chat')).toMatchObject({ stale: false, targets: [], entry: { unroutable: 'target c: no provider "c"' } });
  });

  test('is what it was as soon as it is routable again, and gone when it is deleted', () => {
    const stale = compiled(routingTable([broken], [a, b]), before);
    expect(resolveChain(compiled(good, stale), 'chat')?.stale).toBe(false);
    expect(resolveChain(compiled(routingTable([], []), stale), 'chat')).toBeNull();
  });
});

describe('a model that nobody serves', () => {
  test('is told with the chains that there are, and what to change', () => {
    const table = compiled(routingTable([{ ...chat, name: 'support-chat', modelNames: ['support-chat', 'gpt-4o'] }], [a, b]));
    expect(describeUnknownModel(table, 'text-embedding-3-small')).toBe(
      '"text-embedding-3-small" is in no chain of namespace support. Chains: support-chat (gpt-4o). Add it to spec.modelNames, or use modelNames ["*"].');
  });

  test('where there is no chain at all', () => {
    expect(describeUnknownModel(compiled(routingTable([], [])), 'x')).toBe('"x" is in no chain of namespace support. It has no FallbackChain: create one.');
  });

  test.each([
    [['chat'], 'Chains: chat.'],
    [['chat', 'suport'], 'It also asks for suport, which does not exist in namespace support. Chains: chat.'],
    [['chat', 'x1', 'x2'], 'It also asks for x1, x2, which do not exist in namespace support. Chains: chat.'],
  ])('in a pod whose annotation asks for %j is told what does not exist of it', (asked, told) => {
    const table = compiled(routingTable([{ ...chat, name: 'chat', modelNames: ['chat'] }], [a, b]));
    expect(describeUnknownModel(table, 'x', asked)).toBe(`"x" is in no chain that annotation belay.dev/inject of this pod asks for. ${told} Add it to spec.modelNames, or use modelNames ["*"].`);
  });

  test('in a pod that asks for nothing that exists', () => {
    expect(describeUnknownModel(compiled(routingTable([], [])), 'chat', ['suport'])).toBe('"chat" is in no chain: annotation belay.dev/inject of this pod asks for suport, which does not exist in namespace support.');
  });

  test('a long list is cut', () => {
    const many = Array.from({ length: 12 }, (_, nth) => chainEntry(`c${nth}`, [targetEntry('a')]));
    expect(describeUnknownModel(compiled(routingTable(many, [a])), 'x')).toContain('c9 and 2 more. Add');
  });
});
