import { parsed, refused, type Parsed, type Problem } from './problem.ts';
import { schemaVersion, type ChainEntry, type ProviderEntry, type RoutingTable, type TargetEntry } from './routing-table.ts';
import { describeValue, field, flag, isObject, list, name, object, oneOf, orNull, refuse, share, text, whole, type Shape } from './table-shape.ts';

/** Longest time a timer may be set to: beyond 2³¹ ms Node fires at once. */
const longestMs = 2_147_483_647;
/** A cluster's latency is never below this: a budget of zero would give every target up at once. */
const shortestMs = 1;

/**
 * A routing table as it came, from a file or over the wire: a fresh copy with the known fields alone, every number checked, or every problem with
 * its path. Unknown fields are ignored and a missing field that may be null counts as null, since compiler and reader may be two minor versions
 * apart; a table of another schemaVersion is refused as a whole, for its fields may mean something else. Whether its entries fit together is for
 * whoever compiles it. Never throws.
 */
export function parseRoutingTable(input: unknown): Parsed<RoutingTable> {
  if (!isObject(input)) return refused('', `a routing table must be a JSON object, not ${describeValue(input)}`);
  if (input['schemaVersion'] !== schemaVersion) {
    return refused('schemaVersion', `must be ${schemaVersion}, the schema version that this release reads, not ${describeValue(input['schemaVersion'])}`);
  }
  const problems: Problem[] = [];
  const shape: Shape = { path: '', value: input, problems };
  const table: RoutingTable = {
    schemaVersion,
    version: name(field(shape, 'version')),
    namespace: name(field(shape, 'namespace')),
    providers: list(field(shape, 'providers'), (element) => object(element, provider)),
    chains: list(field(shape, 'chains'), (element) => object(element, chain)),
  };
  return problems.length === 0 ? parsed(table) : { ok: false, problems };
}

function provider(shape: Shape): ProviderEntry {
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
    timeouts: object(field(shape, 'timeouts'), (timeouts) => ({
      connectMs: timeout(field(timeouts, 'connectMs')),
      firstContentMs: timeout(field(timeouts, 'firstContentMs')),
      idleMs: timeout(field(timeouts, 'idleMs')),
    })),
    headers: list(field(shape, 'headers'), (element) => object(element, (header) => ({ name: name(field(header, 'name')), value: text(field(header, 'value')) }))),
    caCertificates: list(field(shape, 'caCertificates'), text),
    concurrency: orNull(field(shape, 'concurrency'), count),
  };
}

function chain(shape: Shape): ChainEntry {
  return {
    name: name(field(shape, 'name')),
    modelNames: list(field(shape, 'modelNames'), name),
    fallbackMode: oneOf(field(shape, 'fallbackMode'), ['Sequential', 'Race']),
    latencyBudgetMs: timeout(field(shape, 'latencyBudgetMs')),
    deadlineMs: whole(field(shape, 'deadlineMs'), shortestMs, longestMs),
    retries: whole(field(shape, 'retries'), 0, 3),
    egress: oneOf(field(shape, 'egress'), ['Any', 'ClusterOnly']),
    targets: list(field(shape, 'targets'), (element) => object(element, target)),
    race: object(field(shape, 'race'), (race) => ({
      prefer: oneOf(field(race, 'prefer'), ['Primary', 'First']),
      hedgeDelayMs: orNull(field(race, 'hedgeDelayMs'), (ms) => whole(ms, 0, longestMs)),
      extraRequests: share(field(race, 'extraRequests')),
    })),
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
    contextTokens: orNull(field(shape, 'contextTokens'), count),
    suspended: flag(field(shape, 'suspended')),
  };
}

function address(shape: Shape): string {
  if (typeof shape.value === 'string' && /^(https?:\/\/[^\s/]+(\/\S*[^\s/])?|local:[^\s/]+(\/[^\s/]+)?)$/.test(shape.value)) return shape.value;
  refuse(shape, 'an http(s) URL without a trailing slash, local:NAME, or local:NAMESPACE/NAME');
  return '';
}

function timeout(shape: Shape): number | null {
  return orNull(shape, (ms) => whole(ms, shortestMs, longestMs));
}

function count(shape: Shape): number {
  return whole(shape, 1, Number.MAX_SAFE_INTEGER);
}
