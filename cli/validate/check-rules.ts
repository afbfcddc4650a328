import { celEnv, isCelError, plan, type CelInput, type CelResult } from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';
import type { CrdSchema, OpenAPISchema } from '@belay/operator/core/resources/crd-schemas.ts';
import { formatFieldPath, type FieldPath } from '../manifest/field-path.ts';
import { isObject, type JsonObject } from '../manifest/read-manifests.ts';
import type { Json } from '../manifest/yaml-tree.ts';
import { duplicate, fieldError, invalid, required, type FieldError } from './field-error.ts';
import { parseRule } from './parse-rule.ts';

/** Evaluates a CRD's x-kubernetes-validations on a normalized resource; path, reason and message are an API server's. */
export type RuleCheck = (value: JsonObject) => readonly FieldError[];
/** `self` to true, false, or the words of an evaluation error. */
type Rule = (self: CelInput) => boolean | string;
type Validation = NonNullable<OpenAPISchema['x-kubernetes-validations']>[number];

/** Each rule is compiled when it is first needed, and once. */
export function compileRuleCheck({ schema }: CrdSchema): RuleCheck {
  const compileRule = createRuleCompiler();
  return (value) => checkRules(compileRule, schema, value, []);
}

function createRuleCompiler(): (rule: string) => Rule {
  const env = celEnv({ funcs: strings });
  const rules = new Map<string, Rule>();
  return (text) => {
    const known = rules.get(text);
    if (known !== undefined) return known;
    const evaluate = plan(env, parseRule(text)) as (bindings: { self: CelInput }) => CelResult;
    const rule: Rule = (self) => {
      const result = evaluate({ self });
      return isCelError(result) ? result.message : result === true;
    };
    rules.set(text, rule);
    return rule;
  };
}

function checkRules(compileRule: (rule: string) => Rule, schema: OpenAPISchema, value: Json | undefined, path: FieldPath): readonly FieldError[] {
  if (value === undefined || value === null) return [];
  const rules = schema['x-kubernetes-validations'] ?? [];
  const self = rules.length === 0 ? null : celFromJson(schema, value);
  const own = rules.flatMap((rule) => {
    const holds = compileRule(rule.rule)(self);
    return holds === true ? [] : [failedRule(rule, holds, value, path)];
  });
  return [...own, ...checkInside(compileRule, schema, value, path)];
}

function checkInside(compileRule: (rule: string) => Rule, schema: OpenAPISchema, value: Json, path: FieldPath): readonly FieldError[] {
  const { items, properties = {} } = schema;
  if (Array.isArray(value)) {
    return items === undefined ? [] : (value as readonly Json[]).flatMap((item, index) => checkRules(compileRule, items, item, [...path, index]));
  }
  if (!isObject(value)) return [];
  return Object.entries(properties).flatMap(([name, property]) => checkRules(compileRule, property, value[name], [...path, name]));
}

function failedRule(rule: Validation, fault: false | string, value: Json, path: FieldPath): FieldError {
  const at = `${formatFieldPath(path)}${fault === false ? (rule.fieldPath ?? '') : ''}`.replace(/^\./, '');
  const message = rule.message.trim();
  const shown = typeof value === 'object' ? undefined : value;
  if (fault !== false) return invalid(at, shown, `${fault} evaluating rule: ${message}`);
  if (rule.reason === 'FieldValueRequired') return required(at, message);
  if (rule.reason === 'FieldValueForbidden') return fieldError(at, rule.reason, `Forbidden: ${message}`);
  if (rule.reason === 'FieldValueDuplicate') return shown === undefined ? fieldError(at, rule.reason, 'Duplicate value') : duplicate(at, shown);
  return invalid(at, shown, message);
}

/** CEL's form of a value: integers as bigint where the schema says so, objects as maps with escaped names, maps as they are. */
function celFromJson(schema: OpenAPISchema, value: Json): CelInput {
  if (typeof value === 'number') return schema.type === 'integer' ? BigInt(value) : value;
  if (Array.isArray(value)) return (value as readonly Json[]).map((item) => celFromJson(schema.items ?? {}, item));
  if (!isObject(value)) return value as CelInput;
  const { properties = {}, additionalProperties } = schema;
  return new Map(Object.entries(value).map(([name, inner]) =>
    (additionalProperties === undefined ? [celName(name), celFromJson(properties[name] ?? {}, inner)] : [name, celFromJson(additionalProperties, inner)])));
}

const reserved = new Set([
  'true', 'false', 'null', 'in', 'as', 'break', 'const', 'continue', 'else', 'for', 'function', 'if', 'import', 'let', 'loop', 'package', 'namespace',
  'return', 'var', 'void', 'while',
]);

/** Kubernetes' escapes for field names that are no CEL identifiers (apiserver, pkg/cel/escaping.go). */
function celName(name: string): string {
  if (reserved.has(name)) return `__${name}__`;
  return name.replaceAll('__', '__underscores__').replaceAll('.', '__dot__').replaceAll('-', '__dash__').replaceAll('/', '__slash__');
}
