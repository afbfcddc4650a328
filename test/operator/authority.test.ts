import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, test } from '@jest/globals';
import { createAuthority, type Authority } from '@belay/operator/shell/certificates/authority.ts';
import type { SecretObject } from '@belay/operator/shell/certificates/authority-secret.ts';
import { certificatesOf } from '@belay/operator/shell/certificates/issue-certificates.ts';
import { createHttpsClient } from '@belay/operator/shell/kube/https-client.ts';
import type { KubeClient } from '@belay/operator/shell/kube/kube-client.ts';
import type { LogLine } from '@belay/operator/shell/log.ts';
import { readFileSync } from 'node:fs';
import { startApiServer, type ApiServer } from '../../scripts/kubernetes/with-api-server.ts';
import { realClock as clock } from '../kube/real-clock.ts';
import { until } from './until.ts';

const secrets = { group: '', version: 'v1', plural: 'secrets' };
let server: ApiServer;
let client: KubeClient & { close(): void };
let namespace = '';
let count = 0;
let lines: LogLine[] = [];
const open: Authority[] = [];

beforeAll(async () => {
  server = await startApiServer();
  client = createHttpsClient({ server: server.url, ca: readFileSync(server.caFile, 'utf8'), token: () => server.token, clock });
}, 900_000);

afterAll(async () => {
  client.close();
  await server.close();
});

beforeEach(async () => {
  namespace = `belay-${count++}`;
  lines = [];
  await client.create({ resource: { group: '', version: 'v1', plural: 'namespaces' } }, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((authority) => authority.close()));
});

test('replicas that start at once agree on one CA, and each signs itself a leaf', async () => {
  const replicas = [join(), join(), join()];
  await Promise.all(replicas.map(({ ready }) => ready));
  expect(new Set(replicas.map((replica) => replica.trusted())).size).toBe(1);
  expect(new Set(replicas.map((replica) => replica.leaf().cert)).size).toBe(3);
  for (const replica of replicas) expect(issuedBy(replica)).toEqual([replica.trusted()]);
  expect(lines.filter(({ event }) => event === 'authority-created')).toHaveLength(1);
  expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
});

describe('somebody deletes the Secret', () => {
  test('it is made again from memory, by one', async () => {
    const replicas = [join(), join()];
    await Promise.all(replicas.map(({ ready }) => ready));
    const before = await read();
    await client.delete(place());
    await until(async () => (await readIfThere())?.metadata.uid !== undefined && (await read()).metadata.uid !== before.metadata.uid);
    expect((await read()).data).toEqual(before.data);
    for (const replica of replicas) expect(replica.trusted()).toBe(pemOf(before, 'tls.crt'));
  });

  test('and another that knows nothing is faster: the CA before stays trusted', async () => {
    const first = join({ settleMs: 60_000 });
    await first.ready;
    const before = await read();
    const other = await secretOfAnother();
    await client.replace(place(), { ...before, data: other.data });
    await until(() => certificatesOf(first.trusted()).length === 2);
    expect(first.trusted()).toBe(pemOf(other, 'tls.crt') + pemOf(before, 'tls.crt'));
    expect(issuedBy(first)).toEqual([pemOf(before, 'tls.crt')]);
  });
});

test('a Secret that cannot be read is said once, stays as it is, and is taken when somebody puts it right', async () => {
  const good = await secretOfAnother();
  const { 'tls.key': _, ...halved } = good.data ?? {};
  await client.create({ resource: secrets, namespace }, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'belay-ca' }, data: halved });
  const authority = join();
  await until(() => lines.some(({ level }) => level === 'error'));
  expect(lines.map(({ message }) => message)).toEqual([`Secret belay-ca in namespace ${namespace}: tls.key: must be a private key in PEM. Put it right, or delete the Secret and Belay makes a new one.`]);
  expect((await read()).data).toEqual(halved);
  await client.patch(place(), { data: good.data });
  await authority.ready;
  expect(authority.trusted()).toBe(pemOf(good, 'tls.crt'));
});

test('a Secret that is garbled under traffic changes nothing that is served', async () => {
  const authority = join();
  await authority.ready;
  const served = [authority.trusted(), authority.leaf()];
  await client.patch(place(), { data: { 'tls.crt': Buffer.from('garbled').toString('base64') } });
  await until(() => lines.some(({ level }) => level === 'error'));
  expect(lines.at(-1)?.message).toContain('tls.crt: must be a certificate in PEM. Put it right, or delete the Secret and Belay makes it again from memory.');
  expect([authority.trusted(), authority.leaf()]).toEqual(served);
});

test('asked for a new CA, it is published first, signs once it has been seen, and the one before stays trusted', async () => {
  const replicas = [join(), join()];
  await Promise.all(replicas.map(({ ready }) => ready));
  const before = replicas[0]?.trusted() ?? '';
  await client.patch(place(), { metadata: { annotations: { 'belay.dev/rotate': '50ms' } } });
  await until(() => replicas.every((replica) => certificatesOf(replica.trusted()).length === 2));
  for (const replica of replicas) expect(issuedBy(replica)).toEqual([before]);
  expect((await read()).metadata.annotations).not.toHaveProperty('belay.dev/rotate');
  replicas[0]?.notePublished(replicas[0].trusted());
  await until(() => replicas.every((replica) => issuedBy(replica)[0] !== before), 20_000);
  const [signing, old] = certificatesOf(replicas[0]?.trusted() ?? '');
  expect(old).toBe(before);
  for (const replica of replicas) expect(issuedBy(replica)).toEqual([signing]);
}, 60_000);

function join({ settleMs = 50 } = {}): Authority {
  const authority = createAuthority({
    client, clock, wallClock: Date.now, random: Math.random, log: (line) => lines.push(line), namespace, dnsNames: ['belay-webhook.belay-system.svc'], ipAddresses: ['127.0.0.1'], settleMs,
  });
  open.push(authority);
  return authority;
}

function place(): { readonly resource: typeof secrets; readonly namespace: string; readonly name: string } {
  return { resource: secrets, namespace, name: 'belay-ca' };
}

function read(): Promise<SecretObject> {
  return client.get<SecretObject>(place());
}

function readIfThere(): Promise<SecretObject | null> {
  return read().catch(() => null);
}

/** As another installation made it. */
async function secretOfAnother(): Promise<SecretObject> {
  const other = createAuthority({ client, clock, wallClock: Date.now, random: Math.random, log: () => {}, namespace, secretName: 'other', dnsNames: ['other'], ipAddresses: [] });
  await other.ready;
  await other.close();
  return client.get<SecretObject>({ ...place(), name: 'other' });
}

/** The CAs of its bundle that its leaf is signed by. */
function issuedBy(authority: Authority): readonly string[] {
  const leaf = new X509Certificate(authority.leaf().cert);
  return certificatesOf(authority.trusted()).filter((cert) => leaf.checkIssued(new X509Certificate(cert)) && leaf.verify(new X509Certificate(cert).publicKey));
}

function pemOf({ data = {} }: SecretObject, key: string): string {
  return Buffer.from(data[key] ?? '', 'base64').toString();
}
