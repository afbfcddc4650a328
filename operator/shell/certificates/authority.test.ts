import { X509Certificate } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { memoryClient, type MemoryClient } from '../../../test/kube/memory-client.ts';
import { passTime } from '../../../test/kube/pass-time.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import type { LogLine } from '../log.ts';
import { createAuthority, type Authority } from './authority.ts';
import type { SecretObject } from './authority-secret.ts';
import { certificatesOf, isSignedBy } from './issue-certificates.ts';

const day = 24 * 60 * 60_000;
let client: MemoryClient;
let clock: ManualClock;
/** The machine's wall clock, as somebody set it. */
let wallMs = 0;
let lines: LogLine[] = [];
const open: Authority[] = [];

beforeEach(() => {
  [client, clock, wallMs, lines] = [memoryClient(), new ManualClock(), Date.UTC(2026, 10, 25), []];
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((authority) => authority.close()));
  expect(clock.armed).toBe(0);
});

test('a leaf is for the names given, from five minutes ago for seven days', async () => {
  const authority = await started();
  const { subjectAltName, validFromDate, validToDate, keyUsage, ca } = new X509Certificate(authority.leaf().cert);
  expect({ subjectAltName, from: validFromDate.getTime() - wallMs, to: validToDate.getTime() - wallMs, keyUsage, ca })
    .toEqual({ subjectAltName: 'DNS:belay.belay-system.svc, DNS:belay, IP Address:127.0.0.1', from: -5 * 60_000, to: 7 * day, keyUsage: ['1.3.6.1.5.5.7.3.1'], ca: false });
  expect(isSignedBy(authority.leaf().cert, authority.trusted())).toBe(true);
});

test('a CA is for one year, and no two have the same name or number', async () => {
  const [one, other] = [new X509Certificate((await started()).trusted()), new X509Certificate((await started('other')).trusted())];
  expect([one.ca, one.validFromDate.getTime() - wallMs, one.validToDate.getTime() - wallMs]).toEqual([true, -5 * 60_000, 365 * day]);
  expect([one.subject === other.subject, one.serialNumber === other.serialNumber]).toEqual([false, false]);
});

test('a leaf is renewed at two thirds of its life, and whoever serves it is told', async () => {
  const authority = await started();
  const first = authority.leaf();
  let told = 0;
  authority.onChange(() => { told++; });
  wallMs += 4.6 * day;
  await tick();
  expect([authority.leaf(), told]).toEqual([first, 0]);
  wallMs += 0.1 * day;
  await tick();
  await until(() => told > 0);
  expect(authority.leaf()).not.toEqual(first);
  expect(isSignedBy(authority.leaf().cert, authority.trusted())).toBe(true);
});

test('at two thirds of its life a CA gets another beside it, which signs ten minutes after it has been published', async () => {
  const authority = await started();
  const before = authority.trusted();
  wallMs += 244 * day;
  await tick();
  await until(() => certificatesOf(authority.trusted()).length === 2);
  expect(isSignedBy(authority.leaf().cert, before)).toBe(true);
  wallMs += day;
  await tick();
  expect(isSignedBy(authority.leaf().cert, before)).toBe(true);
  authority.notePublished(authority.trusted());
  await until(() => lines.some(({ event }) => event === 'authority-published'));
  wallMs += 9 * 60_000;
  await tick();
  expect(isSignedBy(authority.leaf().cert, before)).toBe(true);
  wallMs += 60_000;
  await tick();
  await until(() => lines.some(({ event }) => event === 'authority-rotated'));
  await until(() => !isSignedBy(authority.leaf().cert, before));
  expect(certificatesOf(authority.trusted())[1]).toBe(before);
  wallMs += 8 * day;
  await tick();
  await until(() => certificatesOf(authority.trusted()).length === 1);
  expect(isSignedBy(authority.leaf().cert, authority.trusted())).toBe(true);
});

test('a CA that expired while nobody ran is replaced at once', async () => {
  const first = await started();
  const before = first.trusted();
  await first.close();
  wallMs += 366 * day;
  const authority = await started();
  await until(() => authority.trusted() !== before && isSignedBy(authority.leaf().cert, authority.trusted()));
  expect(certificatesOf(authority.trusted())).toHaveLength(1);
});

