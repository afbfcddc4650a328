import { proxyExceptions, proxyVariables } from '@belay/contract';
import { noChange, type EnvironmentChange } from './application-environment.ts';
import type { Container, EnvironmentVariable } from './pod.ts';

/** The kubelet puts in the value that another variable has (Kubernetes API reference, "EnvVar"). */
const reference = /\$\(([-._a-zA-Z][-._a-zA-Z0-9]*)\)/g;
/** Names that mean something else to a sidecar. */
const reserved = /^(BELAY_|NODE_)/;

/**
 * The proxy by which a sidecar reaches providers outside the cluster: that of the first container that sets one, after injection, with its exceptions
 * and the variables that they refer to. Where applications need a proxy, what sends for them does (control-plane: Security promises, 7).
 */
export function sidecarProxy(containers: readonly Container[], changes: readonly EnvironmentChange[]): readonly EnvironmentVariable[] {
  const usable = containers.map(({ env = [] }, index) => usableOf(lastOfEach(changed(env, changes[index]))));
  return usable.find((variables) => variables.some(({ name, value, valueFrom }) => proxyVariables.includes(name) && (valueFrom !== undefined || (value ?? '') !== ''))) ?? [];
}

function changed(env: readonly EnvironmentVariable[], { added, replaced }: EnvironmentChange = noChange): readonly EnvironmentVariable[] {
  const values = new Map(replaced.map(({ index, value }) => [index, value]));
  return [...env.map((entry, index) => (values.has(index) ? { ...entry, value: values.get(index) ?? '' } : entry)), ...added];
}

/** By name, in the order of their last places: a variable may refer to those before it. */
function lastOfEach(env: readonly EnvironmentVariable[]): ReadonlyMap<string, EnvironmentVariable> {
  const last = new Map<string, EnvironmentVariable>();
  for (const entry of env) {
    last.delete(entry.name);
    last.set(entry.name, entry);
  }
  return last;
}

function usableOf(env: ReadonlyMap<string, EnvironmentVariable>): readonly EnvironmentVariable[] {
  const names = new Set([...proxyVariables, ...proxyExceptions].flatMap((name) => withReferences(env, name)));
  return [...env.values()].filter(({ name }) => names.has(name));
}

/** This variable, and what its value refers to, however far; empty where one of them cannot be carried over, as those of `envFrom`. */
function withReferences(env: ReadonlyMap<string, EnvironmentVariable>, name: string): readonly string[] {
  const found = new Set([name]);
  for (const one of found) {
    const entry = env.get(one);
    if (entry === undefined || reserved.test(one)) return [];
    for (const [, other = ''] of (entry.value ?? '').replaceAll('$$', '').matchAll(reference)) found.add(other);
  }
  return [...found];
}
