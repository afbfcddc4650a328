import { Ajv, type ErrorObject } from 'ajv';
import type { CrdSchema, OpenAPISchema } from '@belay/operator/core/resources/crd-schemas.ts';
import type { FieldPath } from '../manifest/field-path.ts';
import { nearestName } from '../manifest/nearest-name.ts';
import { isObject, type JsonObject } from '../manifest/read-manifests.ts';
import type { Json } from '../manifest/yaml-tree.ts';
import { fieldError, invalid, printValue, required, type FieldError } from './field-error.ts';

/** Checks a normalized resource against its CRD's schema; `reason` and `message` are an API server's. */
export type SchemaCheck = (value: JsonObject) => readonly FieldError[];

/** What schemas are compiled with, here and where the bundle's validators are made beforehand. */
export const ajvOptions = { strict: false, allErrors: true, meta: false, validateSchema: false, addUsedSchema: false, code: { optimize: false } } as const;

/** Compiles a CRD's schema. */
export function compileSchemaCheck(crd: CrdSchema): SchemaCheck {
  const validate = new Ajv(ajvOptions).compile(formOf(crd));
  return (value) => {
    validate(value);
    return (validate.errors ?? []).map((error) => fieldErrorFrom(error, value));
  };
}

/** What ajv is to check of a CRD. `status` is never checked: an API server drops it from a new object. */
export function formOf({ schema }: CrdSchema): object {
  const { status: _status, ...properties } = schema.properties ?? {};
  return formOnly({ ...schema, properties });
}

/** The keywords that ajv is to check and no others: half the compile time. */
function formOnly({ description: _description, default: _default, format: _format, items, properties, additionalProperties, ...rest }: OpenAPISchema): object {
  return {
    ...Object.fromEntries(Object.entries(rest).filter(([keyword]) => !keyword.startsWith('x-'))),
    ...(items === undefined ? {} : { items: formOnly(items) }),
    ...(additionalProperties === undefined ? {} : { additionalProperties: formOnly(additionalProperties) }),
    ...(properties === undefined ? {} : { properties: Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, formOnly(property)])) }),
  };
}

type Describe = (path: string, value: Json, params: { readonly [name: string]: unknown }) => FieldError;

/** The words of kube-openapi's validator (errors/schema.go) for each keyword that a structural schema may use. */
const describers: { readonly [keyword: string]: Describe } = {
  type: (path, value, { type }) => {
    const found = JSON.stringify(typeOf(value));
    return fieldError(path, 'FieldValueTypeInvalid', `Invalid value: ${found}: ${path} in body must be of type ${String(type)}: ${found}`);
  },
  enum: (path, value, { allowedValues }) => {
    const values = (allowedValues as readonly Json[]).map(String);
    const near = typeof value === 'string' ? nearestName(value, values) : null;
    return fieldError(path, 'FieldValueNotSupported', `Unsupported value: ${printValue(value)}: supported values: ${values.map((one) => JSON.stringify(one)).join(', ')}`, near === null ? null : `did you mean ${near}?`);
  },
  required: (path, _value, { missingProperty }) => required(childPath(path, String(missingProperty))),
  maxLength: (path, _value, { limit }) => fieldError(path, 'FieldValueTooLong', `Too long: may not be more than ${String(limit)} ${limit === 1 ? 'byte' : 'bytes'}`),
  minLength: (path, value, { limit }) => invalid(path, value, `${path} in body should be at least ${String(limit)} chars long`),
  pattern: (path, value, { pattern }) => invalid(path, value, `${path} in body should match '${String(pattern)}'`),
  maxItems: (path, value, { limit }) => fieldError(path, 'FieldValueTooMany', `Too many: ${sizeOf(value)}: must have at most ${String(limit)} ${limit === 1 ? 'item' : 'items'}`),
  minItems: (path, value, { limit }) => invalid(path, sizeOf(value), `${path} in body should have at least ${String(limit)} items`),
  maxProperties: (path, value, { limit }) => fieldError(path, 'FieldValueTooMany', `Too many: ${sizeOf(value)}: must have at most ${String(limit)} ${limit === 1 ? 'item' : 'items'}`),
  maximum: (path, value, { limit }) => invalid(path, value, `${path} in body should be less than or equal to ${String(limit)}`),
  minimum: (path, value, { limit }) => invalid(path, value, `${path} in body should be greater than or equal to ${String(limit)}`),
};

function fieldErrorFrom({ keyword, instancePath, params }: ErrorObject, root: JsonObject): FieldError {
  const describe = describers[keyword];
  if (describe === undefined) throw new Error(`the schema keyword ${keyword} has no description in check-schema.ts`);
  const [path, value] = locate(instancePath, root);
  return describe(path.reduce<string>(childPath, ''), value, params);
}

/** As kube-openapi's validator joins them: the key of a map stands behind a dot, whatever is in it. */
function childPath(path: string, step: string | number): string {
  if (typeof step === 'number') return `${path}[${step}]`;
  return path === '' ? step : `${path}.${step}`;
}

/** A JSON pointer (RFC 6901) as a field path, and the value that stands there. */
function locate(pointer: string, root: JsonObject): readonly [FieldPath, Json] {
  let value: Json = root;
  const path = pointer.split('/').slice(1).map((part) => {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    const step = Array.isArray(value) ? Number(name) : name;
    value = (value as { readonly [step: string | number]: Json })[step] ?? null;
    return step;
  });
  return [path, value];
}

function sizeOf(value: Json): number {
  if (Array.isArray(value)) return value.length;
  return isObject(value) ? Object.keys(value).length : 0;
}

/** JSON's type names, with integers apart. */
function typeOf(value: Json): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}
