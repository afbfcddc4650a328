import type { Fields } from '../manifests.ts';
import { fieldsOf, listOf } from './case-file.ts';
import { matchEqual, matchHeaders, matchPaths, matchRange, matchText, parseOrText, valueAt, type Complaint } from './match.ts';
import type { Arrival, StepResult } from './step-result.ts';

/**
 * `"A,B"`: exactly these, in this order; a list: one of them; an object: a count or range for each upstream; a number: so
 * many. A request that was met with a reset on a used connection is no attempt of its own: with or without it is right.
 */
export function matchAttempts(arrivals: readonly Arrival[], wanted: unknown): Complaint {
  const counted = arrivals.filter(({ seen }) => !seen.reset);
  if (typeof wanted === 'number') return matchRange('number of attempts', counted.length, wanted, 'exactly');
  if (typeof wanted === 'object' && wanted !== null && !Array.isArray(wanted)) {
    const words = Object.keys(wanted);
    if (words.every((word) => word === 'min' || word === 'max')) return matchRange('number of attempts', counted.length, wanted, 'exactly');
    return Object.entries(wanted).map(([name, range]) => matchRange(`attempts at ${name}`, counted.filter(({ upstream }) => upstream === name).length, range, 'exactly')).find((complaint) => complaint !== null) ?? null;
  }
  const sequence = (list: readonly Arrival[]): string => list.map(({ upstream }) => upstream).join(',');
  const allowed = (Array.isArray(wanted) ? wanted : [wanted]).map((one) => String(one).replaceAll(' ', ''));
  return allowed.includes(sequence(counted)) || allowed.includes(sequence(arrivals)) ? null : `attempts are "${sequence(arrivals)}", expected ${allowed.map((one) => `"${one}"`).join(' or ')}`;
}

/** What of the whole case's expectations does not hold. */
export function checkCase(expect: Fields, arrivals: readonly Arrival[], steps: readonly StepResult[]): readonly string[] {
  const complaints = Object.entries(expect).flatMap(([word, wanted]): readonly Complaint[] => {
    switch (word) {
      case 'belay': return checkCase(fieldsOf(wanted, 'expect.belay'), arrivals, steps);
      case 'attempts': return [matchAttempts(arrivals, wanted)];
      case 'gaps': return matchGaps(arrivals, wanted);
      case 'closed': return matchClosed(arrivals, steps, wanted);
      case 'requests': return listOf(wanted, 'expect.requests').flatMap((one, index) => matchRequests(`requests[${index}]`, arrivals, one));
      default: throw new Error(`expect.${word}: no such word; there are attempts, gaps, closed, requests, belay`);
    }
  });
  return complaints.filter((complaint) => complaint !== null);
}

/** Milliseconds between two attempts that follow each other at one upstream: `{A: {min}}`, `{A: [{min}, …]}` or `[{up: A, min}]`. */
function matchGaps(arrivals: readonly Arrival[], wanted: unknown): readonly Complaint[] {
  const wishes: readonly (readonly [string, unknown])[] = Array.isArray(wanted)
    ? wanted.map((one, index) => {
        const { up, ...range } = fieldsOf(one, `gaps[${index}]`);
        return [String(up), range];
      })
    : Object.entries(fieldsOf(wanted, 'gaps'));
  return wishes.flatMap(([name, range]) => {
    const times = arrivals.filter(({ upstream, seen }) => upstream === name && !seen.reset).map(({ seen }) => seen.atMs);
    const gaps = times.slice(1).map((atMs, index) => atMs - (times[index] ?? atMs));
    const each = Array.isArray(range) && !range.every((end) => typeof end === 'number');
    if (each) return (range as readonly unknown[]).map((one, index) => matchRange(`gap ${index + 1} at ${name} in ms`, gaps[index] ?? null, one, 'min'));
    if (gaps.length === 0) return [`${name} saw ${times.length} attempts, expected two or more to have a gap`];
    return gaps.map((gap, index) => matchRange(`gap ${index + 1} at ${name} in ms`, gap, range, 'min'));
  });
}

