import { describe, expect, test } from '@jest/globals';
import type { ProviderEntry } from '@belay/contract';
import { addressProblem, guardedLookup, isRefusedAddress } from './address-guard.ts';

describe('addresses that are not dialled', () => {
  test.each(['169.254.169.254', '169.254.0.1', '::ffff:169.254.169.254', 'fe80::1', '224.0.0.1', 'ff02::1', '0.0.0.0', '::', '255.255.255.255', '100.100.100.200', 'fd00:ec2::254', '168.63.129.16', '64:ff9b::a9fe:a9fe'])('%s', (address) => {
    expect(isRefusedAddress(address)).toBe(true);
  });

  test.each(['127.0.0.1', '::1', '10.0.0.1', '192.168.1.1', '8.8.8.8', '2001:4860:4860::8888', '100.64.0.1', 'provider.example'])('%s is', (address) => {
    expect(isRefusedAddress(address)).toBe(false);
  });

  test.each([{ all: true }, { all: false }])('what a name resolves to is looked at too (%p)', async (options) => {
    const refused = await lookedUp('169.254.169.254', options);
    expect(refused).toMatchObject({ error: { message: '169.254.169.254 resolves to 169.254.169.254, a link-local, metadata or multicast address' } });
    expect(await lookedUp('127.0.0.1', options)).toMatchObject({ error: null, address: options.all ? [{ address: '127.0.0.1', family: 4 }] : '127.0.0.1' });
  });
});

describe('plain http', () => {
  const entry = (more: Partial<ProviderEntry> = {}): ProviderEntry => ({ address: 'http://somewhere', allowInsecureHTTP: false, ...more }) as ProviderEntry;
  test.each<[string, string, Partial<ProviderEntry>, boolean, RegExp | null]>([
    ['https goes anywhere', 'https://api.example/v1', {}, false, null],
    ['https does not go to a link-local address', 'https://[fe80::1]/v1', {}, true, /^fe80::1 is a link-local/],
    ['http goes to loopback in standalone use', 'http://127.0.0.1:8080/v1', {}, true, null],
    ['http goes to an IPv6 loopback in standalone use', 'http://[::1]:8080/v1', {}, true, null],
    ['http does not go to loopback in a pod', 'http://127.0.0.1:8080/v1', {}, false, /plain http to 127\.0\.0\.1 is not allowed/],
    ['http goes to a Service', 'http://qwen.models.svc:8000/v1', { inCluster: true }, false, null],
    ['http goes to a Service by its long name', 'http://qwen.models.svc.cluster.local/v1', { inCluster: true }, false, null],
    ['http does not go to somebody else\'s name that looks like a Service', 'http://qwen.models.svc.evil.example/v1', { inCluster: false }, false, /plain http to qwen\.models\.svc\.evil\.example is not allowed/],
    ['http does not go to a name that only holds svc', 'http://svc.example/v1', {}, false, /plain http to svc\.example is not allowed: use https, or set allowInsecureHTTP/],
    ['http goes where it is allowed', 'http://10.0.0.7:8000/v1', { allowInsecureHTTP: true }, false, null],
    ['http goes to a local tier', 'http://10.0.0.7:8000/v1', { address: 'local:qwen' }, false, null],
    ['metadata stays refused where http is allowed', 'http://169.254.169.254/v1', { allowInsecureHTTP: true }, true, /link-local, metadata or multicast/],
    ['an address in another notation is the same address', 'http://0xa9fea9fe/v1', { allowInsecureHTTP: true }, true, /169\.254\.169\.254 is a link-local/],
    ['another protocol is none', 'ftp://api.example/v1', {}, true, /use https/],
  ])('%s', (_sentence, url, more, standalone, problem) => {
    const found = addressProblem(new URL(url), entry(more), standalone);
    if (problem === null) expect(found).toBeNull();
    else expect(found).toMatch(problem);
  });
});

function lookedUp(name: string, options: { all: boolean }): Promise<{ error: Error | null; address: unknown }> {
  return new Promise((resolve) => guardedLookup(name, options, (error, address) => resolve({ error, address })));
}
