import type { OpenAPISchema } from '@belay/operator/core/resources/crd-schemas.ts';
import { formatFieldPath, type FieldPath } from '../manifest/field-path.ts';
import { isObject } from '../manifest/read-manifests.ts';
import type { Json } from '../manifest/yaml-tree.ts';
import { duplicate, invalid, printValue, type FieldError } from './field-error.ts';

/** Items that stand twice in a list of type `set`, or share their keys in one of type `map` (apiextensions, schema/listtype). */
export function checkLists(schema: OpenAPISchema, value: Json | undefined, path: FieldPath = []): readonly FieldError[] {
  if (Array.isArray(value)) return checkList(schema, value as readonly Json[], path);
  if (!isObject(value)) return [];
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => checkLists(property, value[name], [...path, name]));
}

function checkList(schema: OpenAPISchema, list: readonly Json[], path: FieldPath): readonly FieldError[] {
  const { items } = schema;
  const inner = items === undefined ? [] : list.flatMap((item, index) => checkLists(items, item, [...path, index]));
  return [...duplicates(schema, list, path), ...inner];
}

function duplicates(schema: OpenAPISchema, list: readonly Json[], path: FieldPath): readonly FieldError[] {
  const type = schema['x-kubernetes-list-type'];
  if (type !== 'set' && type !== 'map') return [];
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  const foreign = type === 'map' ? list.findIndex((item) => item !== null && !isObject(item)) : -1;
  if (foreign !== -1) return [invalid(formatFieldPath([...path, foreign]), list[foreign] ?? null, 'must be an object for an array of list-type map')];
  return secondOf(list.map((item) => (type === 'set' ? item : keysOf(item, keys))), path);
}

function keysOf(item: Json, keys: readonly string[]): Json {
  return isObject(item) ? Object.fromEntries(keys.flatMap((key) => (item[key] === undefined ? [] : [[key, item[key]] as const]))) : {};
}

/** The second of each group of equal items, and no further ones. */
function secondOf(items: readonly Json[], path: FieldPath): readonly FieldError[] {
  const seen = new Map<string, number>();
  return items.flatMap((item, index) => {
    const text = printValue(item);
    const times = seen.get(text) ?? 0;
    seen.set(text, times + 1);
    return times === 1 ? [duplicate(formatFieldPath([...path, index]), item)] : [];
  });
}
