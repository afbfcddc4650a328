import fc from 'fast-check';
import { crdSchemas, type OpenAPISchema } from '@belay/operator/core/resources/crd-schemas.ts';
import type { Manifest } from '@belay/operator/core/compile/snapshot.ts';

/** Manifests with any fields that the CRD's structure allows, whatever its rules say of their values. */
export function manifestsOf(kind: string, names: readonly [string, ...string[]]): fc.Arbitrary<Manifest> {
  const spec = crdSchemas.find((crd) => crd.kind === kind)?.schema.properties?.['spec'] ?? {};
  return fc.record({
    metadata: fc.record({ name: fc.constantFrom(...names), creationTimestamp: fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z') }, { requiredKeys: ['name'] }),
    spec: valuesOf(spec, '') as fc.Arbitrary<object>,
  });
}

function integersOf({ minimum = 0, maximum = 100 }: OpenAPISchema): fc.Arbitrary<number> {
  return fc.integer({ min: minimum, max: maximum });
}

function mapsOf(values: OpenAPISchema): fc.Arbitrary<unknown> {
  return fc.dictionary(fc.constantFrom('a', 'cpu', 'example.com/a', 'X y'), valuesOf(values, ''), { maxKeys: 3 });
}

function valuesOf(schema: OpenAPISchema, name: string): fc.Arbitrary<unknown> {
  const { type, enum: values, properties = {}, additionalProperties, required = [], items = {} } = schema;
  if (values !== undefined) return fc.constantFrom(...values);
  switch (type) {
    case 'boolean': return fc.boolean();
    case 'integer': return integersOf(schema);
    case 'array': return fc.array(valuesOf(items, name), { minLength: schema.minItems ?? 0, maxLength: 3 });
    case 'object': return additionalProperties !== undefined ? mapsOf(additionalProperties) : fc.record(Object.fromEntries(Object.entries(properties).map(([key, property]) => [key, valuesOf(property, key)])), { requiredKeys: [...required] });
    default: return fc.oneof(fc.string({ minLength: schema.minLength ?? 0 }), fc.constantFrom('a', 'b', 'c', 'm', '*', '2s', '1h', '5%', 'Auto', 'https://llm.example/v1', 'http://a.b.svc/v1', 'http://127.0.0.1:1'));
  }
}
