import type { OpenAPISchema } from '../resources/crd-schemas.ts';

/**
 * Structural defaulting as an API server does it (Kubernetes docs: "Defaulting", "Defaulting and Nullable"): members that are null are
 * dropped, and a member that is missing takes its schema's default. The value itself is not changed.
 */
export function applyDefaults(schema: OpenAPISchema, value: unknown): unknown {
  if (Array.isArray(value)) {
    const { items } = schema;
    return items === undefined ? value : value.map((item) => applyDefaults(items, item));
  }
  if (typeof value !== 'object' || value === null) return value;
  if (schema.properties === undefined) return schema.additionalProperties === undefined ? value : Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null));
  const given: { readonly [name: string]: unknown } = Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null && member !== undefined));
  const defaulted = Object.entries(schema.properties).flatMap(([name, property]) => {
    const member = Object.hasOwn(given, name) ? given[name] : property.default;
    return member === undefined ? [] : [[name, applyDefaults(property, member)] as const];
  });
  return { ...given, ...Object.fromEntries(defaulted) };
}