describe('while the API server refuses', () => {
  test('to store a CA, it is said once and tried again', async () => {
    client.refuseWrites('secrets is forbidden');
    const authority = join();
    await until(() => lines.length > 0);
    for (let tries = 0; tries < 10; tries++) await tick();
    expect(lines.map(({ level, message }) => [level, message])).toEqual([['error', 'secrets is forbidden']]);
    expect([authority.trusted(), () => authority.leaf()]).toEqual(['', expect.any(Function)]);
    client.refuseWrites(null);
    await tick();
    await authority.ready;
    expect(authority.trusted()).not.toBe('');
  });

  test('to store it again after it was deleted, what was served is served on', async () => {
    const authority = await started();
    const [served, { data }] = [authority.trusted(), client.read('belay-ca') as SecretObject];
    client.refuseWrites('the namespace is being terminated');
    client.put('belay-ca', null);
    await until(() => lines.some(({ level }) => level === 'error'));
    wallMs += 6 * day;
    await tick();
    expect(authority.trusted()).toBe(served);
    client.refuseWrites(null);
    await tick();
    await until(() => client.read('belay-ca') !== undefined);
    expect((client.read('belay-ca') as SecretObject).data).toEqual(data);
  });
});

describe('a Secret that cannot be read', () => {
  test.each<[string, Record<string, string>, string]>([
    ['has no certificate', { 'tls.crt': '' }, 'tls.crt: must hold one certificate in PEM, and holds 0'],
    ['has some other text', { 'tls.crt': 'hello' }, 'tls.crt: must be a certificate in PEM'],
    ['has a broken certificate', { 'tls.crt': '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----' }, 'tls.crt: must be a certificate in PEM, and cannot be read'],
    ['has no key', { 'tls.key': '' }, 'tls.key: must be a private key in PEM'],
    ['has half of the next CA', { 'next.crt': '' }, 'next.crt: must hold one certificate in PEM, and holds 0'],
    ['has garbage among the old ones', { 'old.crt': 'hello' }, 'old.crt: must be a certificate in PEM'],
  ])('for it %s', async (_, change, problem) => {
    await (await started('good')).close();
    const good = client.read('good') as SecretObject;
    const data = { ...good.data, ...Object.fromEntries(Object.entries(change).map(([key, text]) => [key, Buffer.from(text).toString('base64')])) };
    client.put('belay-ca', { ...good, metadata: { name: 'belay-ca', namespace: 'belay-system' }, data } as SecretObject);
    lines = [];
    const authority = join();
    await until(() => lines.length > 0);
    for (let tries = 0; tries < 5; tries++) await tick();
    expect(lines.map(({ level, message }) => [level, message])).toEqual([['error', `Secret belay-ca in namespace belay-system: ${problem}. Put it right, or delete the Secret and Belay makes a new one.`]]);
    expect(authority.trusted()).toBe('');
    client.put('belay-ca', null);
    await authority.ready;
  });

  test('for its key is another\'s', async () => {
    await (await started('good')).close();
    await (await started('other')).close();
    const [good, other] = [client.read('good') as SecretObject, client.read('other') as SecretObject];
    client.put('belay-ca', { ...good, metadata: { name: 'belay-ca', namespace: 'belay-system' }, data: { ...good.data, 'tls.key': other.data?.['tls.key'] ?? '' } } as SecretObject);
    join();
    await until(() => lines.some(({ message }) => message.includes('tls.key: is not the key of tls.crt')));
  });
});

function join(secretName = 'belay-ca'): Authority {
  const authority = createAuthority({
    client: only(secretName), clock, wallClock: () => wallMs, random: () => 0, log: (line) => lines.push(line), namespace: 'belay-system', secretName,
    dnsNames: ['belay.belay-system.svc', 'belay'], ipAddresses: ['127.0.0.1'],
  });
  open.push(authority);
  return authority;
}

async function started(secretName?: string): Promise<Authority> {
  const authority = join(secretName);
  await authority.ready;
  return authority;
}

/** The collection as a field selector shows it. */
function only(secretName: string): MemoryClient {
  return {
    ...client,
    list: async (place, query, signal) => {
      const page = await client.list(place, query, signal);
      return { ...page, items: (page.items ?? []).filter(({ metadata }) => metadata.name === secretName) } as never;
    },
  };
}

/** The next look at the wall clock, and time for the cryptography that runs beside it. */
async function tick(): Promise<void> {
  client.bookmark();
  await passTime(clock, 60_000);
  for (let turn = 0; turn < 20; turn++) await setImmediate();
}

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 20_000; turn++) {
    if (condition()) return;
    await setImmediate();
  }
  throw new Error(`did not come true: ${condition.toString()}`);
}
