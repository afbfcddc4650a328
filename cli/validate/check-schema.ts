import type { ErrorObject, ValidateFunction } from 'ajv';
import type { CrdSchema } from '@belay/operator/core/resources/crd-schemas.ts';
import { formatFieldPath, type FieldPath } from '../manifest/field-path.ts';
import { nearestName } from '../manifest/nearest-name.ts';
import { isObject, type JsonObject } from '../manifest/read-manifests.ts';
import type { Json } from '../manifest/yaml-tree.ts';
import { fieldError, invalid, printValue, required, type FieldError } from './field-error.ts';

/** Checks a normalized resource against its CRD's schema; `reason` and `message` are an API server's. */
export type SchemaCheck = (value: JsonObject) => readonly FieldError[];

/** What the schemas are compiled with, here and when the bundle is made. */
export const ajvOptions = { strict: false, allErrors: true, verbose: true, validateFormats: false, validateSchema: false, addUsedSchema: false } as const;

/** Compiles a CRD's schema. Loads ajv when it is called first. */
export async function compileSchemaCheck({ schema }: CrdSchema): Promise<SchemaCheck> {
  const { Ajv } = await import('ajv');
  const ajv = new Ajv(ajvOptions);
  const validate: ValidateFunction = ajv.compile(schema);
  return (value) => {
    validate(value);
    return (validate.errors ?? []).flatMap((error) => fieldErrorFrom(error, value));
  };
}

type Describe = (path: string, value: Json, error: ErrorObject) => FieldError;

/** The words of kube-openapi's validator (errors/schema.go) for each keyword that a structural schema may use. */
const describers: { readonly [keyword: string]: Describe } = {
  type: (path, value, { schema }) => {
    const found = JSON.stringify(typeOf(value));
    return fieldError(path, 'FieldValueTypeInvalid', `Invalid value: ${found}: ${path} in body must be of type ${String(schema)}: ${found}`);
  },
  enum: (path, value, { schema }) => {
    const values = (schema as readonly Json[]).map(String);
    const near = typeof value === 'string' ? nearestName(value, values) : null;
    return fieldError(path, 'FieldValueNotSupported', `Unsupported value: ${printValue(value)}: supported values: ${values.map((one) => JSON.stringify(one)).join(', ')}`, near === null ? null : `did you mean ${near}?`);
  },
  required: (path, _value, { params }) => required(childPath(path, String(params['missingProperty']))),
  maxLength: (path, _value, { schema }) => fieldError(path, 'FieldValueTooLong', `Too long: may not be more than ${String(schema)} ${schema === 1 ? 'byte' : 'bytes'}`),
  minLength: (path, value, { schema }) => invalid(path, value, `${path} in body should be at least ${String(schema)} chars long`),
  pattern: (path, value, { schema }) => invalid(path, value, `${path} in body should match '${String(schema)}'`),
  maxItems: (path, value, { schema }) => fieldError(path, 'FieldValueTooMany', `Too many: ${sizeOf(value)}: must have at most ${String(schema)} ${schema === 1 ? 'item' : 'items'}`),
  minItems: (path, value, { schema }) => invalid(path, sizeOf(value), `${path} in body should have at least ${String(schema)} items`),
  maximum: (path, value, { schema }) => invalid(path, value, `${path} in body should be less than or equal to ${String(schema)}`),
  minimum: (path, value, { schema }) => invalid(path, value, `${path} in body should be greater than or equal to ${String(schema)}`),
};

function fieldErrorFrom(error: ErrorObject, root: JsonObject): readonly FieldError[] {
  const describe = describers[error.keyword];
  if (describe === undefined) throw new Error(`the schema keyword ${error.keyword} has no description in check-schema.ts`);
  return [describe(formatFieldPath(stepsFrom(error.instancePath, root)), error.data as Json, error)];
}

function childPath(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

function stepsFrom(pointer: string, root: JsonObject): FieldPath {
  let at: Json = root;
  return pointer.split('/').slice(1).map((part) => {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    const step = Array.isArray(at) ? Number(name) : name;
    at = Array.isArray(at) ? ((at as readonly Json[])[Number(name)] ?? null) : isObject(at) ? (at[name] ?? null) : null;
    return step;
  });
}

function sizeOf(value: Json): number {
  return Array.isArray(value) ? value.length : 0;
}

/** JSON's type names, with integers apart. */
function typeOf(value: Json): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}
