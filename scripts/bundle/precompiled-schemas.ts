import { Ajv } from 'ajv';
import standalone from 'ajv/dist/standalone/index.js';
import type { Plugin } from 'esbuild';
import { ajvOptions, checkedForm } from '@belay/cli/validate/check-schema.ts';
import { crdSchemas } from '@belay/operator/core/resources/crd-schemas.ts';

const namespace = 'precompiled-schemas';

/**
 * In the bundle ajv's place is taken by the validators that it makes of the CRDs: the same functions, without the 90 ms
 * that making them costs at each start, and without the compiler.
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
  const ajv = new Ajv({ ...ajvOptions, code: { source: true, esm: true } });
  for (const crd of crdSchemas) ajv.addSchema(checkedForm(crd));
  const validators = standalone.default(ajv, Object.fromEntries(crdSchemas.map(({ kind }) => [kind, kind])));
  return `${validators}
const validators = { ${crdSchemas.map(({ kind }) => kind).join(', ')} };
export class Ajv {
  compile({ $id }) {
    const found = validators[$id];
    if (found === undefined) throw new Error('the bundle holds validators of the CRDs alone');
    return found;
  }
}
`;
}
