import { Secret, type KeyEntry } from '@belay/contract';
import { requiredKeys, type RequiredKey } from '@belay/operator/core/compile/required-keys.ts';
import type { CompileTools, Snapshot } from '@belay/operator/core/compile/snapshot.ts';
import type { ManifestProblem } from './manifest-problem.ts';
import type { ManifestResource } from './read-manifests.ts';
import { findSecret, secretValue } from './secrets.ts';

export interface ResolvedKeys {
  readonly keys: readonly KeyEntry[];
  /**
   * Warning `SecretNotFound`: no key, its targets wait for one. Errors: `SecretKeyMissing` (the Secret in the files has no
   * such key), `SecretKeyInvalid` (no header can carry it). No value is ever printed.
   */
  readonly problems: readonly ManifestProblem[];
}

export interface KeySources {
  /** Everything that the files hold: Secrets, and the providers for their positions. */
  readonly resources: readonly ManifestResource[];
  readonly snapshot: Snapshot;
  readonly tools: CompileTools;
  readonly env: { readonly [name: string]: string | undefined };
}

type Found = { readonly text: string; readonly from: string } | { readonly path: string; readonly reason: string; readonly message: string; readonly severity: 'error' | 'warning' };

/**
 * The key of each provider that names credentials: from its Secret in the files, else from `BELAY_KEY_` + the provider's
 * name, else from the variable that its preset's own SDK reads. Keys are trimmed.
 */
export function resolveKeys(sources: KeySources): ResolvedKeys {
  const keys: KeyEntry[] = [];
  const problems: ManifestProblem[] = [];
  for (const required of requiredKeys(sources.snapshot, sources.tools)) {
    const found = checked(findKey(required, sources));
    if ('text' in found) keys.push(keyEntry(required, found.text, sources.tools));
    else problems.push(problemAt(required, found, sources));
  }
  return { keys, problems };
}

/** `BELAY_KEY_ON_PREM` for the provider on-prem, `BELAY_KEY_MODELS_ON_PREM` for the one of namespace models. */
export function keyVariableFor(provider: string): string {
  return `BELAY_KEY_${provider.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`;
}

function findKey({ provider, namespace, secretName, secretKey, keyVariable }: RequiredKey, { resources, env }: KeySources): Found {
  const secret = findSecret(resources, namespace, secretName);
  if (secret !== null) {
    const value = secretValue(secret, secretKey);
    if (value === null) return { path: 'spec.credentials.secretKeyRef.key', reason: 'SecretKeyMissing', severity: 'error', message: `Secret ${secretName} has no key ${JSON.stringify(secretKey)}: add it under stringData, or name one that it has` };
    if ('fault' in value) return { path: 'spec.credentials.secretKeyRef', reason: 'SecretKeyInvalid', severity: 'error', message: `the key ${secretKey} of Secret ${secretName} ${value.fault}` };
    return { text: value.text, from: `the key ${secretKey} of Secret ${secretName}` };
  }
  const variables = [keyVariableFor(provider), ...(keyVariable === null ? [] : [keyVariable])];
  const variable = variables.find((name) => (env[name] ?? '').trim() !== '');
  if (variable !== undefined) return { text: env[variable] ?? '', from: variable };
  return {
    path: 'spec.credentials.secretKeyRef.name', reason: 'SecretNotFound', severity: 'warning',
    message: `provider ${provider} has no key, so that its targets are left out: set ${variables.toReversed().join(' or ')}, or add the Secret ${secretName} with the key ${secretKey} to the manifests`,
  };
}

/** Printable ASCII on one line is what every header can carry (RFC 9110, section 5.5). */
function checked(found: Found): Found {
  if (!('text' in found)) return found;
  const text = found.text.trim();
  if (/^[ -~]+$/.test(text)) return { ...found, text };
  const fault = text === '' ? 'is empty' : 'holds a line break or a character beyond ASCII, which no header can carry: is it the key alone?';
  return { path: 'spec.credentials.secretKeyRef', reason: 'SecretKeyInvalid', severity: 'error', message: `${found.from} ${fault}` };
}

function keyEntry({ provider, origin }: RequiredKey, text: string, { sha256Hex }: CompileTools): KeyEntry {
  return { provider, origin, secret: new Secret(text), version: `sha256:${sha256Hex(text).slice(0, 16)}` };
}

function problemAt({ provider, namespace }: RequiredKey, found: Exclude<Found, { readonly text: string }>, { resources }: KeySources): ManifestProblem {
  const name = provider.slice(provider.indexOf('/') + 1);
  const owner = resources.findLast((one) => one.kind === 'ModelProvider' && one.namespace === namespace && one.name === name);
  const position = owner?.positionOf(found.path) ?? { line: 0, column: 0 };
  const { path, reason, message, severity } = found;
  return { path, reason, message, severity, ...position, file: owner?.file ?? '', resource: `ModelProvider ${namespace}/${name}`, hint: null };
}
