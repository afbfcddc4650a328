import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { passTime } from '../../../test/kube/pass-time.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import type { NamespaceContent } from '../../core/distribute/select-resources.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { newStore } from '../kube/store.ts';
import type { ChainObject, ProviderObject } from '../watch/belay-objects.ts';
import type { Caches } from '../watch/create-caches.ts';
import type { NamedObjects, ObjectState } from '../watch/named-objects.ts';
import { createCompileLoop } from './create-compile-loop.ts';

const provider = (namespace: string, name: string, more: object = {}): ProviderObject => ({
  metadata: { namespace, name, generation: 1 }, spec: { dialect: 'OpenAI', baseURL: `https://${name}.example/v1`, credentials: { secretKeyRef: { name, key: 'apiKey' } }, ...more },
}) as unknown as ProviderObject;
const chain = (namespace: string, name: string, providerRef: object): ChainObject => ({ metadata: { namespace, name, generation: 1 }, spec: { targets: [{ providerRef, model: 'm' }] } }) as unknown as ChainObject;

function compiling() {
  const clock = new ManualClock();
  const stores = { chains: newStore<ChainObject>(), providers: newStore<ProviderObject>(), namespaces: newStore<KubeObject>() };
  for (const name of ['shop', 'models', 'bare']) stores.namespaces.put({ metadata: { name } });
  const states = new Map<string, ObjectState>();
  const required = new Map<string, readonly string[]>();
  const secrets: NamedObjects = { require: (namespace, names) => void required.set(namespace, [...names]), state: (namespace, name) => states.get(`${namespace}/${name}`) ?? { kind: 'unknown' }, alive: () => true, close: () => Promise.resolve() };
  const published: (readonly [string, NamespaceContent])[] = [];
  const loop = createCompileLoop({
    clock, log: () => undefined, onCompiled: () => undefined, publish: (namespace, content) => published.push([namespace, content]),
    sources: {
      caches: stores as unknown as Caches, secrets, configMaps: { ...secrets, require: () => undefined }, endpoints: () => [], endpointsKnown: () => true, clusterDomain: 'cluster.local',
      tools: { sha256Hex: (text) => createHash('sha256').update(text).digest('hex'), parseURL: (text) => URL.parse(text) },
    },
  });
  const answer = (namespace: string, name: string, key: string | null): void => {
    states.set(`${namespace}/${name}`, key === null ? { kind: 'missing' } : { kind: 'found', object: { metadata: { namespace, name, uid: 'u', resourceVersion: key }, data: { apiKey: Buffer.from(key).toString('base64') } } });
    loop.add(namespace);
  };
  const seen = (): readonly string[] => published.map(([namespace, { tables: [table], keys }]) => `${namespace}: ${table.chains.map(({ name }) => name).join()} with ${keys.map(({ provider: name, secret }) => `${name}=${secret.reveal()}`).join() || 'no key'}`);
  return { clock, stores, loop, published, answer, seen, required };
}

test('before the caches have synced nothing is published, whatever is asked', async () => {
  const { clock, stores, loop, seen, answer } = compiling();
  stores.providers.put(provider('shop', 'openai'));
  stores.chains.put(chain('shop', 'chat', { name: 'openai' }));
  loop.add('shop');
  loop.want('shop');
  answer('shop', 'openai', 'sk-1');
  await passTime(clock, 60_000);
  expect(seen()).toEqual([]);
  loop.start();
  await passTime(clock, 10);
  expect(seen()).toEqual(['shop: chat with openai=sk-1']);
});

