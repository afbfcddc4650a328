// Writes what is derived from crds/*.yaml into operator/core/resources/ and the chart, and what is derived from the chart's values into its
// README. With --check nothing is written: exit 1 where a file is not current.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parse } from 'yaml';
import { crdTemplate } from './chart/crd-template.ts';
import { chartValues, valuesTable } from './chart/values-table.ts';

const root = join(import.meta.dirname, '..');
const notice = 'Generated from crds/ by `npm run generate`: change the CRD, never this file.';

/** The kinds, with the file names of their types. */
const kinds = [
  { crd: 'modelproviders.yaml', types: 'model-provider.ts' },
  { crd: 'fallbackchains.yaml', types: 'fallback-chain.ts' },
];

interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly required?: readonly string[];
  readonly properties?: { readonly [name: string]: Schema };
  readonly additionalProperties?: Schema;
  readonly items?: Schema;
}

interface CustomResourceDefinition {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string; readonly plural: string; readonly singular: string; readonly shortNames: readonly string[] };
    readonly versions: readonly { readonly name: string; readonly schema: { readonly openAPIV3Schema: Schema } }[];
  };
}

/** Every generated file, by its path from the repository's root. */
export function generate(): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  const read = kinds.map(({ crd, types }) => ({ types, crd: parse(readFileSync(join(root, 'crds', crd), 'utf8')) as CustomResourceDefinition }));
  for (const { crd, types } of read) files.set(`operator/core/resources/${types}`, typesOf(crd));
  files.set('operator/core/resources/crd-schemas.ts', schemasOf(read.map(({ crd }) => crd)));
  for (const { crd } of kinds) files.set(`charts/belay/templates/crds/${crd}`, crdTemplate(crd, readFileSync(join(root, 'crds', crd), 'utf8'), notice));
  files.set('charts/belay/README.md', chartReadme(readFileSync(join(root, 'charts/belay/values.yaml'), 'utf8')));
  return files;
}

function chartReadme(values: string): string {
  return `<!-- Generated from values.yaml by \`npm run generate\`: change the comments there, never this file. -->
# Chart belay

Installs Belay: the kinds \`FallbackChain\` and \`ModelProvider\`, the operator and the webhook that gives annotated pods their sidecar.
How to install, upgrade and remove it: [docs/install.md](../../docs/install.md). A value that is not in this table is refused.

${valuesTable(chartValues(values))}
`;
}

/** Paths of generated files that are missing or not current. */
export function outdated(): readonly string[] {
  const files = generate();
  return [...files].filter(([path, text]) => !existsSync(join(root, path)) || readFileSync(join(root, path), 'utf8') !== text).map(([path]) => path);
}

/** The form that the API server stores and reads back: a field with a default is always there. */
function typesOf({ spec }: CustomResourceDefinition): string {
  const { kind } = spec.names;
  const schema = spec.versions[0]?.schema.openAPIV3Schema;
  const { spec: specSchema, status } = schema?.properties ?? {};
  if (schema === undefined || specSchema === undefined || status === undefined) throw new Error(`${kind}: its CRD describes no spec or no status`);
  return `// ${notice}
import type { ObjectMeta } from './object-meta.ts';

${comment(schema, '')}export interface ${kind} {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly spec: ${kind}Spec;
  readonly status?: ${kind}Status;
}

${comment(specSchema, '')}export interface ${kind}Spec ${typeOf(specSchema, '')}

${comment(status, '')}export interface ${kind}Status ${typeOf(status, '')}
`;
}

function typeOf(schema: Schema, indent: string): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => `'${value}'`).join(' | ');
  switch (schema.type) {
    case 'string': return 'string';
    case 'boolean': return 'boolean';
    case 'integer': return 'number';
    case 'array': return `readonly ${itemsOf(schema, indent)}[]`;
    case 'object': return schema.additionalProperties === undefined ? `{\n${membersOf(schema, `${indent}  `)}${indent}}` : `{ readonly [name: string]: ${typeOf(schema.additionalProperties, indent)} }`;
    default: throw new Error(`the CRDs use no type ${schema.type}: teach scripts/generate.ts what it is in TypeScript`);
  }
}

function itemsOf({ items = {} }: Schema, indent: string): string {
  return items.enum === undefined ? typeOf(items, indent) : `(${typeOf(items, indent)})`;
}

function membersOf({ properties = {}, required = [] }: Schema, indent: string): string {
  return Object.entries(properties)
    .map(([name, property]) => {
      const always = required.includes(name) || property.default !== undefined;
      return `${comment(property, indent)}${indent}readonly ${name}${always ? '' : '?'}: ${typeOf(property, indent)};\n`;
    })
    .join('');
}

function comment({ description }: Schema, indent: string): string {
  return description === undefined ? '' : `${indent}/** ${description} */\n`;
}

function schemasOf(crds: readonly CustomResourceDefinition[]): string {
  const entries = crds.flatMap(({ spec: { group, names, versions } }) => versions.map(({ name, schema }) => ({
    group, version: name, kind: names.kind, plural: names.plural, singular: names.singular, shortNames: names.shortNames, schema: schema.openAPIV3Schema,
  })));
  return `// ${notice}

/** One kind as its CRD describes it. */
export interface CrdSchema {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  /** The OpenAPI schema of the whole resource, x-kubernetes-* extensions included. */
  readonly schema: OpenAPISchema;
}

/** The part of OpenAPI 3 that a structural schema may use. */
export interface OpenAPISchema {
  readonly type?: string;
  readonly description?: string;
  readonly format?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly required?: readonly string[];
  readonly properties?: { readonly [name: string]: OpenAPISchema };
  /** A map: every member is of this kind. */
  readonly additionalProperties?: OpenAPISchema;
  readonly items?: OpenAPISchema;
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-validations'?: readonly {
    readonly rule: string;
    readonly message: string;
    readonly fieldPath?: string;
    readonly reason?: string;
  }[];
}

/** Every kind of the API group, sorted by kind. */
export const crdSchemas: readonly CrdSchema[] = ${JSON.stringify(entries.sort((a, b) => (a.kind < b.kind ? -1 : 1)), null, 2)};
`;
}

function main(): number {
  if (process.argv.includes('--check')) {
    const paths = outdated();
    for (const path of paths) console.error(`${path} is not current with what it is generated from: run \`npm run generate\`.`);
    return paths.length === 0 ? 0 : 1;
  }
  for (const [path, text] of generate()) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return 0;
}

if (process.argv[1] !== undefined && basename(process.argv[1]) === 'generate.ts') process.exitCode = main();
