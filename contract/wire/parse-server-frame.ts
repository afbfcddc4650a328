import { failureClasses } from '../failure-class.ts';
import type { MicroDollars } from '../money.ts';
import { parsed, type Parsed, type Problem } from '../problem.ts';
import type { EndpointEntry, KeyEntry } from '../routing-table.ts';
import { Secret } from '../secret.ts';
import type { HintEntry, ReceivedServerFrame, ReceivedSnapshot } from './frames.ts';
import { parseFrameObject, readMembers, type JsonObject, type Members } from './read-members.ts';

/** A line of a distributor; null: a frame, or a resource, of a later release, to be ignored. Unknown fields are left out. Never throws. */
export function parseServerFrame(line: string): Parsed<ReceivedServerFrame | null> {
  const object = parseFrameObject(line);
  if (!object.ok) return object;
  const problems: Problem[] = [];
  const members = readMembers(object.value, '', problems);
  const kind = members.name('frame');
  const frame = problems.length === 0 ? frameOf(kind, members, object.value) : null;
  return problems.length === 0 ? parsed(frame) : { ok: false, problems };
}

/** `data` of a resource of endpoints. Two of one name, or a Ready one without an address, refuse the whole. */
export function parseEndpoints(data: unknown): Parsed<readonly EndpointEntry[]> {
  return entriesOf(data, endpointOf, ({ name }) => name);
}

function frameOf(frame: string, members: Members, object: JsonObject): ReceivedServerFrame | null {
  switch (frame) {
    case 'snapshot': return snapshotOf(members, object);
    case 'lease': return { frame, budget: members.name('budget'), amount: members.count('amount') as MicroDollars, expiresInMs: members.count('expiresInMs') };
    case 'ping': return { frame };
    case 'goaway': return { frame, reconnectWithinMs: members.count('reconnectWithinMs') };
    default: return null;
  }
}

function snapshotOf(members: Members, { data }: JsonObject): ReceivedSnapshot | null {
  const type = members.name('type');
  const common = { frame: 'snapshot', version: members.name('version'), nonce: members.name('nonce') } as const;
  switch (type) {
    case 'table': return { ...common, type, data };
    case 'endpoints': return { ...common, type, data: parseEndpoints(data) };
    case 'keys': return { ...common, type, data: entriesOf(data, keyOf, ({ provider }) => provider) };
    case 'hints': return { ...common, type, data: entriesOf(data, hintOf, ({ provider, model }) => `${provider} ${model}`) };
    default: return null;
  }
}

function entriesOf<T>(data: unknown, of: (members: Members) => T, identity: (entry: T) => string): Parsed<readonly T[]> {
  const problems: Problem[] = [];
  const entries = readMembers({ data }, '', problems).list('data', of);
  const seen = new Set<string>();
  for (const name of problems.length === 0 ? entries.map(identity) : []) {
    if (seen.has(name)) problems.push({ path: 'data', message: `must name ${JSON.stringify(name)} once` });
    seen.add(name);
  }
  return problems.length === 0 ? parsed(entries) : { ok: false, problems };
}

function endpointOf(members: Members): EndpointEntry {
  const name = members.name('name');
  const state = members.oneOf('state', ['Loading', 'Ready', 'Absent']);
  const url = members.nameOrNull('url');
  if (state === 'Ready' && url === null) members.refuse('url', 'must be the base URL of an endpoint that is Ready');
  if (url !== null && !/^https?:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/.test(url)) members.refuse('url', 'must be an http(s) URL without user, query or fragment');
  const detail = members.optionalName('detail');
  return { name, state, url, ...(detail === undefined ? {} : { detail }) };
}

const origin = /^https?:\/\/([a-z0-9]([a-z0-9_.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(:[1-9][0-9]{0,4})?$/;

function keyOf(members: Members): KeyEntry {
  const entry = { provider: members.name('provider'), origin: members.name('origin'), secret: new Secret(members.name('secret')), version: members.name('version') };
  if (entry.origin !== '' && !origin.test(entry.origin)) members.refuse('origin', 'must be scheme, host and port alone, such as https://api.example.com');
  if (!/^[\x21-\x7e]*$/.test(entry.secret.reveal())) members.refuse('secret', 'must be a text that a header can carry: visible ASCII without spaces');
  return entry;
}

function hintOf(members: Members): HintEntry {
  return { provider: members.name('provider'), model: members.name('model'), failure: members.oneOf('failure', failureClasses), forMs: members.count('forMs') };
}