test('a namespace is first published when every Secret it refers to is answered for, or after 10 s', async () => {
  const { clock, stores, loop, seen, answer, required } = compiling();
  for (const name of ['openai', 'groq']) stores.providers.put(provider('shop', name));
  stores.chains.put(chain('shop', 'chat', { name: 'openai' }));
  loop.start();
  await passTime(clock, 100);
  answer('shop', 'openai', 'sk-1');
  await passTime(clock, 9_000);
  expect([seen(), required.get('shop')]).toEqual([[], ['groq', 'openai']]);
  await passTime(clock, 1_000);
  expect(seen()).toEqual(['shop: chat with openai=sk-1']);
  answer('shop', 'groq', 'sk-2');
  await passTime(clock, 10);
  expect(seen()).toEqual(['shop: chat with openai=sk-1', 'shop: chat with groq=sk-2,openai=sk-1']);
  await loop.close();
  expect(clock.armed).toBe(0);
});

test('what is applied together is compiled together, though the watch of one kind tells a moment later', async () => {
  const { clock, stores, loop, seen, answer } = compiling();
  loop.start();
  stores.chains.put(chain('shop', 'chat', { name: 'openai' }));
  loop.addSoon('shop');
  await passTime(clock, 40);
  stores.providers.put(provider('shop', 'openai'));
  loop.addSoon('shop');
  await passTime(clock, 20);
  expect(seen()).toEqual([]);
  answer('shop', 'openai', 'sk-1');
  await passTime(clock, 10);
  expect(seen()).toEqual(['shop: chat with openai=sk-1']);
  for (let n = 0; n < 10; n++) {
    stores.chains.put(chain('shop', `more-${n}`, { name: 'openai' }));
    loop.addSoon('shop');
    await passTime(clock, 30);
  }
  // Who changes something all the time is not put off.
  expect(seen().length).toBeGreaterThan(4);
  await loop.close();
  expect(clock.armed).toBe(0);
});

test('what was published before waits for no answer', async () => {
  const { clock, stores, loop, seen, answer } = compiling();
  stores.providers.put(provider('shop', 'openai'));
  stores.chains.put(chain('shop', 'chat', { name: 'openai' }));
  answer('shop', 'openai', 'sk-1');
  loop.start();
  await passTime(clock, 10);
  stores.providers.put(provider('shop', 'new'));
  stores.chains.put(chain('shop', 'more', { name: 'new' }));
  loop.add('shop');
  await passTime(clock, 10);
  expect(seen().at(-1)).toBe('shop: chat,more with openai=sk-1');
});

test('a provider of another namespace brings its key, read where it is, and takes it along', async () => {
  const { clock, stores, loop, seen, answer, required } = compiling();
  stores.providers.put(provider('models', 'gpu', { allowedNamespaces: { from: 'All' } }));
  stores.chains.put(chain('shop', 'chat', { name: 'gpu', namespace: 'models' }));
  answer('models', 'gpu', 'sk-gpu');
  loop.start();
  await passTime(clock, 10);
  expect([seen(), required.get('models'), required.get('shop')]).toEqual([['models:  with gpu=sk-gpu', 'shop: chat with models/gpu=sk-gpu'], ['gpu'], []]);
  stores.providers.put(provider('models', 'gpu', { allowedNamespaces: { from: 'Same' } }));
  loop.add('shop');
  await passTime(clock, 10);
  expect(seen().at(-1)).toBe('shop: chat with no key');
});

test('a namespace without chains is compiled only where a sidecar asks, and one that is gone is published empty and forgotten', async () => {
  const { clock, stores, loop, seen, answer } = compiling();
  loop.start();
  loop.add('bare');
  await passTime(clock, 10);
  expect(seen()).toEqual([]);
  loop.want('bare');
  await passTime(clock, 10);
  expect([seen(), loop.namespaces()]).toEqual([['bare:  with no key'], ['bare']]);
  stores.providers.put(provider('shop', 'openai'));
  answer('shop', 'openai', null);
  await passTime(clock, 10);
  for (const [store, object] of [[stores.providers, provider('shop', 'openai')], [stores.namespaces, { metadata: { name: 'shop' } }]] as const) store.remove(object as never);
  loop.add('shop');
  await passTime(clock, 10);
  expect([seen().at(-1), loop.namespaces()]).toEqual(['shop:  with no key', ['bare']]);
});
