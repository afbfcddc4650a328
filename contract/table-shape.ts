import type { Problem } from './problem.ts';

/** Reads a JSON value field by field; what is wrong is gathered, with its path, and a stand-in goes on in its place. */
export interface Shape {
  readonly path: string;
  readonly value: unknown;
  readonly problems: Problem[];
}

/** `must be …` at this place. */
export function refuse({ path, problems, value }: Shape, expected: string): void {
  problems.push({ path, message: `must be ${expected}, not ${describeValue(value)}` });
}

export function field(shape: Shape, name: string): Shape {
  const value = isObject(shape.value) && Object.hasOwn(shape.value, name) ? shape.value[name] : undefined;
  return { path: shape.path === '' ? name : `${shape.path}.${name}`, value, problems: shape.problems };
}

/** What `read` makes of an object; where there is none, that is said once, and not again for each of its fields. */
export function object<T>(shape: Shape, read: (shape: Shape) => T): T {
  if (isObject(shape.value)) return read(shape);
  refuse(shape, 'an object');
  return read({ ...shape, problems: [] });
}

/** Each element read by `read`. */
export function list<T>(shape: Shape, read: (element: Shape) => T): T[] {
  if (!Array.isArray(shape.value)) {
    refuse(shape, 'a list');
    return [];
  }
  return shape.value.map((value: unknown, index) => read({ path: `${shape.path}[${index}]`, value, problems: shape.problems }));
}

export function text(shape: Shape): string {
  if (typeof shape.value === 'string') return shape.value;
  refuse(shape, 'a text');
  return '';
}

/** A text with something in it. */
export function name(shape: Shape): string {
  if (typeof shape.value === 'string' && shape.value !== '') return shape.value;
  refuse(shape, 'a name');
  return '';
}

export function flag(shape: Shape): boolean {
  if (typeof shape.value === 'boolean') return shape.value;
  refuse(shape, 'true or false');
  return false;
}

export function oneOf<const T extends string>(shape: Shape, choices: readonly [T, ...T[]]): T {
  const found = choices.find((choice) => choice === shape.value);
  if (found !== undefined) return found;
  refuse(shape, `one of ${choices.join(', ')}`);
  return choices[0];
}

/** A whole number from `least` to `most`. */
export function whole(shape: Shape, least: number, most: number): number {
  if (typeof shape.value === 'number' && Number.isSafeInteger(shape.value) && shape.value >= least && shape.value <= most) return shape.value;
  refuse(shape, most === Number.MAX_SAFE_INTEGER ? `a whole number of at least ${least}` : `a whole number from ${least} to ${most}`);
  return least;
}

/** A share of one: 0 to 1. */
export function share(shape: Shape): number {
  if (typeof shape.value === 'number' && shape.value >= 0 && shape.value <= 1) return shape.value;
  refuse(shape, 'a share from 0 to 1');
  return 0;
}

/** null, or what `read` makes of it. A field that is missing counts as null: a compiler of an earlier release did not know it. */
export function orNull<T>(shape: Shape, read: (shape: Shape) => T): T | null {
  return shape.value === null || shape.value === undefined ? null : read(shape);
}

export function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What stands there, short enough for a message. */
export function describeValue(value: unknown): string {
  if (value === undefined) return 'missing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  const shown = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return shown.length > 60 ? `${shown.slice(0, 60)}…` : shown;
}
