import type { Problem } from '@belay/contract';
import type { Json } from '../manifest/yaml-tree.ts';

/** What an API server says of one field: its cause's field, reason and message (apimachinery, util/validation/field). */
export interface FieldError extends Problem {
  readonly reason: string;
  /** What to do about it, where the API server's message does not say; null: nothing to add. */
  readonly hint: string | null;
}

export function fieldError(path: string, reason: string, message: string, hint: string | null = null): FieldError {
  return { path, reason, message, hint };
}

/** `Invalid value: "x": detail`; the value is left out for objects and lists, as in failed rules. */
export function invalid(path: string, value: Json | undefined, detail: string): FieldError {
  return fieldError(path, 'FieldValueInvalid', `Invalid value: ${value === undefined ? '' : `${printValue(value)}: `}${detail}`);
}

export function required(path: string, detail = ''): FieldError {
  return fieldError(path, 'FieldValueRequired', detail === '' ? 'Required value' : `Required value: ${detail}`);
}

export function duplicate(path: string, value: Json): FieldError {
  return fieldError(path, 'FieldValueDuplicate', `Duplicate value: ${printValue(value)}`);
}

/** A value as Go prints it: text quoted, compounds as JSON with sorted keys. */
export function printValue(value: Json): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner);
}
