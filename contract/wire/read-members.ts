import { refused, type Problem } from '../problem.ts';

/**
 * Reads the members of one object of a frame. What is wrong becomes a problem, and a harmless value goes on in its place. A message says what
 * kind of thing stands there, never the thing: it may be a key.
 */
export interface Members {
  /** A text with something in it. */
  name(member: string): string;
  nameOrNull(member: string): string | null;
  /** Undefined where the member is missing. */
  optionalName(member: string): string | undefined;
  /** A whole number from 0 to 2⁵³ - 1. */
  count(member: string): number;
  countOrNull(member: string): number | null;
  oneOf<const T extends string>(member: string, choices: readonly [T, ...T[]]): T;
  oneOfOrNull<const T extends string>(member: string, choices: readonly T[]): T | null;
  /** Texts that are not empty; null: said to be something else. */
  names(member: string): readonly string[] | null;
  counts(member: string): readonly number[];
  list<T>(member: string, of: (members: Members) => T): readonly T[];
  /** The object there. */
  object(member: string): Members;
  /** For rules of the caller. */
  refuse(member: string, message: string): void;
}

/** What is wrong in more places is read no further: a line can be wrong in a hundred thousand, and finding them all takes a quarter of a second. */
const mostProblems = 1_000;

export type JsonObject = { readonly [name: string]: unknown };

export function readMembers(object: JsonObject, path: string, problems: Problem[]): Members {
  const at = (member: string) => (path === '' ? member : `${path}.${member}`);
  const take = <T>(member: string, fits: (value: unknown) => value is T, expected: string, instead: T): T => {
    const value = Object.hasOwn(object, member) ? object[member] : undefined;
    if (fits(value)) return value;
    problems.push({ path: at(member), message: `must be ${expected}, not ${kindOf(value)}` });
    return instead;
  };
  return {
    name: (member) => take(member, isName, 'a text that is not empty', ''),
    nameOrNull: (member) => take(member, (value): value is string | null => value === null || isName(value), 'a text that is not empty, or null', null),
    optionalName: (member) => take(member, (value): value is string | undefined => value === undefined || isName(value), 'a text that is not empty, or left out', undefined),
    count: (member) => take(member, isCount, 'a whole number of at least 0', 0),
    countOrNull: (member) => take(member, (value): value is number | null => value === null || isCount(value), 'a whole number of at least 0, or null', null),
    oneOf: (member, choices) => take(member, (value): value is (typeof choices)[number] => (choices as readonly unknown[]).includes(value), `one of ${choices.join(', ')}`, choices[0]),
    oneOfOrNull: <T extends string>(member: string, choices: readonly T[]) =>
      take(member, (value): value is T | null => value === null || (choices as readonly unknown[]).includes(value), `one of ${choices.join(', ')}, or null`, null),
    counts: (member) => take(member, (value): value is readonly number[] => Array.isArray(value) && value.every(isCount), 'a list of whole numbers', []),
    names: (member) => take<readonly string[] | null>(member, isNames, 'a list of texts', null),
    list: (member, of) => take(member, Array.isArray, 'a list', []).flatMap((element: unknown, index) => {
      if (problems.length >= mostProblems) return [];
      const place = `${at(member)}[${index}]`;
      if (isObject(element)) return [of(readMembers(element, place, problems))];
      problems.push({ path: place, message: `must be an object, not ${kindOf(element)}` });
      return [];
    }),
    object: (member) => {
      const value = take<JsonObject | null>(member, isObject, 'an object', null);
      // A problem with the whole object is said once, not for each of its members.
      return value === null ? readMembers({}, at(member), []) : readMembers(value, at(member), problems);
    },
    refuse: (member, message) => void problems.push({ path: at(member), message }),
  };
}

/** One line as the object of a frame. JSON's own message would repeat the line: it may hold a key. */
export function parseFrameObject(line: string): { readonly ok: true; readonly value: JsonObject } | ReturnType<typeof refused> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return refused('', `a frame must be one line of JSON, and these ${line.length} characters are not`);
  }
  return isObject(value) ? { ok: true, value } : refused('', `a frame must be a JSON object, not ${kindOf(value)}`);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isName);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (value === '') return 'an empty text';
  const kinds: { readonly [kind: string]: string } = { string: 'another text', number: 'another number', boolean: 'a boolean', object: 'an object' };
  return kinds[typeof value] ?? 'something else';
}
