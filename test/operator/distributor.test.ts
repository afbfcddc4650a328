import { X509Certificate } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { TLSSocket } from 'node:tls';
import type { HelloFrame, KeyEntry, RoutingTable } from '@belay/contract';
import { certificatesOf } from '@belay/operator/shell/certificates/issue-certificates.ts';
import { createHttpsClient } from '@belay/operator/shell/kube/https-client.ts';
import { readFileSync } from 'node:fs';
import { realClock as clock } from '../kube/real-clock.ts';
import { chain, provider, startDistributor, type DistributorRig } from './distributor-rig.ts';
import { allow, makePod, putSecret, reissue, requestToken, type MadePod } from './pods-and-tokens.ts';
import { helloOf, openStream, type StreamClient } from './stream-client.ts';
import { until } from './until.ts';

const core = (plural: string) => ({ group: '', version: 'v1', plural });
let rig: DistributorRig;
let shop: MadePod;
let bank: MadePod;
const open: StreamClient[] = [];

beforeAll(async () => {
  rig = await startDistributor([{ namespace: 'shop', names: ['openai', 'groq'] }, { namespace: 'bank', names: ['vault'] }, { namespace: 'models', names: ['gpu'] }]);
  [shop, bank] = [await makePod(rig.client, 'shop', 'web'), await makePod(rig.client, 'bank', 'teller')];
  await putSecret(rig.client, 'shop', 'openai', { apiKey: 'sk-openai-1\n' });
  await putSecret(rig.client, 'shop', 'groq', { apiKey: 'sk-groq-1' });
  await putSecret(rig.client, 'bank', 'vault', { apiKey: 'sk-vault-1' });
  await putSecret(rig.client, 'models', 'gpu', { apiKey: 'sk-gpu-1' });
  rig.serve('shop', { providers: [provider('openai'), provider('groq')], chains: [chain('chat', { name: 'openai' }, { name: 'groq' })] });
  rig.serve('bank', { providers: [provider('vault')], chains: [chain('ledger', { name: 'vault' })] });
  await until(() => rig.secrets.state('shop', 'openai').kind === 'found' && rig.secrets.state('bank', 'vault').kind === 'found');
}, 900_000);

afterAll(() => rig.close());

afterEach(() => {
  for (const client of open.splice(0)) client.close();
});

function connect(token?: string, ca = rig.authority.trusted()): StreamClient {
  const client = openStream({ port: rig.port, ca, ...(token === undefined ? {} : { token }) });
  open.push(client);
  client.ackAll();
  return client;
}

async function served(pod: MadePod, more: Partial<HelloFrame> = {}): Promise<StreamClient> {
  const client = connect(await requestToken(rig.client, { namespace: pod.namespace, pod }));
  client.send(helloOf(pod.name, pod.uid, more));
  await until(() => client.newest('table') !== undefined);
  return client;
}

const keysOf = (client: StreamClient) => {
  const data = client.newest('keys')?.data;
  return data?.ok === true ? Object.fromEntries(data.value.map(({ provider: name, secret }: KeyEntry) => [name, secret.reveal()])) : undefined;
};
const chainsOf = (client: StreamClient) => (client.newest('table')?.data as RoutingTable).chains.map(({ name }) => name);

