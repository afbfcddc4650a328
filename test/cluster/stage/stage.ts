import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { connectCluster } from '../drivers/connect-cluster.ts';
import type { Cluster } from '../drivers/cluster.ts';
import type { Manifest } from './stage-manifests.ts';

/** What an application saw of one request; see test/programs/application.ts. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly error?: string;
  readonly headers: { readonly [name: string]: string };
  readonly ms: number;
}

export interface Load {
  readonly answered: number;
  readonly failures: readonly string[];
  readonly longestMs: number;
  /** When each target answered first, and when the last request that it answered was sent: milliseconds since the Unix epoch. */
  readonly firstMs: { readonly [target: string]: number };
  readonly lastSentMs: { readonly [target: string]: number };
}

/** One namespace of the cluster with what a test put into it. */
export interface Stage {
  readonly cluster: Cluster;
  readonly namespace: string;
  /** kubectl in this namespace: its standard output; rejects with its words. */
  kubectl(...args: readonly string[]): Promise<string>;
  apply(...manifests: readonly (Manifest | readonly Manifest[])[]): Promise<void>;
  /** Of `kubectl get -o json`. */
  get<T>(...args: readonly string[]): Promise<T>;
  /** Waits until every Deployment that is named is rolled out. */
  rolledOut(...deployments: readonly string[]): Promise<void>;
  /** The application of a Deployment asks once. */
  ask(deployment: string, question?: { readonly model?: string; readonly text?: string; readonly stream?: boolean; readonly tokens?: number }): Promise<Answer>;
  /** What an application with `loadEveryMs` saw since it was forgotten last. */
  load(deployment: string, forget?: 'forget'): Promise<Load>;
  /** Reads `load` of the pod that runs now, again and again without kubectl where pods are reached. */
  meter(deployment: string): Promise<() => Promise<Load>>;
  /** What a stand-in answers from now on. */
  script(name: string, attempts: readonly object[]): Promise<void>;
  /** `refuse`: connections are refused until `listen`. */
  order(name: string, order: 'refuse' | 'listen'): Promise<void>;
  /** Requests that a stand-in got. */
  requests(name: string): Promise<readonly { readonly headers: { readonly [name: string]: string } }[]>;
  /** When each authorization came to a stand-in first, in milliseconds since the Unix epoch; `none`: a request without. */
  keys(name: string): Promise<{ readonly [authorization: string]: number }>;
  /** What a condition of a resource (`fbchain/NAME`) says: `False NoUsableTarget …`; empty: nothing yet. */
  condition(resource: string, type: string): Promise<string>;
  /** JSON of a page of the sidecar, as the application beside it reads it. */
  page<T>(deployment: string, path: string): Promise<T>;
  close(): Promise<void>;
}

