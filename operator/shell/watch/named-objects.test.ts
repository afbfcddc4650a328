import { expect, test } from '@jest/globals';
import { passTime } from '../../../test/kube/pass-time.ts';
import { objectOf, pageOf, scriptedClient, staysOpen } from '../../../test/kube/scripted-client.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { kubeErrorOf } from '../kube/kube-error.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { createNamedObjects, type NamedObject } from './named-objects.ts';

const resource = { group: '', version: 'v1', plural: 'secrets' };
const denial = kubeErrorOf('GET secrets in namespace shop', 403, { kind: 'Status', message: 'secrets "a" is forbidden' });
const denied = { kind: 'denied', message: 'GET secrets in namespace shop: the API server answered 403: secrets "a" is forbidden' };
const secret = (name: string, resourceVersion: string): NamedObject => ({
  ...objectOf(name, resourceVersion), metadata: { ...objectOf(name, resourceVersion).metadata, annotations: { 'kubectl.kubernetes.io/last-applied-configuration': 'the key' } }, data: { apiKey: 'c2s=' },
});

/** An API server for Secrets of one name each; `lists` plays their lists. */
function watching(client: KubeClient) {
  const clock = new ManualClock();
  const changes: string[] = [];
  const problems: string[] = [];
  const objects = createNamedObjects({ client, clock, random: () => 0, resource, onChange: (namespace, name) => changes.push(`${namespace}/${name} ${objects.state(namespace, name).kind}`), onProblem: ({ name, message }) => problems.push(`${name}: ${message}`) });
  return { clock, objects, changes, problems };
}

test('exactly what is required is watched, each by its name', async () => {
  const server = scriptedClient([() => pageOf('1', [])], [staysOpen()]);
  const { clock, objects } = watching(server.client);
  objects.require('shop', new Set(['a', 'b']));
  await passTime(clock, 0);
  objects.require('shop', new Set(['b', 'c']));
  await passTime(clock, 0);
  expect(server.lists.map(({ fieldSelector }) => fieldSelector)).toEqual(['metadata.name=a', 'metadata.name=b', 'metadata.name=c']);
  expect(['a', 'b', 'c'].map((name) => objects.state('shop', name).kind)).toEqual(['unknown', 'missing', 'missing']);
  expect(objects.alive()).toBe(true);
  await objects.close();
  expect(clock.armed).toBe(0);
});

test('found, changed, deleted: each is told, and no annotation is kept', async () => {
  let emit = (_type: string, _object: KubeObject): void => {};
  const server = scriptedClient([() => pageOf('1', [secret('a', '1')])], [(tell, signal) => { emit = (type, object) => tell({ type, object }); return staysOpen()(tell, signal); }]);
  const { clock, objects, changes } = watching(server.client);
  objects.require('shop', new Set(['a']));
  await passTime(clock, 0);
  expect(objects.state('shop', 'a')).toEqual({ kind: 'found', object: { metadata: { namespace: 'shop', name: 'a', uid: 'uid-a', resourceVersion: '1' }, data: { apiKey: 'c2s=' } } });
  emit('MODIFIED', secret('a', '2'));
  emit('DELETED', secret('a', '3'));
  expect(changes.slice(-2)).toEqual(['shop/a found', 'shop/a missing']);
  await objects.close();
});

test('a Secret that is not there is told as missing', async () => {
  const { clock, objects, changes } = watching(scriptedClient([() => pageOf('1', [])], [staysOpen()]).client);
  objects.require('shop', new Set(['a']));
  expect(objects.state('shop', 'a')).toEqual({ kind: 'unknown' });
  await passTime(clock, 0);
  expect(changes).toEqual(['shop/a missing']);
  await objects.close();
});

test('one that may not be read is denied, holds up no other, and is read as soon as it may be', async () => {
  let allowed = false;
  const server = scriptedClient([], []);
  const client: KubeClient = {
    ...server.client,
    list: async <T extends KubeObject>(_place: unknown, { fieldSelector }: { readonly fieldSelector?: string }) => {
      if (fieldSelector === 'metadata.name=a' && !allowed) throw denial;
      return pageOf('1', [secret(fieldSelector!.slice(14), '1')]) as never as { metadata: object; items: readonly T[] };
    },
    watch: (_place, _query, emit, signal) => staysOpen()(emit, signal),
  };
  const { clock, objects, changes } = watching(client);
  objects.require('shop', new Set(['a', 'b']));
  await passTime(clock, 0);
  expect([objects.state('shop', 'a'), objects.state('shop', 'b').kind, changes]).toEqual([denied, 'found', expect.arrayContaining(['shop/a denied', 'shop/b found'])]);
  allowed = true;
  await passTime(clock, 1_000);
  expect(objects.state('shop', 'a').kind).toBe('found');
  expect(changes.at(-1)).toBe('shop/a found');
  await objects.close();
});

test('what was read stays for 30 s of denials, as of an API server that has just started, and no longer', async () => {
  let lists = 0;
  const server = scriptedClient([() => { lists++; if (lists > 1) throw denial; return pageOf('1', [secret('a', '1')]); }], [() => Promise.reject(denial)]);
  const { clock, objects } = watching(server.client);
  objects.require('shop', new Set(['a']));
  await passTime(clock, 25_000);
  expect(objects.state('shop', 'a').kind).toBe('found');
  await passTime(clock, 30_000);
  expect(objects.state('shop', 'a')).toEqual(denied);
  await objects.close();
});

test('a failure that is no denial leaves it unknown and is a problem', async () => {
  const { clock, objects, problems } = watching(scriptedClient([() => { throw kubeErrorOf('list', 500, undefined); }], [staysOpen()]).client);
  objects.require('shop', new Set(['a']));
  await passTime(clock, 0);
  expect([objects.state('shop', 'a').kind, problems]).toEqual(['unknown', ['a: list: the API server answered 500']]);
  await objects.close();
});

test('a name that no object can have is missing, and is never asked for', async () => {
  const server = scriptedClient([() => pageOf('1', [])], [staysOpen()]);
  const { clock, objects } = watching(server.client);
  objects.require('shop', new Set(['a,metadata.namespace=bank', 'A', '']));
  await passTime(clock, 0);
  expect([server.lists, objects.state('shop', 'a,metadata.namespace=bank')]).toEqual([[], { kind: 'missing' }]);
  await objects.close();
});
