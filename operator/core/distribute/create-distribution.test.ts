import { describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { Secret, type ClientFrame, type HelloFrame, type KeyEntry, type RoutingTable } from '@belay/contract';
import { chainEntry, providerEntry, routingTable, targetEntry } from '../../../test/support/made-up-table.ts';
import { createDistribution, type Distribution, type DistributionEffect } from './create-distribution.ts';
import type { NamespaceContent } from './select-resources.ts';

const sha256Hex = (text: string) => createHash('sha256').update(text).digest('hex');
const key = (provider: string, version = '1'): KeyEntry => ({ provider, origin: `https://${provider}.example`, secret: new Secret(`key-of-${provider}`), version });
const openai = providerEntry('openai', { needsKey: true });
const groq = providerEntry('groq', { needsKey: true });
const box = providerEntry('box', { address: 'local:box' });
const content = (deadlineMs = 1_000, more: Partial<NamespaceContent> = {}): NamespaceContent => ({
  tables: [routingTable([chainEntry('chat', [targetEntry('openai'), targetEntry('box')], { deadlineMs }), chainEntry('bulk', [targetEntry('groq')])], [openai, groq, box])],
  // Of providers that no chain of the hello uses, that are unknown, and that need none.
  keys: [key('openai'), key('groq'), key('stranger'), key('box')],
  endpoints: [{ name: 'box', state: 'Loading', url: null }],
  hints: [],
  ...more,
});
const withVersion = (version: string, more: Partial<NamespaceContent> = {}): NamespaceContent => content(Number(version), { ...more, tables: [{ ...content(Number(version)).tables[0], version }] });
const hello = (more: Partial<HelloFrame> = {}): HelloFrame => ({ frame: 'hello', pod: 'shop', uid: 'u', chains: ['chat'], have: { endpoints: null, keys: null, hints: null, table: null }, protocol: 1, schemaVersions: [1], ...more });

const said = (distribution: Distribution, connection: number, frame: ClientFrame, nowMs = 0) => distribution.handle({ type: 'connection-said', connection, said: { type: 'frame-received', frame: { ok: true, value: frame } } }, nowMs);
const sent = (effects: readonly DistributionEffect[]) => effects.flatMap((effect) => (effect.type === 'send-snapshot' ? [effect] : []));
const resourceOf = (effects: readonly DistributionEffect[], type: string) => sent(effects).find(({ resource }) => resource.type === type);
const closing = (effects: readonly DistributionEffect[]) => effects.flatMap((effect) => (effect.type === 'close' ? [effect.reason] : []));
const framesOf = (effects: readonly DistributionEffect[]) => effects.flatMap((effect) => (effect.type === 'send' ? [effect.frame] : []));

function opened(connection = 1, namespace = 'shop-ns', distribution = createDistribution(() => 0.5, sha256Hex)): Distribution {
  distribution.handle({ type: 'connection-opened', connection, identity: { namespace, pod: 'shop', uid: 'u' } }, 0);
  return distribution;
}

function serving(first = content()): Distribution {
  const distribution = opened();
  distribution.handle({ type: 'synced' }, 0);
  distribution.handle({ type: 'namespace-compiled', namespace: 'shop-ns', content: first }, 0);
  return distribution;
}

/** Acks everything that is on its way until nothing is. */
function settle(distribution: Distribution, effects: readonly DistributionEffect[]): void {
  for (const { connection, nonce } of sent(effects)) settle(distribution, said(distribution, connection, { frame: 'ack', nonce }));
}

const tableWaits = (distribution: Distribution) => settle(distribution, said(distribution, 1, hello()));

test('a hello gets its chains, and keys and endpoints of their providers alone, addresses and keys first', () => {
  const effects = said(serving(), 1, hello());
  expect(sent(effects).map(({ resource, nonce }) => [nonce, resource.type])).toEqual([['1', 'endpoints'], ['2', 'keys'], ['3', 'hints'], ['4', 'table']]);
  expect(resourceOf(effects, 'table')?.resource.data).toMatchObject({ chains: [{ name: 'chat' }], providers: [{ name: 'openai' }, { name: 'box' }] });
  expect(resourceOf(effects, 'keys')?.resource.data).toEqual([key('openai')]);
  expect(resourceOf(effects, 'endpoints')?.resource.data).toEqual([{ name: 'box', state: 'Loading', url: null }]);
});

test('a sidecar of another namespace gets nothing of this one', () => {
  const distribution = serving();
  opened(2, 'other', distribution);
  expect(said(distribution, 2, hello({ chains: ['*'] }))).toEqual([{ type: 'compile-namespace', namespace: 'other' }]);
});

test('before everything has synced nobody gets anything, and what was compiled by then is not kept', () => {
  const distribution = opened();
  distribution.handle({ type: 'namespace-compiled', namespace: 'shop-ns', content: content() }, 0);
  expect(said(distribution, 1, hello())).toEqual([]);
  expect(distribution.handle({ type: 'synced' }, 0)).toEqual([{ type: 'compile-namespace', namespace: 'shop-ns' }]);
  expect(sent(distribution.handle({ type: 'namespace-compiled', namespace: 'shop-ns', content: content() }, 0))).toHaveLength(4);
});

test('what a sidecar holds already is not sent again', () => {
  const distribution = serving();
  const [endpoints, keys, hints, table] = sent(said(distribution, 1, hello())).map(({ resource }) => resource.version);
  opened(2, 'shop-ns', distribution);
  const have = { endpoints: endpoints!, keys: keys!, hints: hints!, table: table! };
  expect(said(distribution, 2, hello({ have: { ...have, table: 'sha256:old' } })).map((effect) => (effect.type === 'send-snapshot' ? effect.resource.type : effect.type))).toEqual(['table']);
});

test('two sidecars that ask alike get the very same objects, and so does one whose content changed elsewhere', () => {
  const distribution = serving();
  const first = said(distribution, 1, hello());
  opened(2, 'shop-ns', distribution);
  const second = said(distribution, 2, hello());
  for (const type of ['table', 'keys', 'endpoints']) expect(resourceOf(second, type)?.resource).toBe(resourceOf(first, type)?.resource);
  distribution.handle({ type: 'namespace-compiled', namespace: 'shop-ns', content: content(1_000, { endpoints: [{ name: 'box', state: 'Ready', url: 'http://box/v1' }] }) }, 1);
  opened(3, 'shop-ns', distribution);
  expect(resourceOf(said(distribution, 3, hello()), 'keys')?.resource).toBe(resourceOf(first, 'keys')?.resource);
  for (const connection of [4, 5]) opened(connection, 'shop-ns', distribution);
  const [one, other] = [said(distribution, 4, hello({ chains: ['chat', 'bulk'] })), said(distribution, 5, hello({ chains: ['bulk', 'chat', 'bulk'] }))];
  expect(resourceOf(one, 'table')?.resource).toBe(resourceOf(other, 'table')?.resource);
});

test('tables wait for a quiet 100 ms, and for 1 s at most; keys do not wait', () => {
  const distribution = serving();
  tableWaits(distribution);
  const changed = distribution.handle({ type: 'namespace-compiled', namespace: 'shop-ns', content: content(2_000, { keys: [] }) }, 10);
  expect(changed.map((effect) => (effect.type === 'send-snapshot' ? effect.resource.type : effect))).toEqual(['keys', { type: 'wake', delayMs: 100 }]);
  settle(distribution, changed);
  for (let atMs = 60; atMs < 1_010; atMs += 50) {
    distribution.handle({ type: 'namespace-compiled', namespace: 'shop-ns', content: content(atMs, { keys: [] }) }, atMs);
    expect(sent(distribution.handle({ type: 'ticked' }, atMs + 49))).toEqual(atMs + 49 < 1_010 ? [] : [expect.objectContaining({ type: 'send-snapshot' })]);
  }
});

test('a provider that moves keeps its key until the table says where it is now', () => {
  const distribution = serving();
  tableWaits(distribution);
  const moved = { ...key('openai', '2'), origin: 'https://elsewhere.example' };
  expect(sent(distribution.handle({ type: 'namespace-compiled', namespace: 'shop-ns', content: content(2_000, { keys: [moved] }) }, 10))).toEqual([]);
  const due = sent(distribution.handle({ type: 'ticked' }, 110));
  expect(due.map(({ resource }) => [resource.type, resource.type === 'keys' ? resource.data : null])).toEqual([['keys', [moved]], ['table', null]]);
});

test('what changes while a table is on its way is sent after its ack, the latest alone', () => {
  const distribution = serving();
  const first = said(distribution, 1, hello());
  for (const atMs of [1_000, 2_000, 3_000]) {
    distribution.handle({ type: 'namespace-compiled', namespace: 'shop-ns', content: content(atMs) }, atMs);
    expect(sent(distribution.handle({ type: 'ticked' }, atMs + 100))).toEqual([]);
  }
  const next = said(distribution, 1, { frame: 'ack', nonce: resourceOf(first, 'table')!.nonce }, 4_000);
  expect(sent(next).map(({ resource }) => resource.data)).toMatchObject([{ chains: [{ deadlineMs: 3_000 }] }]);
});

test('a refused table is not sent again, is told with its words, and the next one is sent', () => {
  const distribution = serving();
  const table = resourceOf(said(distribution, 1, hello()), 'table')!;
  settle(distribution, said(distribution, 1, { frame: 'nack', nonce: table.nonce, error: 'chains[0]: bad' }));
  expect(distribution.countSidecars('shop-ns', 'chat')).toEqual({ connected: 1, current: 0, rejected: 1, lastError: 'chains[0]: bad' });
  expect(resourceOf(distribution.handle({ type: 'namespace-compiled', namespace: 'shop-ns', content: content() }, 1), 'table')).toBeUndefined();
  distribution.handle({ type: 'namespace-compiled', namespace: 'shop-ns', content: content(5) }, 2);
  const next = resourceOf(distribution.handle({ type: 'ticked' }, 500), 'table')!;
  expect(distribution.countSidecars('shop-ns', 'chat')).toMatchObject({ current: 0, rejected: 0 });
  said(distribution, 1, { frame: 'ack', nonce: next.nonce });
  expect(distribution.countSidecars('shop-ns', 'chat')).toEqual({ connected: 1, current: 1, rejected: 0, lastError: '' });
});

test('a table longer than a sidecar takes is not sent, as it could never be refused: what was accepted runs on without what is gone, the words are told, and the next one is sent', () => {
  const distribution = serving();
  tableWaits(distribution);
  const long = routingTable([chainEntry('chat', [targetEntry('openai')], { deadlineMs: 7 })], [providerEntry('openai', { headers: [{ name: 'x', value: 'y'.repeat(8 * 1024 * 1024) }] })]);
  distribution.handle({ type: 'namespace-compiled', namespace: 'shop-ns', content: content(7, { tables: [long] }) }, 10);
  const [instead, ...more] = sent(distribution.handle({ type: 'ticked' }, 200)).filter(({ resource }) => resource.type === 'table');
  expect([instead?.resource.data, more]).toMatchObject([{ chains: [{ name: 'chat', deadlineMs: 1_000, targets: [{ name: 'openai' }] }] }, []]);
  expect(distribution.countSidecars('shop-ns', 'chat')).toEqual({
    connected: 1, current: 0, rejected: 1,
    lastError: 'the table, of 1 chains, is longer than the 8388608 characters that a sidecar takes: name the chains that a pod needs in its annotation belay.dev/inject',
  });
  settle(distribution, [instead!]);
  distribution.handle({ type: 'namespace-compiled', namespace: 'shop-ns', content: content(8) }, 1_000);
  settle(distribution, distribution.handle({ type: 'ticked' }, 1_100));
  expect(distribution.countSidecars('shop-ns', 'chat')).toEqual({ connected: 1, current: 1, rejected: 0, lastError: '' });
});

test('where all that could stand in for it is too long as well, nothing is sent, and nothing is waited for', () => {
  const chains = Array.from({ length: 20 }, (_, nth) => chainEntry(`chat-${nth}`, [targetEntry('openai')], { unroutable: 'z'.repeat(500_000) }));
  const distribution = serving(content(1, { tables: [routingTable(chains, [openai])] }));
  const first = said(distribution, 1, hello({ chains: ['*'] }));
  expect(sent(first).map(({ resource }) => resource.type)).toEqual(['endpoints', 'keys', 'hints']);
  settle(distribution, first);
  distribution.handle({ type: 'namespace-compiled', namespace: 'shop-ns', content: content() }, 1_000);
  expect(sent(distribution.handle({ type: 'ticked' }, 1_100)).map(({ resource }) => resource.type)).toContain('table');
});

test('an answer to a nonce that is not on its way changes nothing', () => {
  const distribution = serving();
  said(distribution, 1, hello());
  expect(said(distribution, 1, { frame: 'ack', nonce: '77' })).toEqual([]);
  expect(distribution.countSidecars('shop-ns', 'chat').current).toBe(0);
});

test('a chain counts only sidecars that asked for it', () => {
  const distribution = serving();
  opened(2, 'shop-ns', distribution);
  settle(distribution, said(distribution, 1, hello()));
  settle(distribution, said(distribution, 2, hello({ chains: ['*'] })));
  expect(distribution.countSidecars('shop-ns', 'chat')).toMatchObject({ connected: 2, current: 2 });
  expect(distribution.countSidecars('shop-ns', 'bulk')).toMatchObject({ connected: 1 });
  expect(distribution.countSidecars('other', 'chat')).toMatchObject({ connected: 0 });
  distribution.handle({ type: 'connection-closed', connection: 2 }, 1);
  expect(distribution.countSidecars('shop-ns', 'bulk')).toMatchObject({ connected: 0 });
});

test('nobody is current while a newer table waits to be sent, and where only keys changed all still are', () => {
  const distribution = serving(withVersion('1'));
  settle(distribution, said(distribution, 1, hello()));
  settle(distribution, distribution.handle({ type: 'namespace-compiled', namespace: 'shop-ns', content: withVersion('1', { keys: [] }) }, 1_000));
  expect(distribution.countSidecars('shop-ns', 'chat').current).toBe(1);
  distribution.handle({ type: 'namespace-compiled', namespace: 'shop-ns', content: withVersion('2') }, 2_000);
  expect(distribution.countSidecars('shop-ns', 'chat')).toMatchObject({ connected: 1, current: 0 });
  settle(distribution, distribution.handle({ type: 'ticked' }, 2_100));
  expect(distribution.countSidecars('shop-ns', 'chat').current).toBe(1);
});

describe('last known good', () => {
  const tableOf = (effects: readonly DistributionEffect[]) => resourceOf(effects, 'table')?.resource.data as RoutingTable | undefined;
  const publish = (distribution: Distribution, next: NamespaceContent, atMs: number) => {
    settle(distribution, distribution.handle({ type: 'namespace-compiled', namespace: 'shop-ns', content: next }, atMs));
    return distribution.handle({ type: 'ticked' }, atMs + 100);
  };
  const withTables = (...tables: NamespaceContent['tables']) => content(1_000, { tables });
  const nack = (distribution: Distribution, effects: readonly DistributionEffect[], error = 'no') => said(distribution, 1, { frame: 'nack', nonce: resourceOf(effects, 'table')!.nonce, error });

  test('a sidecar that reads no schema version that is written gets its chains unroutable in one that it reads, with all providers, and counts as rejected', () => {
    const distribution = serving();
    const effects = said(distribution, 1, hello({ schemaVersions: [8, 9] }));
    expect(sent(effects).map(({ resource }) => resource.type)).toEqual(['endpoints', 'keys', 'hints', 'table']);
    const why = 'this sidecar reads tables of schemaVersion 8, 9 alone: restart the pod to give it a newer one';
    expect(tableOf(effects)).toMatchObject({ schemaVersion: 9, chains: [{ name: 'chat', modelNames: ['chat'], targets: [], unroutable: why }], providers: [{ name: 'openai' }, { name: 'box' }] });
    settle(distribution, effects);
    expect(distribution.countSidecars('shop-ns', 'chat')).toEqual({ connected: 1, current: 0, rejected: 1, lastError: `pod shop: ${why}` });
  });

  test('of two schema versions that are written a sidecar gets the newest that it reads', () => {
    const old = content().tables[0];
    const distribution = serving(withTables(old, { ...old, schemaVersion: 2 as 1 }));
    expect(tableOf(said(distribution, 1, hello({ schemaVersions: [0, 1] })))).toMatchObject({ schemaVersion: 1, chains: [{ unroutable: null }] });
  });

  test('a sidecar that refuses a table goes on with what it accepted, but for chains and providers that are gone', () => {
    const distribution = serving();
    settle(distribution, said(distribution, 1, hello({ chains: ['*'] })));
    const refused = publish(distribution, withTables(routingTable([chainEntry('chat', [targetEntry('openai')])], [openai])), 1_000);
    const instead = nack(distribution, refused);
    expect(tableOf(instead)).toMatchObject({ providers: [{ name: 'openai' }], chains: [{ name: 'chat', targets: [{ name: 'openai' }], unroutable: null }] });
    settle(distribution, instead);
    expect(distribution.countSidecars('shop-ns', 'chat')).toMatchObject({ current: 0, rejected: 1, lastError: 'no' });
    // And once it has refused the next one, too.
    expect(tableOf(nack(distribution, publish(distribution, withTables(routingTable([chainEntry('chat', [targetEntry('groq')])], [groq])), 2_000)))).toMatchObject({ providers: [], chains: [{ targets: [], unroutable: 'none of its targets may be used any more' }] });
  });

  test('a refused table that takes nothing away leaves a sidecar alone', () => {
    const distribution = serving();
    settle(distribution, said(distribution, 1, hello()));
    expect(nack(distribution, publish(distribution, content(2_000), 1_000))).toEqual([]);
  });

  test('a sidecar of which only it knows what it runs is told that its chains are unroutable, and by which providers it may go on', () => {
    const distribution = serving();
    const instead = nack(distribution, said(distribution, 1, hello({ have: { endpoints: null, keys: null, hints: null, table: 'sha256:old' } })), 'chains[0]: bad');
    expect(tableOf(instead)).toMatchObject({ chains: [{ name: 'chat', targets: [], unroutable: 'this sidecar refused the newest table (chains[0]: bad)' }], providers: [{ name: 'openai' }, { name: 'box' }] });
    expect(nack(distribution, instead)).toEqual([]);
    expect(distribution.countSidecars('shop-ns', 'chat')).toMatchObject({ rejected: 1, lastError: 'chains[0]: bad' });
  });

  test('what a thousand sidecars refuse alike has one stand-in', () => {
    const distribution = serving();
    opened(2, 'shop-ns', distribution);
    const [first, second] = [1, 2].map((connection) => {
      const { nonce } = resourceOf(said(distribution, connection, hello()), 'table')!;
      return resourceOf(said(distribution, connection, { frame: 'nack', nonce, error: 'no' }), 'table')!.resource;
    });
    expect(first).toBe(second);
  });

  test('one that refuses in other words, or has accepted another, has its own', () => {
    const distribution = serving();
    settle(distribution, said(distribution, 1, hello()));
    const next = publish(distribution, withTables(routingTable([chainEntry('chat', [targetEntry('openai')])], [openai])), 1_000);
    for (const connection of [2, 3]) opened(connection, 'shop-ns', distribution);
    const refuse = (connection: number, effects: readonly DistributionEffect[], error: string) => tableOf(said(distribution, connection, { frame: 'nack', nonce: resourceOf(effects, 'table')!.nonce, error }));
    const [fresh, other, accepted] = [refuse(2, said(distribution, 2, hello()), 'no'), refuse(3, said(distribution, 3, hello()), 'never'), refuse(1, next, 'never')];
    expect([fresh?.chains[0]?.unroutable, other?.chains[0]?.unroutable, accepted?.chains[0]?.targets.map(({ name }) => name)])
      .toEqual(['this sidecar refused the newest table (no)', 'this sidecar refused the newest table (never)', ['openai']]);
  });
});

test('of several that refused, the words of the last are told', () => {
  const distribution = serving();
  for (const connection of [2, 3]) opened(connection, 'shop-ns', distribution);
  for (const [connection, error, atMs] of [[1, 'first', 10], [3, 'last', 30], [2, 'second', 20]] as const) {
    said(distribution, connection, { frame: 'nack', nonce: resourceOf(said(distribution, connection, hello(), atMs), 'table')!.nonce, error }, atMs);
  }
  expect(distribution.countSidecars('shop-ns', 'chat')).toMatchObject({ rejected: 3, lastError: 'last' });
});

test('one whose token is refused is asked to connect anew, and is cut off where it does not', () => {
  const distribution = serving();
  said(distribution, 1, hello(), 4_000);
  expect(framesOf(distribution.handle({ type: 'identity-refused', connection: 1 }, 5_000))).toEqual([{ frame: 'goaway', reconnectWithinMs: 10_000 }]);
  expect(closing(distribution.handle({ type: 'ticked' }, 20_000))).toEqual(['it was asked to go elsewhere and has not']);
});

test.each([[0, 24 * 60_000], [0.999_999, 36 * 60_000]])('connections do not all end at once: by chance %d one is asked to leave after %d ms', (chance, ageMs) => {
  const distribution = opened(1, 'shop-ns', createDistribution(() => chance, sha256Hex));
  said(distribution, 1, hello(), ageMs - 1_000);
  const asked = (atMs: number) => framesOf(distribution.handle({ type: 'ticked' }, atMs)).some(({ frame }) => frame === 'goaway');
  expect([asked(ageMs - 10), asked(ageMs + 10)]).toEqual([false, true]);
});

describe('a connection is closed', () => {
  test.each<[string, ClientFrame, string]>([
    ['that does not begin with hello', { frame: 'ack', nonce: '1' }, 'its first frame must be hello, not ack'],
    ['whose hello names another pod', hello({ pod: 'bank' }), 'its hello names another pod than its token, which is of shop'],
    ['whose hello names another uid', hello({ uid: 'x' }), 'its hello names another pod than its token, which is of shop'],
    ['of another protocol', hello({ protocol: 2 }), 'it speaks protocol 2, and this distributor 1'],
  ])('%s', (_, frame, reason) => {
    const effects = said(serving(), 1, frame);
    expect(effects).toEqual([{ type: 'close', reason, connection: 1 }]);
  });

  test('that says hello twice', () => {
    const distribution = serving();
    said(distribution, 1, hello());
    expect(closing(said(distribution, 1, hello()))).toEqual(['it said hello twice']);
  });

  test('that sends a bad line', () => {
    const bad = { type: 'frame-received', frame: { ok: false, problems: [{ path: 'nonce', message: 'must be a text' }] } } as const;
    expect(closing(serving().handle({ type: 'connection-said', connection: 1, said: bad }, 0))).toEqual(['it sent a bad frame: nonce: must be a text']);
  });

  test('whose socket is stuck for 10 s; until then it is sent nothing, and everything once it flows', () => {
    const distribution = serving();
    const measured = (bufferedBytes: number, nowMs: number) => distribution.handle({ type: 'connection-said', connection: 1, said: { type: 'socket-measured', bufferedBytes } }, nowMs);
    tableWaits(distribution);
    measured(1_048_577, 1_000);
    const changed = distribution.handle({ type: 'namespace-compiled', namespace: 'shop-ns', content: content(1_000, { keys: [] }) }, 1_500);
    expect(sent(changed)).toEqual([]);
    expect(sent(measured(1_048_576, 10_999)).map(({ resource }) => resource.type)).toEqual(['keys']);
    measured(1_048_577, 11_000);
    expect(closing(measured(1_048_577, 20_999))).toEqual([]);
    expect(closing(measured(1_048_577, 21_000))).toEqual(['more than 1048576 bytes have waited in its socket for 10 s']);
  });

  test('of which nothing is heard for 60 s', () => {
    const distribution = serving();
    said(distribution, 1, hello(), 1_000);
    expect(closing(distribution.handle({ type: 'ticked' }, 60_999))).toEqual([]);
    expect(closing(distribution.handle({ type: 'ticked' }, 61_000))).toEqual(['nothing was heard of it for 60 s']);
    expect(distribution.countSidecars('shop-ns', 'chat').connected).toBe(0);
  });
});

test('a ping goes out every 20 s', () => {
  const distribution = serving();
  const pings = [19_999, 20_000, 20_001, 39_999, 40_000].filter((atMs) => framesOf(distribution.handle({ type: 'ticked' }, atMs)).length > 0);
  expect(pings).toEqual([20_000, 40_000]);
});

test('after its age, or on draining, a connection is asked to leave once, and closed if it has not', () => {
  for (const [atMs, event] of [[30 * 60_000, 'ticked'], [5_000, 'draining']] as const) {
    const distribution = serving();
    said(distribution, 1, hello(), atMs - 1);
    expect(framesOf(distribution.handle({ type: event }, atMs))).toEqual([{ frame: 'goaway', reconnectWithinMs: 10_000 }]);
    expect(framesOf(distribution.handle({ type: 'draining' }, atMs + 1))).toEqual([]);
    expect(closing(distribution.handle({ type: 'ticked' }, atMs + 14_999))).toEqual([]);
    expect(closing(distribution.handle({ type: 'ticked' }, atMs + 15_000))).toEqual(['it was asked to go elsewhere and has not']);
  }
});

test('a report is handed on with the identity of its token', () => {
  const distribution = serving();
  said(distribution, 1, hello());
  expect(said(distribution, 1, { frame: 'report', chains: [] })).toEqual([{ type: 'note-report', identity: { namespace: 'shop-ns', pod: 'shop', uid: 'u' }, chains: [], connection: 1 }]);
});

test('who wishes for something else each time fills no memory: the oldest of 64 selections is forgotten, and made again', () => {
  let hashes = 0;
  const counted = createDistribution(() => 0.5, (text) => { hashes += 1; return sha256Hex(text); });
  opened(1, 'shop-ns', counted);
  counted.handle({ type: 'synced' }, 0);
  counted.handle({ type: 'namespace-compiled', namespace: 'shop-ns', content: content() }, 0);
  const wish = (connection: number, chains: readonly string[]): number => {
    const before = hashes;
    opened(connection, 'shop-ns', counted);
    said(counted, connection, hello({ chains }));
    return hashes - before;
  };
  const anew = wish(2, ['chat']);
  expect([anew > 0, wish(3, ['chat'])]).toEqual([true, 0]);
  for (let nth = 0; nth < 64; nth += 1) wish(10 + nth, ['chat', `made-up-${nth}`]);
  expect(wish(100, ['chat'])).toBe(anew);
});
