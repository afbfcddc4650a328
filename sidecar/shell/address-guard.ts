import { lookup as resolve, type LookupAddress, type LookupOptions } from 'node:dns';
import { BlockList, isIP } from 'node:net';
import type { ProviderEntry } from '@belay/contract';
import { AddressRefused } from './failure-from-node.ts';
import { isLoopbackHost } from './web-guard.ts';

/**
 * What is never dialled (control-plane.md, promise 7): link-local (RFC 3927, RFC 4291), multicast, unspecified and
 * broadcast addresses, and the metadata addresses of clouds that lie outside link-local.
 */
const refused = new BlockList();
refused.addSubnet('169.254.0.0', 16, 'ipv4');
refused.addSubnet('224.0.0.0', 4, 'ipv4');
refused.addSubnet('0.0.0.0', 8, 'ipv4');
refused.addAddress('255.255.255.255', 'ipv4');
refused.addAddress('100.100.100.200', 'ipv4');
refused.addAddress('168.63.129.16', 'ipv4');
refused.addAddress('192.0.0.192', 'ipv4');
refused.addSubnet('fe80::', 10, 'ipv6');
refused.addSubnet('ff00::', 8, 'ipv6');
refused.addAddress('::', 'ipv6');
refused.addAddress('fd00:ec2::254', 'ipv6');
refused.addSubnet('64:ff9b::a9fe:0', 112, 'ipv6');

/** True for an address that Belay does not dial; also in its IPv4-mapped form. */
export function isRefusedAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 0) return false;
  return refused.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

type LookupDone = (error: Error | null, address: string | LookupAddress[], family?: number) => void;

/** `dns.lookup` that answers an error where any address of the name is one that Belay does not dial. */
export function guardedLookup(hostname: string, options: LookupOptions, done: LookupDone): void {
  resolve(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return done(error, []);
    const bad = addresses.find(({ address }) => isRefusedAddress(address));
    if (bad !== undefined) return done(new AddressRefused(`${hostname} resolves to ${bad.address}, a link-local, metadata or multicast address`), []);
    const first = addresses[0];
    if (options.all === true || first === undefined) return done(null, addresses);
    done(null, first.address, first.family);
  });
}

/**
 * Why this URL of a provider is not dialled: plain http to more than loopback (standalone), a cluster Service or where
 * `allowInsecureHTTP` says so, or a refused address written out. null: it may be.
 */
export function addressProblem(url: URL, provider: ProviderEntry, standalone: boolean): string | null {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isRefusedAddress(host)) return `${host} is a link-local, metadata or multicast address`;
  if (url.protocol === 'https:') return null;
  if (url.protocol !== 'http:') return `${url.protocol}// is no protocol of a model provider: use https`;
  if (provider.allowInsecureHTTP || provider.address.startsWith('local:') || (provider.inCluster && isServiceHost(host))) return null;
  if (standalone && isLoopbackHost(url.hostname)) return null;
  return `plain http to ${host} is not allowed: use https, or set allowInsecureHTTP`;
}

/** `NAME.NAMESPACE.svc` and `NAME.NAMESPACE.svc.CLUSTERDOMAIN`; which domain is the cluster's, the operator knows (`inCluster`). */
export function isServiceHost(host: string): boolean {
  return /\.svc(\.[a-z0-9-]+)*$/i.test(host);
}
