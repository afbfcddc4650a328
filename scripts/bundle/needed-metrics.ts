import type { Plugin } from 'esbuild';

/** In a bundle prom-client is what Belay uses of it: the rest (cluster, default metrics, push gateway) is other modules, loaded at each start. */
export function neededMetrics(resolveDir: string): Plugin {
  return {
    name: namespace,
    setup(build) {
      build.onResolve({ filter: /^prom-client$/ }, ({ path }) => ({ path, namespace }));
      build.onLoad({ filter: /.*/, namespace }, () => ({ contents: used.map((name) => `export { default as ${name} } from 'prom-client/lib/${name.toLowerCase()}.js';`).join('\n'), resolveDir, loader: 'js' }));
    },
  };
}

const namespace = 'needed-metrics';
const used = ['Counter', 'Gauge', 'Histogram', 'Registry'] as const;