/** A namespace of its own on the cluster of the suite. */
export async function raiseStage(prefix: string, labels: { readonly [name: string]: string } = {}): Promise<Stage> {
  const cluster = await connectCluster();
  const namespace = `${prefix}-${randomBytes(3).toString('hex')}`;
  await cluster.kubectl(['apply', '--filename', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } }) });
  const kubectl: Stage['kubectl'] = (...args) => cluster.kubectl(['--namespace', namespace, ...args]);
  // Pods are refused until the controllers have made it.
  await kubectl('wait', '--for=create', 'serviceaccount/default', '--timeout=60s');
  const raw = (what: string): string => `/api/v1/namespaces/${namespace}/${what}`;
  const podOf = async (deployment: string): Promise<string> => {
    const names = await kubectl('get', 'pods', '--selector', `app=${deployment}`, '--field-selector', 'status.phase=Running', '--sort-by=.metadata.creationTimestamp', '--output', 'name');
    const name = names.trim().split('\n').at(-1)?.replace('pod/', '') ?? '';
    if (name === '') throw new Error(`deployment ${deployment} has no running pod in ${namespace}`);
    return name;
  };
  const ofApplication = async <T>(deployment: string, path: string): Promise<T> => JSON.parse(await cluster.kubectl(['get', '--raw', raw(`pods/${await podOf(deployment)}:8080/proxy${path}`)])) as T;
  return {
    cluster, namespace, kubectl,
    async apply(...manifests) {
      const list = { apiVersion: 'v1', kind: 'List', items: manifests.flat() };
      await cluster.kubectl(['apply', '--namespace', namespace, '--filename', '-'], { input: JSON.stringify(list) });
    },
    get: async <T>(...args: readonly string[]) => JSON.parse(await kubectl('get', ...args, '--output', 'json')) as T,
    async rolledOut(...deployments) {
      for (const deployment of deployments) await kubectl('rollout', 'status', `deployment/${deployment}`, '--timeout=120s');
    },
    ask: (deployment, { model, text, stream = false, tokens } = {}) => {
      const query = new URLSearchParams({ ...(text === undefined ? {} : { text }), ...(model === undefined ? {} : { model }), ...(stream ? { stream: '1' } : {}), ...(tokens === undefined ? {} : { tokens: String(tokens) }) });
      return ofApplication<Answer>(deployment, `/ask?${query.toString()}`);
    },
    load: (deployment, forget) => ofApplication<Load>(deployment, `/load${forget === undefined ? '' : '?forget'}`),
    async meter(deployment) {
      const pod = await podOf(deployment);
      const address = await kubectl('get', 'pod', pod, '--output', 'jsonpath={.status.podIP}');
      if (!cluster.reachesPods) return async () => JSON.parse(await cluster.kubectl(['get', '--raw', raw(`pods/${pod}:8080/proxy/load`)])) as Load;
      return async () => (await (await fetch(`http://${address.includes(':') ? `[${address}]` : address}:8080/load`)).json()) as Load;
    },
    async script(name, attempts) {
      await cluster.kubectl(['replace', '--raw', raw(`services/${name}:orders/proxy/script`), '--filename', '-'], { input: JSON.stringify(attempts) });
    },
    async order(name, order) {
      await cluster.kubectl(['create', '--raw', raw(`services/${name}:orders/proxy/${order}`), '--filename', '-'], { input: '{}' });
    },
    async requests(name) {
      return JSON.parse(await cluster.kubectl(['get', '--raw', raw(`services/${name}:orders/proxy/requests`)])) as readonly { readonly headers: { readonly [name: string]: string } }[];
    },
    async keys(name) {
      return JSON.parse(await cluster.kubectl(['get', '--raw', raw(`services/${name}:orders/proxy/keys`)])) as { readonly [authorization: string]: number };
    },
    condition: (resource, type) => kubectl('get', resource, '--output', `jsonpath={range .status.conditions[?(@.type=="${type}")]}{.status} {.reason} {.message}{end}`),
    async page<T>(deployment: string, path: string) {
      const script = `console.log(await (await fetch(new URL('${path}', process.env.OPENAI_BASE_URL))).text())`;
      return JSON.parse(await kubectl('exec', await podOf(deployment), '--container', 'app', '--', '/nodejs/bin/node', '--input-type=module', '--eval', script)) as T;
    },
    async close() {
      await cluster.kubectl(['delete', 'namespace', namespace, '--ignore-not-found', '--wait=false']);
      await cluster.kubectl(['delete', 'persistentvolume', `models-${namespace}`, '--ignore-not-found', '--wait=false']);
    },
  };
}

/** Looks again and again until `look` gives something; fails after `limitMs` with what it threw last, or what was waited for. */
export async function until<T>(what: string, limitMs: number, look: () => Promise<T | null>, everyMs = 100): Promise<T> {
  const startedMs = performance.now();
  let last: unknown = null;
  while (performance.now() - startedMs < limitMs) {
    try {
      const seen = await look();
      if (seen !== null) return seen;
    } catch (error) {
      last = error;
    }
    await pause(everyMs);
  }
  throw new Error(`${what}: not within ${limitMs / 1_000} s`, { cause: last });
}
