/** Where a host is, as far as its name says. */
export type HostPlace = 'Loopback' | 'Service' | 'Private' | 'Public';

const loopback = /^(localhost|.+\.localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/;
/** RFC 1918, RFC 6598, RFC 3927; RFC 4193 and link-local of IPv6; names that only a private network resolves (RFC 6762, RFC 8375, ICANN's .internal). */
const privateAddress = /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|169\.254\.)\d|^\[(f[cd][0-9a-f]{2}|fe[89ab][0-9a-f]):/;
const privateName = /^[^.[\]]+$|\.(internal|local|lan|home\.arpa)$/;

/**
 * Where a URL's hostname (lower case, IPv6 in brackets) is. A Service is a name that ends in `.svc` or `.svc.` + the cluster's domain; any other
 * name below `.svc.` is somebody else's.
 */
export function hostPlace(hostname: string, clusterDomain: string): HostPlace {
  if (loopback.test(hostname)) return 'Loopback';
  if (hostname.endsWith('.svc') || hostname.endsWith(`.svc.${clusterDomain}`)) return 'Service';
  return privateAddress.test(hostname) || privateName.test(hostname) ? 'Private' : 'Public';
}
