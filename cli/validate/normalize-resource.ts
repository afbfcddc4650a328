import type { CrdSchema, OpenAPISchema } from '@belay/operator/core/resources/crd-schemas.ts';
import { formatFieldPath, type FieldPath } from '../manifest/field-path.ts';
import { nearestName } from '../manifest/nearest-name.ts';
import { isObject, type JsonObject } from '../manifest/read-manifests.ts';
import type { Json } from '../manifest/yaml-tree.ts';
import { fieldError, type FieldError } from './field-error.ts';

export interface Normalized {
  /** Unknown fields and nulls dropped, defaults set, `status` left out: what an API server would go on to check. */
  readonly value: JsonObject;
  /** As kubectl's strict validation reports them. */
  readonly unknownFields: readonly FieldError[];
}

/** Fields of ObjectMeta (apimachinery, meta/v1). */
const metadataFields = [
  'name', 'generateName', 'namespace', 'selfLink', 'uid', 'resourceVersion', 'generation', 'creationTimestamp', 'deletionTimestamp',
  'deletionGracePeriodSeconds', 'labels', 'annotations', 'ownerReferences', 'finalizers', 'managedFields',
];

/** What an API server does to a new object before it checks it: prune, drop nulls, apply defaults. */
export function normalizeResource({ schema }: CrdSchema, resource: JsonObject): Normalized {
  const unknownFields: FieldError[] = [];
  const { metadata, ...rest } = resource;
  const value = normalize(schema, rest, [], unknownFields) as Record<string, Json>;
  if (isObject(metadata)) value['metadata'] = pickKnown(metadata, metadataFields, ['metadata'], unknownFields);
  delete value['status'];
  return { value, unknownFields };
}

function normalize(schema: OpenAPISchema, value: Json, path: FieldPath, unknown: FieldError[]): Json {
  if (Array.isArray(value)) {
    const { items = {} } = schema;
    return (value as readonly Json[]).map((item, index) => normalize(items, item, [...path, index], unknown));
  }
  if (!isObject(value)) return value;
  const { properties = {}, additionalProperties } = schema;
  if (additionalProperties !== undefined) {
    return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== null).map(([name, inner]) => [name, normalize(additionalProperties, inner, [...path, name], unknown)]));
  }
  const known = pickKnown(value, Object.keys(properties), path, unknown);
  const result: Record<string, Json> = {};
  for (const [name, property] of Object.entries(properties)) {
    const given = known[name] ?? (property.default as Json | undefined);
    if (given !== undefined) result[name] = normalize(property, given, [...path, name], unknown);
  }
  return result;
}

function pickKnown(value: JsonObject, known: readonly string[], path: FieldPath, unknown: FieldError[]): JsonObject {
  const names = new Set(known);
  const kept: Record<string, Json> = {};
  for (const [name, inner] of Object.entries(value)) {
    if (names.has(name)) kept[name] = inner;
    else unknown.push(unknownField([...path, name], name, known.filter((one) => !Object.hasOwn(value, one))));
  }
  return kept;
}

function unknownField(path: FieldPath, name: string, candidates: readonly string[]): FieldError {
  const text = formatFieldPath(path);
  const near = nearestName(name, candidates);
  return fieldError(text, 'UnknownField', `unknown field ${JSON.stringify(text)}`, near === null ? null : `did you mean ${near}?`);
}
