import { isObject, type ManifestResource } from './read-manifests.ts';
import type { Json } from './yaml-tree.ts';

/** One value of a Secret in the files; `fault` says what is wrong with it, never what it is. */
export type SecretValue = { readonly text: string } | { readonly fault: string };

/** The Secret of that name in that namespace; the last one counts, as after `kubectl apply`. */
export function findSecret(resources: readonly ManifestResource[], namespace: string, name: string): ManifestResource | null {
  return resources.findLast((one) => one.kind === 'Secret' && one.apiVersion === 'v1' && one.namespace === namespace && one.name === name) ?? null;
}

/** A key's value: `stringData` wins over `data`, which is base64. null: the Secret has no such key. */
export function secretValue({ value }: ManifestResource, key: string): SecretValue | null {
  const plain = member(value['stringData'], key);
  if (plain !== null) return typeof plain === 'string' ? { text: plain } : { fault: 'must be text: quote it' };
  const packed = member(value['data'], key);
  if (packed === null) return null;
  const text = typeof packed === 'string' ? packed.replace(/[\r\n]/g, '') : '!';
  return /^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)
    ? { text: Buffer.from(text, 'base64').toString('utf8') }
    : { fault: 'is not base64, which data takes: write the key itself under stringData' };
}

/** Texts of a ConfigMap, as certificate authorities are read from it. */
export function configMapData({ value }: ManifestResource): { readonly [key: string]: string } {
  const { data } = value;
  if (!isObject(data)) return {};
  return Object.fromEntries(Object.entries(data).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

function member(map: Json | undefined, key: string): Json {
  return isObject(map) && Object.hasOwn(map, key) ? (map[key] ?? null) : null;
}
