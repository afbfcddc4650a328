import type { Plugin } from 'esbuild';
import { parseRule } from '@belay/cli/validate/parse-rule.ts';
import { crdSchemas, type OpenAPISchema } from '@belay/operator/core/resources/crd-schemas.ts';

/**
 * In the bundle the place of `parse-rule.ts` is taken by the syntax trees of the CRDs' rules: the same trees, without
 * the parser and the 50 ms that parsing them costs at each start.
 */
export function parsedRules(): Plugin {
  return {
    name: 'parsed-rules',
    setup(build) {
      build.onLoad({ filter: /[/\\]cli[/\\]validate[/\\]parse-rule\.ts$/ }, () => ({ contents: moduleText(), loader: 'js' }));
    },
  };
}

function moduleText(): string {
  const rules = new Set(crdSchemas.flatMap(({ schema }) => rulesIn(schema)));
  const trees = [...rules].map((rule) => `[${JSON.stringify(rule)}, () => (${literal(parseRule(rule))})]`);
  return `const trees = new Map([${trees.join(',\n')}]);
export function parseRule(text) {
  const tree = trees.get(text);
  if (tree === undefined) throw new Error('the bundle holds the rules of the CRDs alone');
  return tree();
}
`;
}

function rulesIn({ items, properties = {}, ...schema }: OpenAPISchema): string[] {
  const own = (schema['x-kubernetes-validations'] ?? []).map(({ rule }) => rule);
  const inside = [...(items === undefined ? [] : [items]), ...Object.values(properties)];
  return [...own, ...inside.flatMap(rulesIn)];
}

/** A tree of plain objects, arrays and bigints as JavaScript. */
function literal(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`;
  if (Array.isArray(value)) return `[${value.map(literal).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined';
  if (value instanceof Uint8Array) throw new Error('a rule with a bytes literal: write it in parsed-rules.ts first');
  return `{${Object.entries(value).map(([name, member]) => `${JSON.stringify(name)}:${literal(member)}`).join(',')}}`;
}
