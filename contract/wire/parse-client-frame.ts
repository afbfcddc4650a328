import { failureClasses } from '../failure-class.ts';
import type { MicroDollars } from '../money.ts';
import { parsed, type Parsed, type Problem } from '../problem.ts';
import type { ChainReport, ClientFrame, HelloFrame, TargetReport } from './frames.ts';
import { parseFrameObject, readMembers, type Members } from './read-members.ts';
import { isChainWish } from './select-chains.ts';
import { maxHelloChains, maxHelloSchemaVersions, maxNackLength } from './stream-names.ts';

/** A line of a sidecar; null: a frame of a later release, to be ignored. Unknown fields are left out. Never throws. */
export function parseClientFrame(line: string): Parsed<ClientFrame | null> {
  const object = parseFrameObject(line);
  if (!object.ok) return object;
  const problems: Problem[] = [];
  const members = readMembers(object.value, '', problems);
  const kind = members.name('frame');
  const frame = problems.length === 0 ? frameOf(kind, members) : null;
  return problems.length === 0 ? parsed(frame) : { ok: false, problems };
}

function frameOf(frame: string, members: Members): ClientFrame | null {
  switch (frame) {
    case 'hello': return helloOf(members);
    case 'ack': return { frame, nonce: members.name('nonce') };
    case 'nack': return { frame, nonce: members.name('nonce'), error: members.name('error').slice(0, maxNackLength) };
    case 'report': return { frame, chains: members.list('chains', chainOf) };
    case 'lease-request': return { frame, budget: members.name('budget'), amount: members.count('amount') as MicroDollars };
    default: return null;
  }
}

function helloOf(members: Members): HelloFrame {
  const chains = members.names('chains');
  if (chains !== null && !isChainWish(chains)) members.refuse('chains', 'must be "*" alone, or names of chains, at least one');
  if (chains !== null && chains.length > maxHelloChains) members.refuse('chains', `must list at most ${maxHelloChains} names, not ${chains.length}`);
  const schemaVersions = members.counts('schemaVersions');
  if (schemaVersions.length > maxHelloSchemaVersions) members.refuse('schemaVersions', `must list at most ${maxHelloSchemaVersions} versions, not ${schemaVersions.length}`);
  const have = members.object('have');
  return {
    frame: 'hello',
    pod: members.name('pod'),
    uid: members.name('uid'),
    chains: chains ?? [],
    have: { endpoints: have.nameOrNull('endpoints'), keys: have.nameOrNull('keys'), hints: have.nameOrNull('hints'), table: have.nameOrNull('table') },
    protocol: members.count('protocol'),
    schemaVersions,
  };
}

function chainOf(members: Members): ChainReport {
  return { name: members.name('name'), requests: members.count('requests'), failed: members.count('failed'), targets: members.list('targets', targetOf) };
}

function targetOf(members: Members): TargetReport {
  return {
    name: members.name('name'),
    served: members.count('served'),
    attempts: members.count('attempts'),
    failures: members.count('failures'),
    lastFailure: members.oneOfOrNull('lastFailure', failureClasses),
    breaker: members.oneOf('breaker', ['closed', 'open', 'half-open']),
    firstContentP50Ms: members.countOrNull('firstContentP50Ms'),
  };
}
