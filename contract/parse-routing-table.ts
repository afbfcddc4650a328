import { parsed, refused, type Parsed, type Problem } from './problem.ts';
import { schemaVersion, type ChainEntry, type ProviderEntry, type RoutingTable, type TargetEntry } from './routing-table.ts';

/**
 * A table as it came over the wire or out of a file. Unknown fields are left out of the result (version skew: a newer compiler may write them);
 * a table of another schemaVersion is refused as a whole, for its fields may mean something else. Never throws.
 */
export function parseRoutingTable(input: unknown): Parsed<RoutingTable> {
  if (!isRecord(input)) return refused('', `a routing table must be a JSON object, not ${nameOf(input)}`);
  if (input['schemaVersion'] !== schemaVersion) {
    return refused('schemaVersion', `this program reads routing tables of schemaVersion ${schemaVersion}, not ${JSON.stringify(input['schemaVersion']) ?? 'one without it'}`);
  }
  const problems: Problem[] = [];
  const read = reader(input, '', problems);
  const table: RoutingTable = {
    schemaVersion,
    version: read.text('version'),
    namespace: read.text('namespace'),
    providers: read.list('providers', providerOf),
    chains: read.list('chains', chainOf),
  };
  if (problems.length === 0) problems.push(...dangling(table));
  return problems.length === 0 ? parsed(table) : { ok: false, problems };
}

function providerOf(read: Reader): ProviderEntry {
  return {
    name: read.text('name'),
    preset: read.textOrNull('preset'),
    dialect: read.oneOf('dialect', ['OpenAI']),
    address: read.text('address'),
    inCluster: read.flag('inCluster'),
    allowInsecureHTTP: read.flag('allowInsecureHTTP'),
    needsKey: read.flag('needsKey'),
    suspended: read.flag('suspended'),
    failureDomain: read.text('failureDomain'),
    cancellation: read.oneOf('cancellation', ['StopsBilling', 'RunsOn', 'Unknown']),
    timeouts: read.member('timeouts', (timeouts) => ({
      connectMs: timeouts.countOrNull('connectMs'),
      firstContentMs: timeouts.countOrNull('firstContentMs'),
      idleMs: timeouts.countOrNull('idleMs'),
    })),
    headers: read.list('headers', (header) => ({ name: header.text('name'), value: header.text('value') })),
    caCertificates: read.texts('caCertificates'),
    concurrency: read.countOrNull('concurrency', 1),
  };
}

function chainOf(read: Reader): ChainEntry {
  return {
    name: read.text('name'),
    modelNames: read.texts('modelNames'),
    fallbackMode: read.oneOf('fallbackMode', ['Sequential', 'Race']),
    latencyBudgetMs: read.countOrNull('latencyBudgetMs'),
    deadlineMs: read.count('deadlineMs'),
    retries: read.count('retries'),
    egress: read.oneOf('egress', ['Any', 'ClusterOnly']),
    targets: read.list('targets', targetOf),
    race: read.member('race', (race) => ({
      prefer: race.oneOf('prefer', ['Primary', 'First']),
      hedgeDelayMs: race.countOrNull('hedgeDelayMs'),
      extraRequests: race.share('extraRequests'),
    })),
    rateLimitWaitUpToMs: read.count('rateLimitWaitUpToMs'),
    unroutable: read.textOrNull('unroutable'),
  };
}

function targetOf(read: Reader): TargetEntry {
  return {
    name: read.text('name'),
    provider: read.text('provider'),
    model: read.text('model'),
    tier: read.oneOf('tier', ['Primary', 'IntraProvider', 'InterProvider', 'OpenModel', 'Local']),
    contextTokens: read.countOrNull('contextTokens', 1),
    suspended: read.flag('suspended'),
  };
}

/** Targets whose provider the table lacks. */
function dangling({ providers, chains }: RoutingTable): readonly Problem[] {
  const known = new Set(providers.map(({ name }) => name));
  return chains.flatMap(({ targets }, chain) => targets.flatMap(({ provider }, target) => (known.has(provider) ? [] : [{
    path: `chains[${chain}].targets[${target}].provider`,
    message: `must be the name of a provider of the same table, not "${provider}"`,
  }])));
}

/** Reads the members of one object. What is wrong becomes a problem with its path, and a harmless value stands in for it until the end. */
interface Reader {
  text(name: string): string;
  textOrNull(name: string): string | null;
  texts(name: string): readonly string[];
  flag(name: string): boolean;
  /** A whole number of at least `least`, by default 0. */
  count(name: string, least?: number): number;
  countOrNull(name: string, least?: number): number | null;
  /** 0 to 1. */
  share(name: string): number;
  oneOf<T extends string>(name: string, values: readonly [T, ...T[]]): T;
  member<T>(name: string, of: (read: Reader) => T): T;
  list<T>(name: string, of: (read: Reader) => T): readonly T[];
}

function reader(record: { readonly [name: string]: unknown }, path: string, problems: Problem[]): Reader {
  const at = (name: string) => (path === '' ? name : `${path}.${name}`);
  const problem = (name: string, expected: string) => {
    problems.push({ path: at(name), message: `must be ${expected}, not ${nameOf(record[name])}` });
  };
  const take = <T>(name: string, fits: (value: unknown) => value is T, expected: string, instead: T): T => {
    const value = record[name];
    if (fits(value)) return value;
    problem(name, expected);
    return instead;
  };
  const isCount = (least: number) => (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= least;
  // A problem with the whole object is said once, not for each of its members.
  const nested = (value: unknown, name: string): Reader => reader(isRecord(value) ? value : {}, at(name), isRecord(value) ? problems : []);
  return {
    text: (name) => take(name, isText, 'a text', ''),
    textOrNull: (name) => take(name, orNull(isText), 'a text or null', null),
    texts: (name) => take(name, isTexts, 'a list of texts', []),
    flag: (name) => take(name, (value) => typeof value === 'boolean', 'true or false', false),
    count: (name, least = 0) => take(name, isCount(least), `a whole number of at least ${least}`, least),
    countOrNull: (name, least = 0) => take(name, orNull(isCount(least)), `a whole number of at least ${least}, or null`, null),
    share: (name) => take(name, (value): value is number => typeof value === 'number' && value >= 0 && value <= 1, 'a number from 0 to 1', 0),
    oneOf: (name, values) => take(name, (value): value is (typeof values)[number] => (values as readonly unknown[]).includes(value), `one of ${values.join(', ')}`, values[0]),
    member: (name, of) => {
      if (!isRecord(record[name])) problem(name, 'an object');
      return of(nested(record[name], name));
    },
    list: (name, of) => take(name, Array.isArray, 'a list', []).map((item: unknown, index) => {
      const element = `${name}[${index}]`;
      if (!isRecord(item)) problems.push({ path: at(element), message: `must be an object, not ${nameOf(item)}` });
      return of(nested(item, element));
    }),
  };
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isText);
}

function isRecord(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function orNull<T>(fits: (value: unknown) => value is T): (value: unknown) => value is T | null {
  return (value): value is T | null => value === null || fits(value);
}

/** What stands there, short enough for a message. */
function nameOf(value: unknown): string {
  if (value === undefined) return 'missing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  return String(JSON.stringify(value)).slice(0, 80);
}
