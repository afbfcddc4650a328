import { describe, expect, test } from '@jest/globals';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { passTime } from '../../../test/kube/pass-time.ts';
import { objectOf, pageOf, scriptedClient, staysOpen, type ScriptedClient, type WatchScript } from '../../../test/kube/scripted-client.ts';
import { KubeError, kubeErrorOf } from './kube-error.ts';
import type { KubeList, KubeObject } from './kube-object.ts';
import { createReflector } from './reflector.ts';
import type { Change } from './store.ts';

const place = { resource: { group: '', version: 'v1', plural: 'configmaps' } };
const gone = kubeErrorOf('list', 410, { kind: 'Status', reason: 'Expired', message: 'too old resource version' });
const bookmark = (resourceVersion: string): { type: string; object: unknown } => ({ type: 'BOOKMARK', object: { metadata: { resourceVersion } } });
const breaks = (error: Error): WatchScript => () => Promise.reject(error);

function reflect(server: ScriptedClient, random = () => 0) {
  const clock = new ManualClock();
  const changes: Change<KubeObject>[] = [];
  const problems: { message: string; retryInMs: number }[] = [];
  const reflector = createReflector<KubeObject>({ client: server.client, clock, random, place, onChange: (change) => changes.push(change), onProblem: (problem) => problems.push(problem) });
  const words = (): string[] => changes.map((change) => `${change.type} ${change.object.metadata.name}${change.type === 'deleted' && change.stateUnknown ? ' unseen' : ''}`);
  return { clock, reflector, changes, problems, words };
}

describe('listing', () => {
  test('reads page after page, and is synced only after the last', async () => {
    const server = scriptedClient([
      () => pageOf('', [objectOf('a', '1')], 'next'),
      () => { throw new Error('reset'); },
      () => pageOf('', [objectOf('a', '1')], 'next'),
      () => pageOf('7', [objectOf('b', '2')]),
    ], [staysOpen()]);
    const { clock, reflector, words } = reflect(server);
    await passTime(clock, 0);
    expect([reflector.hasSynced(), reflector.store.size, words()]).toEqual([false, 0, []]);
    await passTime(clock, 1_000);
    expect([reflector.hasSynced(), words()]).toEqual([true, ['added a', 'added b']]);
    expect(server.lists.slice(2)).toEqual([{ limit: 500 }, { limit: 500, continue: 'next' }]);
    expect(server.watches).toEqual([{ resourceVersion: '7', timeoutSeconds: 300 }]);
    await reflector.close();
  });

  test('asks for everything at once where its pages expire under way', async () => {
    const server = scriptedClient([() => pageOf('', [objectOf('a', '1')], 'next'), () => { throw gone; }, () => pageOf('9', [objectOf('a', '1'), objectOf('b', '2')])], [staysOpen()]);
    const { clock, reflector, words } = reflect(server);
    await passTime(clock, 0);
    expect(server.lists[2]).toEqual({});
    expect(words()).toEqual(['added a', 'added b']);
    await reflector.close();
  });

  test('keeps no managedFields, and gives items the kind of their list', async () => {
    const { clock, reflector } = reflect(scriptedClient([() => pageOf('1', [objectOf('a', '1')])], [staysOpen()]));
    await passTime(clock, 0);
    expect(reflector.store.get('shop/a')).toEqual({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'shop', name: 'a', uid: 'uid-a', resourceVersion: '1' } });
    await reflector.close();
  });

  test('waits as long as a Retry-After says, and not less', async () => {
    const server = scriptedClient([() => { throw kubeErrorOf('list', 429, undefined, '7'); }, () => pageOf('1', [])], [staysOpen()]);
    const { clock, reflector } = reflect(server);
    await passTime(clock, 6_999);
    expect(server.lists).toHaveLength(1);
    await passTime(clock, 1);
    expect(server.lists).toHaveLength(2);
    await reflector.close();
  });

  test('asks no sooner than a first wait where a Retry-After says next to nothing', async () => {
    const server = scriptedClient([() => { throw kubeErrorOf('list', 503, undefined, '0.001'); }], []);
    const { clock, reflector } = reflect(server);
    await passTime(clock, 7_900);
    expect(server.lists).toHaveLength(10);
    await reflector.close();
  });

  test.each([['{}', {}], ['an empty list without a resourceVersion', { metadata: {}, items: [] }]])('takes %s, which no API server sends, for no list', async (_sentence, page) => {
    const server = scriptedClient([() => pageOf('10', [objectOf('a', '1')]), () => page as KubeList<KubeObject>], [breaks(gone)]);
    const { clock, reflector, problems, words } = reflect(server);
    await passTime(clock, 60_000);
    expect([words(), reflector.store.size, problems.at(-1)?.message]).toEqual([['added a'], 1, 'list of configmaps: an answer without a resourceVersion: it is no list of an API server']);
    await reflector.close();
  });

  test('gives up a list that is never answered', async () => {
    const server = scriptedClient([() => pageOf('1', [])], [staysOpen()]);
    const silent: ScriptedClient = { ...server, client: { ...server.client, list: (_place, _query, signal) => new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(new Error('aborted')))) } };
    const { clock, reflector, problems } = reflect(silent);
    await passTime(clock, 60_000);
    expect(problems).toEqual([{ message: 'configmaps: not a word from the API server for 60 s', retryInMs: 800 }]);
    await reflector.close();
  });
});

