import { expect, test } from '@jest/globals';
import { newConnectionStore } from './connection-store.ts';
import { openConnection } from './connection.ts';

const of = (namespace: string) => openConnection({ namespace, pod: 'p', uid: 'u' }, 0, 0.5);

test('a connection is found by its number and in its namespace until it is deleted', () => {
  const store = newConnectionStore();
  store.set(1, of('shop'));
  store.set(2, of('bank'));
  store.set(3, of('shop'));
  store.set(3, { ...of('shop'), lastNonce: 7 });
  expect([store.all(), store.inNamespace('shop'), store.inNamespace('nowhere'), store.get(3)?.lastNonce]).toEqual([[1, 2, 3], [1, 3], [], 7]);
  store.delete(1);
  store.delete(9);
  expect([store.all(), store.inNamespace('shop'), store.get(1)]).toEqual([[2, 3], [3], undefined]);
});
