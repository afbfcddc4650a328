import type { Problem } from '@belay/contract';

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
  const value = isObject(shape.value) ? shape.value[name] : undefined;
  return { path: shape.path === '' ? name : `${shape.path}.${name}`, value, problems: shape.problems };
}

/** Each element read by `read`; an object where an object is not is said once. */
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

export function oneOf<const T extends string>(shape: Shape, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === shape.value);
  if (found !== undefined) return found;
  refuse(shape, `one of ${choices.join(', ')}`);
  return choices[0] as T;
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

/** null, or what `read` makes of it. A field that is missing counts as null. */
export function orNull<T>(shape: Shape, read: (shape: Shape) => T): T | null {
  return shape.value === null || shape.value === undefined ? null : read(shape);
}

function describeValue(value: unknown): string {
  if (value === undefined) return 'missing';
  const json = JSON.stringify(value) ?? typeof value;
  return json.length > 60 ? `${json.slice(0, 60)}…` : json;
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
