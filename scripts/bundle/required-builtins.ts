import type { Plugin } from 'esbuild';

/**
 * In a bundle Node's own modules are required, not imported: an import reads every export, and with it what Node loads only on demand: `node:http` its
 * WebSocket client, `node:tls` the list of all root certificates (bench/start-and-memory.md). The same modules either way.
 */
export function requiredBuiltins(): Plugin {
  return {
    name: 'required-builtins',
    setup(build) {
      build.onResolve({ filter: /^node:/ }, ({ path, kind, namespace: from }) => (kind === 'require-call' || from === namespace ? { path, external: true } : { path, namespace }));
      build.onLoad({ filter: /.*/, namespace }, ({ path }) => ({ contents: `module.exports = require(${JSON.stringify(path)});`, loader: 'js' }));
    },
  };
}

const namespace = 'required-builtins';