/**
 * Attempts that their caller closed before the answer was whole. `"A"`, `["A"]` or `{A: true}`: at least one; `{A: false}`:
 * none; `{A: 2}`: so many; `{A: {max: 500}}`, or a number above 20: within so many ms of the moment when the client left,
 * or, where it stayed, of the attempt's start.
 */
function matchClosed(arrivals: readonly Arrival[], steps: readonly StepResult[], wanted: unknown): readonly Complaint[] {
  const wishes: readonly (readonly [string, unknown])[] = typeof wanted === 'string' ? [[wanted, true]]
    : Array.isArray(wanted) ? wanted.map((one, index) => closedWish(one, `closed[${index}]`)) : Object.entries(fieldsOf(wanted, 'closed'));
  return wishes.map(([name, wish]) => {
    const closed = arrivals.filter(({ upstream, seen }) => upstream === name && seen.closedByCallerAtMs() !== null);
    if (typeof wish === 'boolean') return closed.length > 0 === wish ? null : `${closed.length} attempts at ${name} were closed by their caller, expected ${wish ? 'one or more' : 'none'}`;
    if (typeof wish === 'number' && wish <= 20) return matchEqual(`number of attempts at ${name} that were closed by their caller`, closed.length, wish);
    if (closed.length === 0) return `no attempt at ${name} was closed by its caller`;
    const times = closed.map((arrival) => (arrival.seen.closedByCallerAtMs() ?? 0) - closeDueMs(arrival, steps));
    return matchRange(`close at ${name} in ms`, Math.max(...times), wish, 'max');
  });
}

function closedWish(one: unknown, where: string): readonly [string, unknown] {
  if (typeof one === 'string') return [one, true];
  const { up, ...range } = fieldsOf(one, where);
  return [String(up), Object.keys(range).length === 0 ? true : range];
}

function closeDueMs(arrival: Arrival, steps: readonly StepResult[]): number {
  const step = steps.find(({ arrivals }) => arrivals.includes(arrival));
  return step?.outcome.aborted === true ? step.endedAtMs : arrival.seen.atMs;
}

/** Every recorded request that is meant (all, those of one upstream, or one of them) is as it should be. */
function matchRequests(where: string, arrivals: readonly Arrival[], wanted: unknown): readonly Complaint[] {
  const { up, n, attempt = n, ...checks } = fieldsOf(wanted, where);
  const ofUpstream = arrivals.filter(({ upstream, seen }) => (up === undefined || upstream === up) && !seen.reset);
  const meant = typeof attempt === 'number' ? ofUpstream.slice(attempt - 1, attempt) : ofUpstream;
  if (meant.length === 0) return [`${where}: ${String(up ?? 'no upstream')} saw no such request`];
  return meant.flatMap((arrival) => Object.entries(checks).flatMap(([word, value]) => {
    const check = requestChecks[word];
    if (check === undefined) throw new Error(`${where}.${word}: no such word; there are up, n, ${Object.keys(requestChecks).join(', ')}`);
    return check(`${where}, at ${arrival.upstream}:`, arrival, value);
  }));
}

const requestChecks: { readonly [word: string]: (what: string, arrival: Arrival, wanted: unknown) => readonly Complaint[] } = {
  path: (what, { seen }, wanted) => [matchText(`${what} path`, seen.path, wanted)],
  method: (what, { seen }, wanted) => [matchText(`${what} method`, seen.method, wanted)],
  json: (what, { text }, wanted) => matchPaths(`${what} json`, parseOrText(text), wanted),
  headers: (what, { seen }, wanted) => matchHeaders(seen.headers, wanted).map((complaint) => (complaint === null ? null : `${what} ${complaint}`)),
  text: (what, { text }, wanted) => [matchText(`${what} body`, text, wanted)],
  bodyHas: (what, { text }, wanted) => [matchText(`${what} body`, text, { has: wanted })],
  bodyLacks: (what, { text }, wanted) => [matchText(`${what} body`, text, { lacks: wanted })],
  bodyIs: (what, { text }, wanted) => [matchEqual(`${what} body`, text, wanted)],
  jsonLacks: (what, { text }, wanted) => listOf(Array.isArray(wanted) ? wanted : [wanted], what).map((path) => (valueAt(parseOrText(text), String(path)) === undefined ? null : `${what} json has ${String(path)}, expected that it is not there`)),
};
