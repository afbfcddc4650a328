import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { memoryClient, type MemoryClient } from '../../../test/kube/memory-client.ts';
import { passTime } from '../../../test/kube/pass-time.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { KubeError } from '../kube/kube-error.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { LogLine } from '../log.ts';
import type { Authority } from './authority.ts';
import { createBundlePublisher, type BundlePublisher } from './bundle-publisher.ts';
import { issueAuthority, issueLeaf, type KeyPair } from './issue-certificates.ts';

interface Configuration extends KubeObject { readonly webhooks: readonly { readonly name: string; readonly clientConfig: { readonly caBundle?: string } }[] }

let [one, other]: readonly KeyPair[] = [];
let leaf: KeyPair;
let store: MemoryClient;
let clock: ManualClock;
let lines: LogLine[] = [];
let applied: string[] = [];
let published: string[] = [];
/** What the watch of the Secret has told, and what the Secret is. */
let secret = { heard: '', real: '' };
let refusal: string | null = null;
let publisher: BundlePublisher;
const listeners = new Set<() => void>();

beforeEach(async () => {
  const now = Date.now();
  [one, other] = [await issueAuthority(now), await issueAuthority(now)];
  leaf = await issueLeaf(one as KeyPair, { dnsNames: ['belay'], ipAddresses: [] }, now);
  [store, clock, lines, applied, published, refusal] = [memoryClient(), new ManualClock(), [], [], [], null];
  secret = { heard: one?.cert ?? '', real: one?.cert ?? '' };
  const client: KubeClient = { ...store, apply: async <T extends KubeObject>(_place: unknown, object: unknown) => {
    if (refusal !== null) throw new KubeError(refusal, { status: 403, reason: 'Forbidden', retryAfterMs: null, causes: [] });
    const [webhook] = (object as Configuration).webhooks;
    applied.push(Buffer.from(webhook?.clientConfig.caBundle ?? '', 'base64').toString());
    store.put('belay-injector', configured(applied.at(-1)));
    return store.read('belay-injector') as T;
  } };
  const authority: Authority = {
    ready: Promise.resolve(), trusted: () => secret.heard, confirmed: async () => secret.real, leaf: () => leaf, alive: () => true, close: async () => {},
    notePublished: (bundle) => { published.push(bundle); },
    onChange: (listener) => { listeners.add(listener); return () => listeners.delete(listener); },
  };
  publisher = createBundlePublisher({ client, clock, random: () => 0, log: (line) => lines.push(line), authority, configuration: 'belay-injector' });
});

afterEach(async () => {
  await publisher.close();
  expect([clock.armed, listeners.size]).toEqual([0, 0]);
});

test('what is trusted is published as soon as the configuration is there, and said to be', async () => {
  await passTime(clock, 1_000);
  expect(publisher.obstacle()).toBe('MutatingWebhookConfiguration belay-injector does not trust Belay\'s CA yet');
  store.put('belay-injector', configured());
  await passTime(clock, 1_000);
  expect([applied, published.at(-1), publisher.obstacle()]).toEqual([[one?.cert], one?.cert, null]);
});

test('without a configuration nobody calls, so a new CA waits for nobody', async () => {
  await passTime(clock, 1_000);
  expect(published).toEqual([one?.cert]);
  expect(lines.map(({ message }) => message)).toEqual(['The webhook\'s CA cannot be published: there is no MutatingWebhookConfiguration belay-injector: no pod is injected until it is there.']);
});

test('a change of what is trusted is published, and a replica whose leaf is of neither says so', async () => {
  store.put('belay-injector', configured());
  await passTime(clock, 1_000);
  secret = { heard: other?.cert ?? '', real: other?.cert ?? '' };
  for (const listener of listeners) listener();
  await passTime(clock, 1_000);
  expect(applied).toEqual([one?.cert, other?.cert]);
  expect(publisher.obstacle()).toBe('MutatingWebhookConfiguration belay-injector does not trust the CA of this replica\'s certificate yet');
});

test('a replica that has not heard of a change takes nothing back that another has published', async () => {
  store.put('belay-injector', configured());
  await passTime(clock, 1_000);
  secret.real = `${one?.cert}${other?.cert}`;
  store.put('belay-injector', configured(secret.real));
  await passTime(clock, 60_000);
  expect([applied, published.at(-1), publisher.obstacle()]).toEqual([[one?.cert], secret.real, null]);
});

test('whoever overwrites it every time meets a patient one', async () => {
  store.put('belay-injector', configured());
  let overwritten = 0;
  for (let second = 0; second < 300; second++) {
    if (applied.length > overwritten) {
      overwritten = applied.length;
      store.put('belay-injector', configured('somebody else'));
    }
    await passTime(clock, 1_000);
    store.bookmark();
  }
  expect(applied.length).toBeGreaterThan(8);
  expect(applied.length).toBeLessThan(30);
});

test('a refusal is said once, and tried again until it is taken back', async () => {
  await passTime(clock, 1_000);
  lines = [];
  refusal = 'mutatingwebhookconfigurations is forbidden';
  store.put('belay-injector', configured());
  await passTime(clock, 120_000);
  expect(lines.map(({ level, message }) => [level, message])).toEqual([['error', 'The webhook\'s CA cannot be published: mutatingwebhookconfigurations is forbidden.']]);
  refusal = null;
  await passTime(clock, 30_000);
  expect(applied).toEqual([one?.cert]);
});

function configured(bundle?: string): KubeObject {
  const clientConfig = bundle === undefined ? {} : { caBundle: Buffer.from(bundle).toString('base64') };
  const configuration: Configuration = { metadata: { name: 'belay-injector' }, webhooks: [{ name: 'inject.belay.dev', clientConfig }] };
  return configuration;
}
