import { describe, expect, test } from '@jest/globals';
import { newStore } from '../kube/store.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { ChainObject } from './belay-objects.ts';
import { changesNamespace, changesSpec, consumersOf } from './dirty-namespaces.ts';

const chain = (namespace: string, name: string, ...providers: readonly (string | undefined)[]): ChainObject => ({
  metadata: { namespace, name }, spec: { targets: providers.map((owner) => ({ providerRef: { name: 'p', ...(owner === undefined ? {} : { namespace: owner }) }, model: 'm', suspend: false })) },
}) as unknown as ChainObject;

describe('a change in a namespace concerns', () => {
  const chains = newStore<ChainObject>();
  for (const one of [chain('shop', 'chat', undefined), chain('bank', 'a', 'models'), chain('bank', 'b', 'models', 'models'), chain('apps', 'c', undefined, 'models'), chain('models', 'own', 'models')]) chains.put(one);

  test.each([['models', ['models', 'apps', 'bank']], ['shop', ['shop']], ['nowhere', ['nowhere']]])('of %s: %s', (owner, namespaces) => {
    expect(consumersOf(owner, chains)).toEqual(namespaces);
  });
});

test.each([undefined, null, {}, { targets: null }, { targets: 'x' }, { targets: [null] }, { targets: [{}] }, { targets: [{ providerRef: null }] }])('a chain that only the CRDs of another release let in hides nothing of the others: %j', (spec) => {
  const chains = newStore<ChainObject>();
  chains.put({ metadata: { namespace: 'odd', name: 'odd' }, spec } as unknown as ChainObject);
  chains.put(chain('shop', 'chat', 'models'));
  expect(consumersOf('models', chains)).toEqual(['models', 'shop']);
});

const object = (metadata: object): KubeObject => ({ metadata: { name: 'x', ...metadata } });
const modified = (before: object, after: object, specs: readonly [unknown, unknown] = [{}, {}]) => ({ type: 'modified' as const, before: { ...object(before), spec: specs[0] }, object: { ...object(after), spec: specs[1] } });

test.each([
  ['another generation', modified({ generation: 1 }, { generation: 2 }), true],
  ['another status, which is the operator\'s own word', modified({ generation: 1, resourceVersion: '1' }, { generation: 1, resourceVersion: '2' }), false],
  ['another spec of the same generation, as of an etcd that was restored', modified({ generation: 2 }, { generation: 2 }, [{ deadline: '1s' }, { deadline: '2s' }]), true],
  ['its arrival', { type: 'added' as const, object: object({ generation: 1 }) }, true],
  ['its end', { type: 'deleted' as const, object: object({ generation: 1 }), stateUnknown: true }, true],
])('of a chain, %s counts: %#', (_, change, counts) => {
  expect(changesSpec(change)).toBe(counts);
});

test.each([
  ['another label', modified({ labels: { team: 'red' } }, { labels: { team: 'blue' } }), true],
  ['its labels in another order', modified({ labels: { a: '1', b: '2' } }, { labels: { b: '2', a: '1' } }), false],
  ['the beginning of its end', modified({}, { deletionTimestamp: '2026-01-01T00:00:00Z' }), true],
  ['another annotation', modified({}, { resourceVersion: '2' }), false],
])('of a namespace, %s counts: %#', (_, change, counts) => {
  expect(changesNamespace(change)).toBe(counts);
});
