import { createHash } from 'node:crypto';
import { Ajv } from 'ajv';
import standalone from 'ajv/dist/standalone/index.js';
import type { Plugin } from 'esbuild';
import { ajvOptions, formOf } from '@belay/cli/validate/check-schema.ts';
import { crdSchemas } from '@belay/operator/core/resources/crd-schemas.ts';

const namespace = 'precompiled-schemas';

/**
 * In the bundle ajv's place is taken by the validators that it makes of the CRDs: the same functions, without what
 * making them costs at each start, and without the compiler.
 */
export function precompiledSchemas(resolveDir: string): Plugin {
  return {
    name: namespace,
    setup(build) {
      build.onResolve({ filter: /^ajv$/ }, ({ path }) => ({ path, namespace }));
      build.onLoad({ filter: /.*/, namespace }, () => ({ contents: moduleText(), loader: 'js', resolveDir }));
    },
  };
}

function moduleText(): string {
  const ajv = new Ajv({ ...ajvOptions, code: { ...ajvOptions.code, source: true, esm: true } });
  for (const crd of crdSchemas) ajv.addSchema(formOf(crd), crd.kind);
  const functions = standalone.default(ajv, Object.fromEntries(crdSchemas.map(({ kind }) => [kind, kind])));
  const digests = crdSchemas.map((crd) => `[${JSON.stringify(digest(formOf(crd)))}, ${crd.kind}]`);
  return `${functions}
import { createHash } from 'node:crypto';
const validators = new Map([${digests.join(', ')}]);
export class Ajv {
  compile(schema) {
    const found = validators.get(createHash('sha256').update(JSON.stringify(schema)).digest('hex'));
    if (found === undefined) throw new Error('the bundle holds validators of the CRDs alone');
    return found;
  }
}
`;
}

function digest(schema: object): string {
  return createHash('sha256').update(JSON.stringify(schema)).digest('hex');
}
