import { apiGroup } from '@belay/contract';

/** On everything that the operator makes. */
export const managedByLabel = 'app.kubernetes.io/managed-by';
export const managedBy = 'belay';
/** The ModelProvider that a Deployment, Service or pod serves, as a label value. */
export const providerLabel = `${apiGroup}/provider`;
/** What the operator watches of Deployments, Services and pods. */
export const localTierSelector = `${managedByLabel}=${managedBy},${providerLabel}`;
export const localTierPort = 8080;

const prefix = 'belay-local-';
const longestLabel = 63;

/**
 * Name of a provider's Deployment and Service: a DNS label (RFC 1035) that begins with a letter. Providers are named by DNS subdomains of up to
 * 253 characters: one that fits in as it stands keeps its name, any other ends in a hash, so that no two meet.
 */
export function localTierName(provider: string): string {
  const plain = `${prefix}${provider}`;
  if (plain.length <= longestLabel && !provider.includes('.')) return plain;
  const hash = fingerprint(provider);
  const room = longestLabel - prefix.length - hash.length - 1;
  return `${prefix}${provider.replaceAll('.', '-').slice(0, room).replace(/-+$/, '')}-${hash}`;
}

/** Value of the provider label: the provider's name, where a label can hold it. */
export function providerLabelValue(provider: string): string {
  return provider.length <= longestLabel ? provider : localTierName(provider);
}

/** In-cluster base URL of a provider's server, with `/v1`. */
export function localTierAddress(namespace: string, provider: string, clusterDomain: string): string {
  return `http://${localTierName(provider)}.${namespace}.svc.${clusterDomain}:${localTierPort}/v1`;
}

/** FNV-1a of 64 bits over the text's UTF-16 code units, in base 36: tells names apart, and guards nothing. */
function fingerprint(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (let index = 0; index < text.length; index++) hash = BigInt.asUintN(64, (hash ^ BigInt(text.charCodeAt(index))) * 0x100000001b3n);
  return hash.toString(36).padStart(13, '0');
}
