import { applicationPort } from '@belay/contract';
import type { Injection } from './parse-injection.ts';
import type { Container, EnvironmentVariable } from './pod.ts';

/** What one container's environment becomes, and what could not be done for it. */
export interface EnvironmentChange {
  readonly added: readonly EnvironmentVariable[];
  /** By its place in `env`. */
  readonly replaced: readonly { readonly index: number; readonly value: string }[];
  readonly notices: readonly string[];
}

const baseUrl = { name: 'OPENAI_BASE_URL', value: `http://127.0.0.1:${applicationPort}/v1` };
/** SDKs of the dialect refuse to start without one; the sidecar never sends it on. */
const placeholderKey = { name: 'OPENAI_API_KEY', value: 'belay' };
const proxyVariables = ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy'];
const exceptionVariables = ['NO_PROXY', 'no_proxy'];
const loopbackHosts = ['127.0.0.1', 'localhost'];

/**
 * Variables that lead a container's SDKs to the sidecar. What the container sets stays, but for NO_PROXY: beside a proxy it gains loopback.
 * `env` overrides `envFrom`, whose names a pod does not show.
 */
export function environmentChange(container: Container, mode: Injection['environment']): EnvironmentChange {
  if (mode === 'None') return { added: [], replaced: [], notices: [] };
  const hidden = (container.envFrom ?? []).length > 0;
  const address = hidden && mode === 'WithoutEnvFrom'
    ? { added: [], notices: [`container ${container.name} takes variables from envFrom, so ${baseUrl.name} was not set in it: annotate belay.dev/inject-env "true" to set it over what envFrom may bring, or "false" to leave every container alone`] }
    : { added: addressVariables(container.env ?? []), notices: [] };
  const exceptions = proxyExceptions(container, hidden);
  return { added: [...address.added, ...exceptions.added], replaced: exceptions.replaced, notices: [...address.notices, ...exceptions.notices] };
}

/** A container that names another address keeps its own key, wherever that comes from. */
function addressVariables(env: readonly EnvironmentVariable[]): readonly EnvironmentVariable[] {
  const current = variable(env, baseUrl.name);
  if (current !== undefined && current.value !== baseUrl.value) return [];
  return [baseUrl, placeholderKey].filter(({ name }) => variable(env, name) === undefined);
}

function proxyExceptions(container: Container, hidden: boolean): EnvironmentChange {
  const env = container.env ?? [];
  const written = env.filter(({ name }) => exceptionVariables.includes(name));
  const missing = exceptionVariables.filter((name) => variable(env, name) === undefined);
  if (!proxyVariables.some((name) => variable(env, name) !== undefined)) {
    return { added: [], replaced: [], notices: hidden && !written.some(coversLoopback) ? [hiddenNotice(container.name)] : [] };
  }
  const replaced = env.flatMap((entry, index) => (written.includes(entry) && entry.valueFrom === undefined && !coversLoopback(entry) ? [{ index, value: withLoopback(entry) }] : []));
  if (written.some(({ valueFrom }) => valueFrom !== undefined) || (hidden && missing.length > 0)) {
    return { added: [], replaced, notices: [hiddenNotice(container.name)] };
  }
  // Programs read the one or the other: a missing one says what the written one does.
  const value = withLoopback(written.at(-1) ?? { name: '' });
  return { added: missing.map((name) => ({ name, value })), replaced, notices: [] };
}

function hiddenNotice(container: string): string {
  return `container ${container} may take a proxy, or exceptions from it, from envFrom or valueFrom, which injection cannot see: where it sets HTTP_PROXY, add ${loopbackHosts.join(',')} to its NO_PROXY and no_proxy`;
}

/** The last of that name, as the kubelet takes it. */
function variable(env: readonly EnvironmentVariable[], name: string): EnvironmentVariable | undefined {
  return env.findLast((entry) => entry.name === name);
}

function coversLoopback(entry: EnvironmentVariable): boolean {
  const hosts = hostsOf(entry);
  return hosts.includes('*') || loopbackHosts.every((host) => hosts.includes(host));
}

function withLoopback(entry: EnvironmentVariable): string {
  const hosts = hostsOf(entry);
  if (coversLoopback(entry)) return entry.value ?? '';
  return [...hosts, ...loopbackHosts.filter((host) => !hosts.includes(host))].join(',');
}

function hostsOf({ value = '' }: EnvironmentVariable): readonly string[] {
  return value.split(',').map((host) => host.trim()).filter((host) => host !== '');
}
