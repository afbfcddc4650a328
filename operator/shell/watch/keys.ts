import { Secret, type KeyEntry } from '@belay/contract';
import { createHash } from 'node:crypto';
import type { RequiredKey } from '../../core/compile/required-keys.ts';
import type { SecretFact } from '../../core/compile/snapshot.ts';
import type { NamedObject, ObjectState } from './named-objects.ts';

export interface Keys {
  readonly keys: readonly KeyEntry[];
  /** Each Secret once. One that nobody has answered for yet has no fact, and is not judged. */
  readonly secrets: readonly SecretFact[];
}

/**
 * The keys that are there to be delivered, each for its provider's origin alone, and what is to be said of their Secrets. A key is trimmed; one that
 * no header can carry (RFC 9110, 5.5) is left out. Its version is made of the Secret's uid and resourceVersion and of names, never of the key.
 */
export function keysOf(required: readonly RequiredKey[], secretState: (key: RequiredKey) => ObjectState): Keys {
  const keys: KeyEntry[] = [];
  const secrets = new Map<string, SecretFact>();
  for (const key of required) {
    const state = secretState(key);
    const value = state.kind === 'found' ? valueOf(state.object, key.secretKey) : null;
    if (state.kind === 'found' && value !== null && isHeaderValue(value)) {
      keys.push({ provider: key.provider, origin: key.origin, secret: new Secret(value), version: versionOf(state.object, key.secretKey) });
    }
    const place = `${key.namespace}/${key.secretName}`;
    const fact = factOf(state, key, secrets.get(place));
    if (fact !== null) secrets.set(place, fact);
  }
  return { keys, secrets: [...secrets.values()] };
}

function factOf(state: ObjectState, { namespace, secretName: name, secretKey }: RequiredKey, before: SecretFact | undefined): SecretFact | null {
  switch (state.kind) {
    case 'unknown': return null;
    case 'missing': return { namespace, name, state: 'missing' };
    case 'denied': return { namespace, name, state: 'denied', message: state.message };
    case 'found': {
      const value = valueOf(state.object, secretKey);
      const known = before?.state === 'found' ? before.keys : Object.fromEntries(Object.keys(state.object.data ?? {}).map((key) => [key, 'present' as const]));
      return { namespace, name, state: 'found', keys: value === null || isHeaderValue(value) ? known : { ...known, [secretKey]: 'invalid' } };
    }
  }
}

/** Latin-1 keeps every byte a character: what was not ASCII is seen, and refused. */
function valueOf({ data }: NamedObject, key: string): string | null {
  const encoded = data !== undefined && Object.hasOwn(data, key) ? data[key] : undefined;
  return encoded === undefined ? null : Buffer.from(encoded, 'base64').toString('latin1').replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '');
}

/** Visible ASCII, with spaces inside at most; other bytes are allowed by some servers and mangled by others. */
function isHeaderValue(value: string): boolean {
  return /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(value);
}

function versionOf({ metadata: { namespace, name, uid, resourceVersion } }: NamedObject, key: string): string {
  return createHash('sha256').update(JSON.stringify([namespace, name, uid, resourceVersion, key])).digest('hex').slice(0, 16);
}
