import { isDeepStrictEqual } from 'node:util';
import { fieldsOf } from './case-file.ts';

/** A complaint, or null where the value is as it should be. */
export type Complaint = string | null;

const show = (value: unknown): string => {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
};

/** Equal in depth; null also matches what is not there. */
export function matchEqual(what: string, found: unknown, wanted: unknown): Complaint {
  if (wanted === null && found === undefined) return null;
  return isDeepStrictEqual(found, wanted) ? null : `${what} is ${show(found)}, expected ${show(wanted)}`;
}

/** One value, or any of a list. */
export function matchAnyOf(what: string, found: unknown, wanted: unknown): Complaint {
  const allowed = Array.isArray(wanted) ? wanted : [wanted];
  return allowed.some((one) => isDeepStrictEqual(one, found)) ? null : `${what} is ${show(found)}, expected ${allowed.map(show).join(' or ')}`;
}

/** `{min, max}`, `[min, max]`, or one number, whose meaning the caller says. */
export function matchRange(what: string, found: number | null, wanted: unknown, single: 'exactly' | 'max' | 'min'): Complaint {
  const { min, max } = rangeOf(what, wanted, single);
  if (found === null) return `${what} is not known, expected ${describeRange(min, max)}`;
  return found >= min && found <= max ? null : `${what} is ${Math.round(found * 10) / 10}, expected ${describeRange(min, max)}`;
}

interface Range {
  readonly min: number;
  readonly max: number;
}

function rangeOf(what: string, wanted: unknown, single: 'exactly' | 'max' | 'min'): Range {
  if (typeof wanted === 'number') return { min: single === 'max' ? -Infinity : wanted, max: single === 'min' ? Infinity : wanted };
  if (Array.isArray(wanted) && wanted.length === 2) return { min: Number(wanted[0]), max: Number(wanted[1]) };
  const range = { min: -Infinity, max: Infinity };
  for (const [word, value] of Object.entries(fieldsOf(wanted, what))) {
    const ends = rangeWords[word];
    if (ends === undefined) throw new Error(`${what}: a range has no word "${word}"; it has ${Object.keys(rangeWords).join(', ')}`);
    for (const end of ends) range[end] = Number(value);
  }
  return range;
}

const rangeWords: { readonly [word: string]: readonly (keyof Range)[] } = { min: ['min'], max: ['max'], minMs: ['min'], maxMs: ['max'], withinMs: ['max'], is: ['min', 'max'] };

function describeRange(min: number, max: number): string {
  if (min === max) return `${min}`;
  if (min === -Infinity) return `at most ${max}`;
  return max === Infinity ? `at least ${min}` : `${min} to ${max}`;
}

type TextMatcher = (found: string | undefined, wanted: unknown) => boolean;
const matchers: { readonly [word: string]: TextMatcher } = {
  is: (found, wanted) => (Array.isArray(wanted) ? wanted.map(String).includes(found ?? '') : found === String(wanted)),
  not: (found, wanted) => found !== wanted,
  has: (found, wanted) => toList(wanted).every((part) => found?.includes(String(part)) === true),
  lacks: (found, wanted) => toList(wanted).every((part) => found?.includes(String(part)) !== true),
  starts: (found, wanted) => found?.startsWith(String(wanted)) === true,
  ends: (found, wanted) => found?.endsWith(String(wanted)) === true,
  matches: (found, wanted) => new RegExp(String(wanted)).test(found ?? ''),
  absent: (found, wanted) => (found === undefined) === (wanted === true),
  present: (found, wanted) => (found !== undefined) === (wanted === true),
  min: (found, wanted) => Number(found) >= Number(wanted),
  max: (found, wanted) => Number(found) <= Number(wanted),
};
const aliases: { readonly [word: string]: string } = { in: 'is', oneOf: 'is', eq: 'is', equals: 'is', contains: 'has', startsWith: 'starts', endsWith: 'ends', match: 'matches', exists: 'present', isNot: 'not', atLeast: 'min', atMost: 'max' };

const toList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);

/** A text by a word such as `{is: …}`, `{has: …}`, `{min: …}`; a plain text must be equal, null and false: not there, true: there. */
export function matchText(what: string, found: string | undefined, wanted: unknown): Complaint {
  for (const [word, value] of Object.entries(wordsOf(wanted))) {
    const matcher = matchers[aliases[word] ?? word];
    if (matcher === undefined) throw new Error(`${what}: no such word "${word}"; there are ${Object.keys(matchers).join(', ')}`);
    if (!matcher(found, value)) return `${what} is ${show(found)}, expected ${word} ${show(value)}`;
  }
  return null;
}

function wordsOf(wanted: unknown): object {
  if (wanted === null || wanted === false) return { absent: true };
  if (wanted === true) return { present: true };
  return typeof wanted === 'object' ? wanted : { is: wanted };
}

/** The value at `messages.0.content`; undefined: not there. */
export function valueAt(root: unknown, path: string): unknown {
  let value = root;
  const steps = path.replace(/\[(\w+)\]/g, '.$1').split('.').filter((step) => step !== '' && step !== '$');
  for (const step of steps) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = step === 'length' && Array.isArray(value) ? value.length : (value as { readonly [key: string]: unknown })[step];
  }
  return value;
}

/** `{"messages.0.content": "…"}`: each path has this value. */
export function matchPaths(what: string, found: unknown, wanted: unknown): readonly Complaint[] {
  return Object.entries(fieldsOf(wanted, what)).map(([path, value]) => {
    const direct = (found as { readonly [key: string]: unknown } | undefined)?.[path];
    const at = direct ?? valueAt(found, path);
    return isTextMatcher(value) ? matchText(`${what}.${path}`, at === undefined ? undefined : String(at), value) : matchEqual(`${what}.${path}`, at, value);
  });
}

const matcherWords = new Set(['is', 'has', 'lacks', 'absent', 'present', 'matches', 'starts', 'startsWith', 'min', 'max']);

function isTextMatcher(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const words = Object.keys(value);
  return words.length > 0 && words.every((word) => matcherWords.has(word));
}

export function matchHeaders(found: { readonly [name: string]: string | string[] | undefined }, wanted: unknown): readonly Complaint[] {
  return Object.entries(fieldsOf(wanted, 'headers')).map(([name, value]) => {
    const header = found[name.toLowerCase()];
    return matchText(`header ${name}`, Array.isArray(header) ? header.join(', ') : header, value);
  });
}

/** The value that the text is in JSON, else the text. */
export function parseOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
