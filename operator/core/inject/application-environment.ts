import { applicationPort, proxyExceptions } from '@belay/contract';
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
/** By which programs learn of a proxy for plain HTTP, as the sidecar's address is. */
const httpProxyVariables = ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy'];
const loopbackHosts = ['127.0.0.1', 'localhost'];
export const noChange: EnvironmentChange = { added: [], replaced: [], notices: [] };

/**
 * Variables that lead a container's SDKs to the sidecar. What the container sets stays, but for NO_PROXY: beside a proxy it gains loopback.
 * An empty value sets nothing: templates leave them behind, and SDKs stumble over them. `env` overrides `envFrom`, whose names a pod does not show.
 */
export function environmentChange(container: Container, mode: Injection['environment']): EnvironmentChange {
  if (mode === 'None') return noChange;
  const hidden = (container.envFrom ?? []).length > 0;
  const changes = [addressChange(container, hidden && mode === 'WithoutEnvFrom'), loopbackExceptions(container, hidden)];
  return { added: changes.flatMap(({ added }) => added), replaced: changes.flatMap(({ replaced }) => replaced), notices: changes.flatMap(({ notices }) => notices) };
}

/** A container that names another address keeps its own key, wherever that comes from. `alone`: what it does not name, `envFrom` may. */
function addressChange({ name: container, env = [] }: Container, alone: boolean): EnvironmentChange {
  const current = variable(env, baseUrl.name);
  const isSet = current !== undefined && !isEmpty(current);
  if (isSet && !leadsToSidecar(current)) return { ...noChange, notices: [passingByNotice(container)] };
  if (alone) return isSet ? noChange : { ...noChange, notices: [leftAloneNotice(container)] };
  const wanted = [baseUrl, placeholderKey].map((entry) => ({ entry, index: env.findLastIndex(({ name }) => name === entry.name) }));
  return {
    added: wanted.flatMap(({ entry, index }) => (index === -1 ? [entry] : [])),
    replaced: wanted.flatMap(({ entry: { value }, index }) => (isEmpty(env[index]) ? [{ index, value }] : [])),
    notices: [],
  };
}

function passingByNotice(container: string): string {
  return `container ${container} sets ${baseUrl.name} itself, so its requests pass the sidecar by: take that variable away, or annotate belay.dev/inject-env "false" where it is meant`;
}

function leftAloneNotice(container: string): string {
  return `container ${container} takes variables from envFrom, so ${baseUrl.name} was not set in it: annotate belay.dev/inject-env "true" to set it over what envFrom may bring, or "false" to leave every container alone`;
}

function isEmpty(entry: EnvironmentVariable | undefined): boolean {
  return entry !== undefined && entry.valueFrom === undefined && (entry.value ?? '').trim() === '';
}

/** However it is spelled: `localhost`, a slash at the end. */
function leadsToSidecar({ value = '' }: EnvironmentVariable): boolean {
  return loopbackHosts.some((host) => `${value.trim().toLowerCase()}/`.startsWith(`http://${host}:${applicationPort}/`));
}

function loopbackExceptions(container: Container, hidden: boolean): EnvironmentChange {
  const env = container.env ?? [];
  const missing = proxyExceptions.filter((name) => variable(env, name) === undefined);
  const written = proxyExceptions.map((name) => env.findLastIndex((entry) => entry.name === name)).sort((one, other) => one - other)
    .flatMap((index) => { const entry = env[index]; return entry === undefined ? [] : [{ index, entry }]; });
  if (!httpProxyVariables.map((name) => variable(env, name)).some((entry) => entry !== undefined && !isEmpty(entry))) {
    return { ...noChange, notices: hidden && !written.some(({ entry }) => coversLoopback(entry)) ? [hiddenNotice(container.name)] : [] };
  }
  const replaced = written.filter(({ entry }) => entry.valueFrom === undefined && !coversLoopback(entry)).map(({ index, entry }) => ({ index, value: withLoopback(entry) }));
  if (written.some(({ entry }) => entry.valueFrom !== undefined) || (hidden && missing.length > 0)) {
    return { added: [], replaced, notices: [hiddenNotice(container.name)] };
  }
  // Programs read the one or the other: a missing one says what the written one does.
  const value = withLoopback(written.at(-1)?.entry ?? { name: '' });
  return { added: missing.map((name) => ({ name, value })), replaced, notices: [] };
}

function hiddenNotice(container: string): string {
  return `container ${container} may take a proxy, or exceptions from it, from envFrom or valueFrom, which injection cannot see: where it sets HTTP_PROXY, add ${loopbackHosts.join(',')} to its NO_PROXY and no_proxy; a proxy that the sidecar needs, too, must stand in env`;
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