describe('security promise 1: a sidecar gets only chains and keys of its token\'s namespace', () => {
  test('whatever it asks for', async () => {
    for (const chains of [['*'], ['chat', 'ledger']]) {
      const [web, teller] = [await served(shop, { chains }), await served(bank, { chains })];
      expect([chainsOf(web), keysOf(web)]).toEqual([['chat'], { openai: 'sk-openai-1', groq: 'sk-groq-1' }]);
      expect([chainsOf(teller), keysOf(teller)]).toEqual([['ledger'], { vault: 'sk-vault-1' }]);
    }
  });

  test('whichever pod it says it is', async () => {
    const client = connect(await requestToken(rig.client, { namespace: 'bank', pod: bank }));
    client.send(helloOf(shop.name, shop.uid));
    expect([await client.ended, client.frames]).toEqual(['', []]);
  });

  const valid = () => requestToken(rig.client, { namespace: 'shop', pod: shop });
  const seconds = () => Math.floor(Date.now() / 1_000);
  test.each<[string, () => Promise<string | undefined>, string]>([
    ['an expired token', async () => reissue(rig.server, await valid(), { iat: seconds() - 4_000, nbf: seconds() - 4_000, exp: seconds() - 400 }), 'The token is not valid here'],
    ['a token that is bound to no pod', () => requestToken(rig.client, { namespace: 'shop' }), 'The token is bound to no pod'],
    ['a token of the API server\'s own audience', () => requestToken(rig.client, { namespace: 'shop', pod: shop, audiences: ['https://kubernetes.default.svc'] }), 'The token is not valid here'],
    ['a token of a stranger\'s audience', () => requestToken(rig.client, { namespace: 'shop', pod: shop, audiences: ['vault'] }), 'The token is not valid here'],
    ['a token that somebody else has signed', async () => `${(await valid()).split('.').slice(0, 2).join('.')}.${Buffer.alloc(64, 7).toString('base64url')}`, 'The token is not valid here'],
    ['a token whose namespace was changed', async () => {
      const [header, payload = '', signature] = (await valid()).split('.');
      return [header, Buffer.from(Buffer.from(payload, 'base64url').toString('utf8').replaceAll('shop', 'bank')).toString('base64url'), signature].join('.');
    }, 'The token is not valid here'],
    ['the token of a pod that was deleted', async () => {
      const pod = await makePod(rig.client, 'shop', 'short');
      const token = await requestToken(rig.client, { namespace: 'shop', pod });
      await rig.client.patch({ resource: core('pods'), namespace: 'shop', name: 'short' }, { metadata: { finalizers: null } });
      await rig.client.delete({ resource: core('pods'), namespace: 'shop', name: 'short' });
      return token;
    }, 'The token is not valid here'],
    ['an administrator\'s token, which is of no pod', () => Promise.resolve(rig.server.token), 'The token is none of a pod'],
    ['no token', () => Promise.resolve(undefined), 'There is no token'],
    ['garbage', () => Promise.resolve('garbage.of.three'), 'The token is not valid here'],
  ])('%s is answered 401 and gets nothing', async (_, make, sentence) => {
    const client = connect(await make());
    client.send(helloOf(shop.name, shop.uid));
    expect(await client.status).toBe(401);
    expect(await client.ended).toMatch(new RegExp(`^${sentence}[^\n]*\n$`));
  });

  test('while the same token with the times of now is accepted, as a check on the one that expired', async () => {
    const token = reissue(rig.server, await valid(), { iat: seconds() - 10, nbf: seconds() - 10, exp: seconds() + 600 });
    expect(await connect(token).status).toBe(200);
  });
});

describe('security promise 2: another namespace\'s provider is used as its owner allows', () => {
  const gpu = (from: 'All' | 'Same') => ({ ...provider('gpu', { allowedNamespaces: { from } }), namespace: 'models' });

  test('its key comes with the permission, and is gone within a second of its end, and so is its target', async () => {
    rig.serve('bank', { chains: [chain('ledger', { name: 'vault' }, { name: 'gpu', namespace: 'models' })], foreign: [gpu('All')] });
    const client = await served(bank);
    await until(() => keysOf(client)?.['models/gpu'] === 'sk-gpu-1');
    const tableOf = () => JSON.stringify(client.newest('table')?.data);
    await until(() => tableOf().includes('models/gpu'));
    const fromMs = performance.now();
    rig.serve('bank', { foreign: [gpu('Same')] });
    await until(() => keysOf(client)?.['models/gpu'] === undefined && !tableOf().includes('"provider":"models/gpu"'));
    expect(performance.now() - fromMs).toBeLessThan(1_000);
    expect(keysOf(client)).toEqual({ vault: 'sk-vault-1' });
    rig.serve('bank', { chains: [chain('ledger', { name: 'vault' })], foreign: [] });
  });
});

test('security promise 3: a Secret is looked for in its provider\'s own namespace alone', async () => {
  rig.serve('bank', { providers: [provider('vault'), provider('openai')], chains: [chain('ledger', { name: 'vault' }, { name: 'openai' })] });
  const client = await served(bank);
  expect(keysOf(client)).toEqual({ vault: 'sk-vault-1' });
  await until(() => rig.secrets.state('bank', 'openai').kind === 'denied');
  rig.serve('bank', { providers: [provider('vault')], chains: [chain('ledger', { name: 'vault' })] });
});

test('security promise 8: what a sidecar\'s token is good for is the distributor alone', async () => {
  const token = await requestToken(rig.client, { namespace: 'shop', pod: shop });
  const sidecar = createHttpsClient({ server: rig.server.url, ca: readFileSync(rig.server.caFile, 'utf8'), clock, token: () => token });
  for (const plural of ['secrets', 'pods', 'configmaps']) await expect(sidecar.list({ resource: core(plural), namespace: 'shop' }, {})).rejects.toMatchObject({ status: 401 });
  sidecar.close();
});

test('a key is trimmed, and names its provider\'s origin', async () => {
  const client = await served(shop);
  expect(client.newest('keys')?.data).toMatchObject({ ok: true, value: [{ provider: 'groq', origin: 'https://groq.example' }, { provider: 'openai', origin: 'https://openai.example' }] });
});

