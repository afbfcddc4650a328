import type { SdkOutcome } from '../chat-client.ts';
import type { Outcome } from '../chat-outcome.ts';
import type { Fields } from '../manifests.ts';
import { fieldsOf, listOf } from './case-file.ts';
import { matchAttempts } from './check-arrivals.ts';
import { matchAnyOf, matchEqual, matchHeaders, matchPaths, matchRange, matchText, parseOrText, type Complaint } from './match.ts';
import type { StepResult } from './step-result.ts';

type StepCheck = (wanted: unknown, result: StepResult) => readonly Complaint[];

/** Every word that a step may expect. */
const stepChecks: { readonly [word: string]: StepCheck } = {
  status: (wanted, { outcome }) => [Array.isArray(wanted) || typeof wanted === 'number' ? matchAnyOf('status', outcome.status, wanted) : matchRange('status', outcome.status, wanted, 'exactly')],
  text: (wanted, { outcome }) => [matchAnyOf('text', outcome.text, wanted)],
  textStarts: (wanted, { outcome }) => [matchText('text', outcome.text, { starts: wanted })],
  end: (wanted, { outcome }) => [matchAnyOf('end', outcome.end, wanted), sdkNoticed(wanted, outcome)],
  finish: (wanted, { outcome }) => [matchAnyOf('finish', outcome.finish, wanted)],
  done: (wanted, { outcome }) => [matchRange('done', outcome.done, typeof wanted === 'boolean' ? Number(wanted) : wanted, 'exactly')],
  models: (wanted, { outcome }) => [matchEqual('models', [...outcome.models].sort(), [...(Array.isArray(wanted) ? wanted : [wanted])].sort())],
  usage: (wanted, { outcome }) => matchSubset('usage', outcome.usage, wanted),
  usageChunks: (wanted, { outcome }) => [matchRange('usageChunks', outcome.usageChunks, wanted, 'exactly')],
  emptyChoices: (wanted, { outcome }) => [matchRange('emptyChoices', outcome.emptyChoices, wanted, 'exactly')],
  json: (wanted, { outcome }) => matchPaths('json', jsonOf(outcome), wanted),
  bodyHas: (wanted, { outcome }) => [matchText('body', outcome.body, { has: wanted })],
  bodyLacks: (wanted, { outcome }) => [matchText('body', outcome.body, { lacks: wanted })],
  bodyIs: (wanted, result) => [matchEqual('body', result.outcome.body, bytesMeant(wanted, result))],
  headers: (wanted, { outcome }) => matchHeaders(outcome.headers, wanted),
  errorObject: (wanted, { outcome }) => [hasErrorObject(outcome.error) === (wanted !== false) ? null : `error is ${JSON.stringify(outcome.error)}, expected ${wanted === false ? 'none' : 'an object with a message'}`],
  tools: (wanted, { outcome }) => matchTools(outcome, wanted),
  attempts: (wanted, { arrivals }) => [matchAttempts(arrivals, wanted)],
  minMs: (wanted, { outcome }) => [matchRange('time in ms', outcome.ms, wanted, 'min')],
  maxMs: (wanted, { outcome }) => [matchRange('time in ms', outcome.ms, wanted, 'max')],
  firstContentMs: (wanted, { outcome }) => [matchRange('firstContentMs', outcome.firstContentMs, wanted, 'max')],
};

/** What of a step's expectations does not hold. Throws on a word that is not known. */
export function checkStep(expect: Fields, result: StepResult): readonly string[] {
  const complaints = Object.entries(expect).flatMap(([word, wanted]) => {
    if (word === 'belay') return checkStep(fieldsOf(wanted, 'expect.belay'), result);
    const check = stepChecks[word];
    if (check === undefined) throw new Error(`expect.${word}: no such word; there are ${[...Object.keys(stepChecks), 'belay'].join(', ')}`);
    return check(wanted, result);
  });
  return complaints.filter((complaint) => complaint !== null);
}

/** Where a stream does not end well, the SDK must have thrown; where it does, it must not. */
function sdkNoticed(wanted: unknown, outcome: Outcome | SdkOutcome): Complaint {
  if (!('thrown' in outcome) || outcome.aborted || Array.isArray(wanted)) return null;
  if (wanted === 'normal' && outcome.thrown !== null) return `the SDK threw "${outcome.thrown.message}", expected a whole answer`;
  return (wanted === 'errorEvent' || wanted === 'error') && outcome.thrown === null ? 'the SDK noticed nothing, expected that it throws' : null;
}

/** JSON of a unary answer; of a stream the event with an error, else the last that is JSON. */
function jsonOf({ json, error, events }: Outcome): unknown {
  if (json !== undefined) return json;
  const last = events.findLast(({ data }) => data.startsWith('{'));
  return error !== undefined ? { error } : last === undefined ? undefined : JSON.parse(last.data);
}

function hasErrorObject(error: unknown): boolean {
  return typeof error === 'object' && error !== null && typeof (error as { readonly message?: unknown }).message === 'string';
}

function matchSubset(what: string, found: unknown, wanted: unknown): readonly Complaint[] {
  if (wanted === null || wanted === false) return [found === null ? null : `${what} is ${JSON.stringify(found)}, expected none`];
  if (wanted === true) return [found === null ? `${what} is not there` : null];
  return matchPaths(what, found, wanted);
}

/** A text, or the name of an upstream: the bytes of the last answer that it gave. */
function bytesMeant(wanted: unknown, { arrivals }: StepResult): unknown {
  const name = wanted === true ? arrivals.at(-1)?.upstream : typeof wanted === 'object' && wanted !== null ? (wanted as { readonly up?: string }).up : wanted;
  return arrivals.findLast(({ upstream }) => upstream === name)?.seen.sent() ?? wanted;
}

function matchTools({ tools }: Outcome, wanted: unknown): readonly Complaint[] {
  if (typeof wanted === 'number') return [matchEqual('number of tool calls', tools.length, wanted)];
  const calls = listOf(wanted, 'tools');
  return [matchEqual('number of tool calls', tools.length, calls.length), ...calls.flatMap((call, index) => matchTool(`tools[${index}]`, tools[index], call))];
}

function matchTool(where: string, found: Outcome['tools'][number] | undefined, wanted: unknown): readonly Complaint[] {
  const { function: inner, type: _type, index: _index, ...flat } = fieldsOf(wanted, where);
  return Object.entries({ ...flat, ...(inner === undefined ? {} : fieldsOf(inner, where)) }).map(([field, value]) => {
    if (!['id', 'name', 'arguments'].includes(field)) throw new Error(`${where}.${field}: no such word; there are id, name, arguments`);
    const text = found?.[field as 'id' | 'name' | 'arguments'];
    if (field === 'id' && value === true) return typeof text === 'string' && text !== '' ? null : `${where}.id is missing`;
    if (typeof value === 'object' && value !== null) return matchEqual(`${where}.${field}`, parseOrText(text ?? ''), value);
    return matchEqual(`${where}.${field}`, text, value);
  });
}
