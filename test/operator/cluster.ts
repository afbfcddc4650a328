import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { createHttpsClient } from '@belay/operator/shell/kube/https-client.ts';
import type { KubeClient } from '@belay/operator/shell/kube/kube-client.ts';
import { hasStatus } from '@belay/operator/shell/kube/kube-error.ts';
import type { KubeObject } from '@belay/operator/shell/kube/kube-object.ts';
import type { Resource } from '@belay/operator/shell/kube/resource-path.ts';
import type { ResourceStatus, StatusCondition } from '@belay/operator/core/status-writes/status-delay.ts';
import { startApiServer, type ApiServer } from '../../scripts/kubernetes/with-api-server.ts';
import { realClock as clock } from '../kube/real-clock.ts';

export interface EventObject extends KubeObject {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly involvedObject: { readonly kind: string; readonly name: string };
}

export interface ConfigMap extends KubeObject { readonly data?: Readonly<Record<string, string>> }

type Status = ResourceStatus & { readonly [field: string]: unknown };

/** A real API server with Belay's kinds, and the words of a person who uses kubectl on it. */
export interface Cluster {
  readonly server: ApiServer;
  readonly client: KubeClient;
  /** Creates it, or changes what is named of it. */
  apply(kind: Kind, namespace: string | null, name: string, more?: object): Promise<void>;
  delete(kind: Kind, namespace: string | null, name: string): Promise<void>;
  get<T extends KubeObject = KubeObject>(kind: Kind, namespace: string | null, name: string): Promise<T | null>;
  list<T extends KubeObject = KubeObject>(kind: Kind, namespace?: string): Promise<readonly T[]>;
  status(kind: Kind, namespace: string, name: string): Promise<Status | undefined>;
  condition(kind: Kind, namespace: string, name: string, type: string): Promise<StatusCondition | undefined>;
  /** `Warning SecretNotFound ModelProvider/openai` of each Event in the namespace. */
  events(namespace: string): Promise<readonly string[]>;
  /** Path of a kubeconfig that leads to this address with every right. */
  kubeconfigFor(url: string): string;
  close(): Promise<void>;
}

const kinds = {
  FallbackChain: { group: 'belay.dev', version: 'v1alpha1', plural: 'fallbackchains' },
  ModelProvider: { group: 'belay.dev', version: 'v1alpha1', plural: 'modelproviders' },
  Namespace: { group: '', version: 'v1', plural: 'namespaces' },
  Secret: { group: '', version: 'v1', plural: 'secrets' },
  ConfigMap: { group: '', version: 'v1', plural: 'configmaps' },
  Pod: { group: '', version: 'v1', plural: 'pods' },
  Event: { group: '', version: 'v1', plural: 'events' },
  Deployment: { group: 'apps', version: 'v1', plural: 'deployments' },
  Lease: { group: 'coordination.k8s.io', version: 'v1', plural: 'leases' },
  CustomResourceDefinition: { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' },
} as const satisfies { readonly [kind: string]: Resource };

export type Kind = keyof typeof kinds;

export async function startCluster(): Promise<Cluster> {
  const server = await startApiServer();
  const folder = mkdtempSync(join(tmpdir(), 'belay-operator-'));
  const client = createHttpsClient({ server: server.url, ca: readFileSync(server.caFile, 'utf8'), token: () => server.token, clock });
  const place = (kind: Kind, namespace: string | null) => ({ resource: kinds[kind], ...(namespace === null ? {} : { namespace }) });
  const get = async <T extends KubeObject>(kind: Kind, namespace: string | null, name: string): Promise<T | null> => {
    try {
      return await client.get<T>({ ...place(kind, namespace), name });
    } catch (error) {
      if (hasStatus(error, 404)) return null;
      throw error;
    }
  };
  const status = async (kind: Kind, namespace: string, name: string): Promise<Status | undefined> => (await get<KubeObject & { readonly status?: Status }>(kind, namespace, name))?.status;
  const list = async <T extends KubeObject>(kind: Kind, namespace?: string): Promise<readonly T[]> => (await client.list<T>(place(kind, namespace ?? null), {})).items ?? [];
  const cluster: Cluster = {
    server, client, get, list, status,
    async apply(kind, namespace, name, more = {}) {
      const { group, version } = kinds[kind];
      const { metadata = {}, ...rest } = more as { readonly metadata?: object };
      await client.apply({ ...place(kind, namespace), name }, { apiVersion: group === '' ? version : `${group}/${version}`, kind, metadata: { name, ...metadata }, ...rest }, { fieldManager: 'kubectl', force: true });
    },
    async delete(kind, namespace, name) { await client.delete({ ...place(kind, namespace), name }); },
    condition: async (kind, namespace, name, type) => (await status(kind, namespace, name))?.conditions?.find((condition) => condition.type === type),
    events: async (namespace) => (await list<EventObject>('Event', namespace)).map(({ type, reason, involvedObject }) => `${type} ${reason} ${involvedObject.kind}/${involvedObject.name}`).sort(),
    kubeconfigFor(url) {
      const file = join(folder, `${encodeURIComponent(url)}.json`);
      writeFileSync(file, JSON.stringify({
        apiVersion: 'v1', kind: 'Config', 'current-context': 'belay', clusters: [{ name: 'belay', cluster: { server: url } }],
        users: [{ name: 'admin', user: { token: server.token } }], contexts: [{ name: 'belay', context: { cluster: 'belay', user: 'admin' } }],
      }), { mode: 0o600 });
      return file;
    },
    async close() {
      client.close();
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  for (const file of readdirSync(crds)) {
    const { metadata, spec } = parse(readFileSync(join(crds, file), 'utf8')) as { readonly metadata: { readonly name: string }; readonly spec: object };
    await cluster.apply('CustomResourceDefinition', null, metadata.name, { spec });
  }
  await cluster.apply('Namespace', null, 'belay-system');
  return cluster;
}

const crds = join(import.meta.dirname, '../../crds');

/** A provider of the OpenAI dialect whose key stands in a Secret of its own name. */
export const keyedProvider = (name: string, more: object = {}): object => ({ spec: { dialect: 'OpenAI', baseURL: `https://${name}.example/v1`, credentials: { secretKeyRef: { name, key: 'apiKey' } }, ...more } });

export const chainOf = (...targets: readonly (string | { readonly name: string; readonly namespace: string })[]): object =>
  ({ spec: { targets: targets.map((target) => ({ providerRef: typeof target === 'string' ? { name: target } : target, model: 'm' })) } });
