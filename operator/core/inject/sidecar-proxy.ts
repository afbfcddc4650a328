import type { EnvironmentChange } from './application-environment.ts';
import type { Container, EnvironmentVariable } from './pod.ts';

/** What Node reads for a proxy. */
const proxies = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'];
const exceptions = ['NO_PROXY', 'no_proxy'];
/** The kubelet puts in the value that another variable has (Kubernetes API reference, "EnvVar"). */
const reference = /\$\(([-._a-zA-Z][-._a-zA-Z0-9]*)\)/g;
/** Names that mean something else to a sidecar. */
const reserved = /^(BELAY_|NODE_)/;

/**
 * The proxy by which a sidecar reaches providers outside the cluster: that of the first container that sets one, after injection, with its exceptions
 * and the variables that they refer to. Where applications need a proxy, what sends for them does (control-plane: Security promises, 7).
 */
export function sidecarProxy(containers: readonly Container[], changes: readonly EnvironmentChange[]): readonly EnvironmentVariable[] {
  const environments = containers.map(({ env = [] }, index) => lastOfEach(changed(env, changes[index])));
  const env = environments.find((variables) => variables.some(({ name, value, valueFrom }) => proxies.includes(name) && (valueFrom !== undefined || (value ?? '') !== ''))) ?? [];
  const names = withReferences(env, [...proxies, ...exceptions]);
  return env.filter(({ name }) => names.has(name) && !reserved.test(name));
}

function changed(env: readonly EnvironmentVariable[], change: EnvironmentChange | undefined): readonly EnvironmentVariable[] {
  const value = (index: number): string | undefined => change?.replaced.find((entry) => entry.index === index)?.value;
  return [...env.map((entry, index) => ({ ...entry, ...(value(index) === undefined ? {} : { value: value(index) ?? '' }) })), ...(change?.added ?? [])];
}

function lastOfEach(env: readonly EnvironmentVariable[]): readonly EnvironmentVariable[] {
  return env.filter(({ name }, index) => env.findLastIndex((other) => other.name === name) === index);
}

/** These names, and what their values refer to, however far. */
function withReferences(env: readonly EnvironmentVariable[], names: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>();
  const pending = [...names];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    const value = env.find((entry) => entry.name === name)?.value ?? '';
    pending.push(...Array.from(value.matchAll(reference), ([, referred = '']) => referred));
  }
  return found;
}