test('a Secret that may not be read costs its provider alone, and comes as soon as it may be read', async () => {
  await putSecret(rig.client, 'shop', 'hidden', { apiKey: 'sk-hidden-1' });
  const client = await served(shop);
  const providers = [provider('openai'), provider('groq'), provider('hidden')];
  const made = rig.serve('shop', { providers, chains: [chain('chat', { name: 'hidden' }, { name: 'openai' }, { name: 'groq' })] });
  await until(() => rig.secrets.state('shop', 'hidden').kind === 'denied');
  expect(rig.secrets.state('shop', 'hidden')).toMatchObject({ message: expect.stringContaining('cannot list resource "secrets" in API group "" in the namespace "shop"') });
  expect(made.facts).toContainEqual({ namespace: 'shop', name: 'hidden', state: 'denied', message: expect.stringMatching(/secrets "?.*is forbidden: User "system:serviceaccount:belay-system:belay" cannot/) });
  const other = await served(shop);
  expect([keysOf(other), chainsOf(other)]).toEqual([{ openai: 'sk-openai-1', groq: 'sk-groq-1' }, ['chat']]);
  await allow(rig.client, { namespace: 'belay-system', name: 'belay' }, 'hidden', { apiGroups: [''], resources: ['secrets'], resourceNames: ['hidden'], verbs: ['get', 'list', 'watch'] }, 'shop');
  await until(() => keysOf(client)?.['hidden'] === 'sk-hidden-1', 20_000);
}, 40_000);

test('a key that is rotated is at a connected sidecar in under 1 s, ten times out of ten, and one that is revoked is gone as soon', async () => {
  const client = await served(shop);
  const tookMs: number[] = [];
  for (let n = 2; n <= 11; n++) {
    await putSecret(rig.client, 'shop', 'openai', { apiKey: `sk-openai-${n}` });
    const fromMs = performance.now();
    await until(() => keysOf(client)?.['openai'] === `sk-openai-${n}`);
    tookMs.push(performance.now() - fromMs);
  }
  const fromMs = performance.now();
  await rig.client.delete({ resource: core('secrets'), namespace: 'shop', name: 'openai' });
  await until(() => keysOf(client)?.['openai'] === undefined);
  tookMs.push(performance.now() - fromMs);
  console.info(`key rotated, then revoked: ${tookMs.map((ms) => Math.round(ms)).join(', ')} ms`);
  expect(Math.max(...tookMs)).toBeLessThan(1_000);
  await putSecret(rig.client, 'shop', 'openai', { apiKey: 'sk-openai-1' });
});

test('the CA is rotated under sidecars that stay and sidecars that come anew: none fails', async () => {
  const staying = await Promise.all(['stay-1', 'stay-2', 'stay-3'].map(async (name) => served(await makePod(rig.client, 'shop', name))));
  let trusted = rig.authority.trusted();
  // What pods mount follows a little later; the API server is told at once.
  const forget = rig.authority.onChange(() => {
    const bundle = rig.authority.trusted();
    setTimeout(() => { trusted = bundle; rig.authority.notePublished(bundle); }, 100);
  });
  const [before = ''] = certificatesOf(trusted);
  const token = await requestToken(rig.client, { namespace: 'shop', pod: shop });
  const issuers = new Set<string>();
  const failures: number[] = [];
  let rounds = 0;
  let going = true;
  const come = (async () => {
    while (going) {
      const client = openStream({ port: rig.port, ca: trusted, token });
      client.send(helloOf(shop.name, shop.uid));
      const status = await client.status;
      if (status !== 200) failures.push(status);
      else {
        await until(() => client.newest('table') !== undefined);
        const leaf = (client.session.socket as TLSSocket).getPeerX509Certificate();
        if (leaf !== undefined) issuers.add(certificatesOf(trusted).find((ca) => leaf.verify(new X509Certificate(ca).publicKey)) ?? 'unknown');
      }
      client.close();
      rounds += 1;
    }
  })();
  try {
    await until(() => rounds > 10);
    await rig.client.patch({ resource: core('secrets'), namespace: 'belay-system', name: 'belay-ca' }, { metadata: { annotations: { 'belay.dev/rotate': '300ms' } } });
    await until(() => issuers.size === 2, 30_000);
    const enough = rounds + 20;
    await until(() => rounds > enough);
  } finally {
    going = false;
    await come;
    forget();
  }
  console.info(`CA rotated: ${rounds} connections, ${failures.length} failures`);
  expect([failures, [...issuers][0], issuers.has('unknown')]).toEqual([[], before, false]);
  // Those that stayed are served on, over the connections that they had.
  rig.serve('shop', { chains: [chain('later', { name: 'groq' })] });
  for (const client of staying) await until(() => chainsOf(client).includes('later'));
}, 60_000);

test('security promise 6: no key and no token stands in a log line, a counter or a status', () => {
  const said = JSON.stringify([rig.lines, rig.distributor.counters, rig.distributor.countSidecars('shop', 'chat')]);
  expect(rig.lines.length).toBeGreaterThan(0);
  expect(said).not.toMatch(/sk-|eyJ/);
});
