import { parsed, schemaVersion, type ChainEntry, type Parsed, type Problem, type ProviderEntry, type RoutingTable, type TargetEntry } from '@belay/contract';
import { field, flag, list, name, oneOf, orNull, refuse, share, text, whole, type Shape } from './table-shape.ts';

/** Longest time a timer may be set to: beyond 2³¹ ms Node fires at once. */
const longestMs = 2_147_483_647;
/** A cluster's latency is never below this: a budget of zero would give every target up at once. */
const shortestMs = 1;

/**
 * A routing table as it came, from a file or over the wire: a fresh copy with the known fields alone, every number
 * checked, or every problem with its path. Unknown fields are ignored, since controller and sidecar may be two minor
 * versions apart.
 */
export function parseRoutingTable(input: unknown): Parsed<RoutingTable> {
  const problems: Problem[] = [];
  const shape: Shape = { path: '', value: input, problems };
  const version = field(shape, 'schemaVersion');
  if (version.value !== schemaVersion) refuse(version, `${schemaVersion}, the schema version this sidecar reads`);
  const table: RoutingTable = {
    schemaVersion,
    version: name(field(shape, 'version')),
    namespace: text(field(shape, 'namespace')),
    providers: list(field(shape, 'providers'), provider),
    chains: list(field(shape, 'chains'), chain),
  };
  return problems.length === 0 ? parsed(table) : { ok: false, problems };
}

function provider(shape: Shape): ProviderEntry {
  const timeouts = field(shape, 'timeouts');
  const timeout = (which: string): number | null => orNull(field(timeouts, which), (ms) => whole(ms, shortestMs, longestMs));
  return {
    name: name(field(shape, 'name')),
    preset: orNull(field(shape, 'preset'), name),
    dialect: oneOf(field(shape, 'dialect'), ['OpenAI']),
    address: address(field(shape, 'address')),
    inCluster: flag(field(shape, 'inCluster')),
    allowInsecureHTTP: flag(field(shape, 'allowInsecureHTTP')),
    needsKey: flag(field(shape, 'needsKey')),
    suspended: flag(field(shape, 'suspended')),
    failureDomain: name(field(shape, 'failureDomain')),
    cancellation: oneOf(field(shape, 'cancellation'), ['StopsBilling', 'RunsOn', 'Unknown']),
    timeouts: { connectMs: timeout('connectMs'), firstContentMs: timeout('firstContentMs'), idleMs: timeout('idleMs') },
    headers: list(field(shape, 'headers'), (header) => ({ name: name(field(header, 'name')), value: text(field(header, 'value')) })),
    caCertificates: list(field(shape, 'caCertificates'), text),
    concurrency: orNull(field(shape, 'concurrency'), (count) => whole(count, 1, Number.MAX_SAFE_INTEGER)),
  };
}

function address(shape: Shape): string {
  if (typeof shape.value === 'string' && /^(https?:\/\/[^\s/]+(\/\S*[^\s/])?|local:[^\s/]+)$/.test(shape.value)) return shape.value;
  refuse(shape, 'an http(s) URL without a trailing slash, or local:NAME');
  return '';
}

function chain(shape: Shape): ChainEntry {
  const race = field(shape, 'race');
  return {
    name: name(field(shape, 'name')),
    modelNames: list(field(shape, 'modelNames'), name),
    fallbackMode: oneOf(field(shape, 'fallbackMode'), ['Sequential', 'Race']),
    latencyBudgetMs: orNull(field(shape, 'latencyBudgetMs'), (ms) => whole(ms, shortestMs, longestMs)),
    deadlineMs: whole(field(shape, 'deadlineMs'), shortestMs, longestMs),
    retries: whole(field(shape, 'retries'), 0, 3),
    egress: oneOf(field(shape, 'egress'), ['Any', 'ClusterOnly']),
    targets: list(field(shape, 'targets'), target),
    race: {
      prefer: oneOf(field(race, 'prefer'), ['Primary', 'First']),
      hedgeDelayMs: orNull(field(race, 'hedgeDelayMs'), (ms) => whole(ms, 0, longestMs)),
      extraRequests: share(field(race, 'extraRequests')),
    },
    rateLimitWaitUpToMs: whole(field(shape, 'rateLimitWaitUpToMs'), 0, longestMs),
    unroutable: orNull(field(shape, 'unroutable'), text),
  };
}

function target(shape: Shape): TargetEntry {
  return {
    name: name(field(shape, 'name')),
    provider: name(field(shape, 'provider')),
    model: name(field(shape, 'model')),
    tier: oneOf(field(shape, 'tier'), ['Primary', 'IntraProvider', 'InterProvider', 'OpenModel', 'Local']),
    contextTokens: orNull(field(shape, 'contextTokens'), (count) => whole(count, 1, Number.MAX_SAFE_INTEGER)),
    suspended: flag(field(shape, 'suspended')),
  };
}