describe('watching', () => {
  test.each<[string, WatchScript[], string]>([
    ['from the last event', [(emit) => { emit({ type: 'ADDED', object: objectOf('b', '12') }); return Promise.reject(new Error('reset')); }], '12'],
    ['from the last bookmark', [(emit) => { emit(bookmark('30')); return Promise.reject(new Error('reset')); }], '30'],
    ['from the list, where it met neither', [breaks(new Error('reset'))], '10'],
    ['from where it stood after a 500', [breaks(kubeErrorOf('watch', 500, undefined))], '10'],
    ['from where it stood after a 429', [breaks(kubeErrorOf('watch', 429, undefined, '1'))], '10'],
  ])('goes on without listing again, %s', async (_sentence, watches, resourceVersion) => {
    const server = scriptedClient([() => pageOf('10', [objectOf('a', '1')])], [...watches, staysOpen()]);
    const { clock, reflector } = reflect(server);
    await passTime(clock, 1_000);
    expect([server.lists.length, server.watches[1]?.resourceVersion]).toEqual([1, resourceVersion]);
    await reflector.close();
  });

  test.each<[string, WatchScript]>([
    ['the server answers 410', breaks(gone)],
    ['an ERROR in the stream says Expired', staysOpen({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } })],
    ['its resourceVersion is ahead of the server', breaks(new KubeError('no', { status: 504, reason: 'Timeout', retryAfterMs: null, causes: ['ResourceVersionTooLarge'] }))],
    ['the server refuses the watch itself', breaks(kubeErrorOf('watch', 403, undefined))],
    ['an event is older than what was seen, as of an etcd that was restored', staysOpen({ type: 'MODIFIED', object: objectOf('kept', '9') })],
    ['a bookmark is', staysOpen(bookmark('9'))],
  ])('lists again where %s, and says what went unseen', async (_sentence, watch) => {
    const server = scriptedClient([
      () => pageOf('10', [objectOf('kept', '1'), objectOf('changed', '2'), objectOf('gone', '3'), objectOf('reborn', '4')]),
      () => pageOf('20', [objectOf('kept', '1'), objectOf('changed', '11'), objectOf('reborn', '12', 'another'), objectOf('new', '13')]),
    ], [watch, staysOpen()]);
    const { clock, reflector, words, changes } = reflect(server);
    await passTime(clock, 0);
    changes.length = 0;
    await passTime(clock, 1_000);
    expect(words()).toEqual(['deleted gone unseen', 'modified changed', 'deleted reborn unseen', 'added reborn', 'added new']);
    expect(server.watches[1]?.resourceVersion).toBe('20');
    await reflector.close();
  });

  test('applies events in order', async () => {
    const server = scriptedClient([() => pageOf('10', [objectOf('a', '1')])], [staysOpen(
      { type: 'ADDED', object: objectOf('b', '11') }, { type: 'MODIFIED', object: objectOf('a', '12') }, { type: 'DELETED', object: objectOf('b', '13') },
    )]);
    const { clock, reflector, words } = reflect(server);
    await passTime(clock, 0);
    expect(words()).toEqual(['added a', 'added b', 'modified a', 'deleted b']);
    expect(reflector.store.inNamespace('shop').map(({ metadata }) => metadata.resourceVersion)).toEqual(['12']);
    await reflector.close();
  });

  test('opens a silent watch anew, but not one that bookmarks', async () => {
    let say = (_resourceVersion: string): void => {};
    const server = scriptedClient([() => pageOf('10', [])], [(emit, signal) => { say = (version) => emit(bookmark(version)); return staysOpen()(emit, signal); }, staysOpen()]);
    const { clock, reflector, problems } = reflect(server);
    await passTime(clock, 140_000);
    say('20');
    await passTime(clock, 149_000);
    expect([server.watches.length, reflector.silentMs()]).toEqual([1, 149_000]);
    await passTime(clock, 2_000);
    expect(server.watches.map(({ resourceVersion }) => resourceVersion)).toEqual(['10', '20']);
    expect(problems[0]?.message).toBe('configmaps: not a word from the API server for 150 s');
    await reflector.close();
  });

  test.each<[string, WatchScript]>([
    ['ends every watch at once', () => Promise.resolve()],
    ['breaks every watch', breaks(new Error('reset'))],
    ['answers 410 to every watch', breaks(gone)],
    ['bookmarks and breaks', (emit) => { emit(bookmark('10')); return Promise.reject(new Error('reset')); }],
    ['says Retry-After: 0', breaks(kubeErrorOf('watch', 429, undefined, '0'))],
  ])('does not spin where a server %s', async (_sentence, watch) => {
    const server = scriptedClient([() => pageOf('10', [])], [watch]);
    const { clock, reflector, problems } = reflect(server, () => 0.999);
    await passTime(clock, 600_000);
    expect(server.watches.length).toBeGreaterThan(20);
    expect(server.watches.length).toBeLessThan(30);
    expect(Math.max(...problems.map(({ retryInMs }) => retryInMs))).toBeLessThanOrEqual(30_000);
    await reflector.close();
  });

  test('lists after two watches that were open and silent: a server whose history was set back has nothing to say to a watch from its future', async () => {
    const server = scriptedClient([() => pageOf('1200', [objectOf('a', '1100')]), () => pageOf('1003', [objectOf('a', '1001')])], [staysOpen()]);
    const { clock, reflector, words } = reflect(server);
    await passTime(clock, 299_000);
    expect([server.lists.length, server.watches.map(({ resourceVersion }) => resourceVersion)]).toEqual([1, ['1200', '1200']]);
    await passTime(clock, 10_000);
    expect([words(), server.watches.map(({ resourceVersion }) => resourceVersion)]).toEqual([['added a', 'modified a'], ['1200', '1200', '1003']]);
    await reflector.close();
  });

  test('takes an event that comes twice once', async () => {
    const twice = { type: 'MODIFIED', object: objectOf('a', '11') };
    const server = scriptedClient([() => pageOf('10', [objectOf('a', '1')])], [staysOpen(twice, twice, bookmark('11'))]);
    const { clock, reflector, words } = reflect(server);
    await passTime(clock, 0);
    expect([words(), server.watches.length]).toEqual([['added a', 'modified a'], 1]);
    await reflector.close();
  });

  test('lists after five watches without an event', async () => {
    const server = scriptedClient([() => pageOf('10', []), () => pageOf('20', [objectOf('b', '15')])], [...Array.from({ length: 5 }, () => breaks(new Error('reset'))), staysOpen()]);
    const { clock, reflector, words } = reflect(server);
    await passTime(clock, 60_000);
    expect([server.lists.length, words()]).toEqual([2, ['added b']]);
    await reflector.close();
  });
});

test('a handler that throws is told about and misses nothing after it', async () => {
  const server = scriptedClient([() => pageOf('10', [objectOf('a', '1'), objectOf('b', '2')])], [staysOpen({ type: 'ADDED', object: objectOf('c', '11') })]);
  const clock = new ManualClock();
  const seen: string[] = [];
  const problems: string[] = [];
  const reflector = createReflector<KubeObject>({
    client: server.client, clock, random: () => 0, place, onProblem: ({ message }) => problems.push(message),
    onChange: ({ object }) => { seen.push(object.metadata.name); if (object.metadata.name !== 'c') throw new Error('bad handler'); },
  });
  await passTime(clock, 0);
  expect([seen, problems, reflector.alive()]).toEqual([['a', 'b', 'c'], Array(2).fill('a handler of configmaps threw: bad handler'), true]);
  await reflector.close();
});

test('closing ends the loop and leaves no timer', async () => {
  const { clock, reflector } = reflect(scriptedClient([() => pageOf('10', [])], [staysOpen()]));
  await passTime(clock, 0);
  expect(reflector.alive()).toBe(true);
  await reflector.close();
  expect([reflector.alive(), clock.armed]).toEqual([false, 0]);
});
