import { isDeepStrictEqual } from 'node:util';

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

function rangeOf(what: string, wanted: unknown, single: 'exactly' | 'max' | 'min'): { readonly min: number; readonly max: number } {
  if (typeof wanted === 'number') return { min: single === 'max' ? -Infinity : wanted, max: single === 'min' ? Infinity : wanted };
  if (Array.isArray(wanted) && wanted.length === 2) return { min: Number(wanted[0]), max: Number(wanted[1]) };
  if (typeof wanted === 'object' && wanted !== null && !Array.isArray(wanted)) {
    const { min = -Infinity, max = Infinity, is, minMs, maxMs, withinMs, ...others } = wanted as { readonly [word: string]: number };
    const [unknown] = Object.keys(others);
    if (unknown !== undefined) throw new Error(`${what}: a range has no word "${unknown}"; it has min and max`);
    return is === undefined ? { min: minMs ?? min, max: withinMs ?? maxMs ?? max } : { min: is, max: is };
  }
  throw new Error(`${what}: must be a number or {min, max}, not ${show(wanted)}`);
}

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
  if (wanted === null || wanted === false) return found === undefined ? null : `${what} is ${show(found)}, expected none`;
  if (wanted === true) return found === undefined ? `${what} is not there` : null;
  if (typeof wanted === 'string' || typeof wanted === 'number') return matchText(what, found, { is: wanted });
  for (const [word, value] of Object.entries(wanted as object)) {
    const matcher = matchers[aliases[word] ?? word];
    if (matcher === undefined) throw new Error(`${what}: no such word "${word}"; there are ${Object.keys(matchers).join(', ')}`);
    if (!matcher(found, value)) return `${what} is ${show(found)}, expected ${word} ${show(value)}`;
  }
  return null;
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
