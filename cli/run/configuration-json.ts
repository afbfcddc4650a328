import { Secret, type KeyEntry } from '@belay/contract';
import type { Configuration, LoadedConfiguration } from './configuration.ts';

type PlainKey = Omit<KeyEntry, 'secret'> & { readonly secret: string };

/** A loaded configuration as text, its keys in the clear: for a pipe between two processes of one user, and nothing else. */
export function configurationToJSON(loaded: LoadedConfiguration): string {
  if (!loaded.ok) return JSON.stringify(loaded);
  const keys = loaded.value.keys.map((key): PlainKey => ({ ...key, secret: key.secret.reveal() }));
  return JSON.stringify({ ok: true, value: { ...loaded.value, keys } });
}

/** What `configurationToJSON` wrote; its keys cannot be printed any more. */
export function configurationFromJSON(text: string): LoadedConfiguration {
  const loaded = JSON.parse(text) as { ok: false; problems: readonly string[] } | { ok: true; value: Omit<Configuration, 'keys'> & { readonly keys: readonly PlainKey[] } };
  if (!loaded.ok) return loaded;
  const keys = loaded.value.keys.map(({ secret, ...key }) => ({ ...key, secret: new Secret(secret) }));
  return { ok: true, value: { ...loaded.value, keys } };
}
