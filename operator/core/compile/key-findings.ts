import type { ModelProviderSpec } from '../resources/model-provider.ts';
import { errorFinding, type ErrorReason, type Finding } from './conditions.ts';
import type { SecretFact } from './snapshot.ts';

const keyReasons = ['SecretNotFound', 'SecretKeyMissing', 'SecretKeyInvalid', 'SecretAccessDenied'] as const satisfies readonly ErrorReason[];
type KeyReason = (typeof keyReasons)[number];

/**
 * What is wrong with the key that a provider of `namespace` names. A Secret is always read in its provider's own namespace (control-plane:
 * Security promises, 3); one of which nothing is known yet is not judged.
 */
export function keyFindings({ credentials }: ModelProviderSpec, namespace: string, secrets: readonly SecretFact[]): readonly Finding[] {
  if (credentials === undefined) return [];
  const { name, key } = credentials.secretKeyRef;
  const secret = secrets.find((fact) => fact.namespace === namespace && fact.name === name);
  if (secret === undefined) return [];
  if (secret.state === 'missing') return finding('SecretNotFound', 'name', `there is no Secret "${name}" in namespace ${namespace}: create it with the key ${key}`);
  if (secret.state === 'denied') {
    return finding('SecretAccessDenied', 'name', `the operator may not read Secret "${name}" in namespace ${namespace}: add the namespace to the chart's secretNamespaces, or bind its service account to a role that may get, list and watch this Secret (${secret.message})`);
  }
  const state = Object.hasOwn(secret.keys, key) ? secret.keys[key] : undefined;
  if (state === 'present') return [];
  if (state === 'invalid') {
    return finding('SecretKeyInvalid', 'key', `key "${key}" of Secret "${name}" is empty or holds a character that no header can carry: it must be the provider's key alone, in visible ASCII on one line`);
  }
  const others = Object.keys(secret.keys).sort();
  return finding('SecretKeyMissing', 'key', `Secret "${name}" has no key "${key}": ${others.length === 0 ? 'it has no keys' : `it has ${others.join(', ')}`}`);
}

/** The table never depends on a Secret: a key that is not there keeps its targets waiting for it, and takes nothing out. */
export function isKeyFinding({ reason }: Finding): boolean {
  return (keyReasons as readonly string[]).includes(reason);
}

function finding(reason: KeyReason, field: 'name' | 'key', message: string): readonly Finding[] {
  return [errorFinding('ResolvedRefs', reason, `spec.credentials.secretKeyRef.${field}`, message)];
}
