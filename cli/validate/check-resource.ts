import { crdSchemas, type CrdSchema } from '@belay/operator/core/resources/crd-schemas.ts';
import type { JsonObject } from '../manifest/read-manifests.ts';
import { checkLists } from './check-lists.ts';
import { checkMetadata } from './check-metadata.ts';
import { compileRuleCheck } from './check-rules.ts';
import { compileSchemaCheck } from './check-schema.ts';
import type { FieldError } from './field-error.ts';
import { normalizeResource } from './normalize-resource.ts';

export interface CheckedResource {
  /** With defaults, without unknown fields, nulls and status. What the compiler takes, where `errors` is empty. */
  readonly value: JsonObject;
  readonly errors: readonly FieldError[];
  /** True where errors of form kept the rules from being evaluated, as in an API server. */
  readonly rulesSkipped: boolean;
}

/** Checks one resource of a Belay kind as an API server does at its creation. */
export type ResourceCheck = (resource: JsonObject) => CheckedResource;

/** After these an API server evaluates no rules (apiextensions, registry/customresource, hasBlockingErr). */
const blocking = new Set(['FieldValueNotSupported', 'FieldValueRequired', 'FieldValueTooLong', 'FieldValueTooMany', 'FieldValueTypeInvalid']);

const compiled = new Map<string, ResourceCheck>();

/** The check of one kind; compiled once in a process. Throws for a kind that has no CRD. */
export function resourceCheckFor(kind: string): ResourceCheck {
  const known = compiled.get(kind);
  if (known !== undefined) return known;
  const crd = crdSchemas.find((one) => one.kind === kind);
  if (crd === undefined) throw new RangeError(`no CRD has kind ${kind}`);
  const check = compileResourceCheck(crd);
  compiled.set(kind, check);
  return check;
}

export function compileResourceCheck(crd: CrdSchema): ResourceCheck {
  const checkSchema = compileSchemaCheck(crd);
  const checkRules = compileRuleCheck(crd);
  return (resource) => {
    const { value, unknownFields } = normalizeResource(crd, resource);
    const form = [...checkMetadata(resource), ...checkSchema(value), ...checkLists(crd.schema, value)];
    const rulesSkipped = form.some(({ reason }) => blocking.has(reason));
    return { value, rulesSkipped, errors: [...unknownFields, ...form, ...(rulesSkipped ? [] : checkRules(value))] };
  };
}
