import { randomUUID } from 'node:crypto';
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
import { isHook, renderChart } from '../chart/render-chart.ts';
import { realClock as clock } from '../kube/real-clock.ts';
import { requestToken } from './pods-and-tokens.ts';

export interface EventObject extends KubeObject {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly count: number;
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
  /** `Warning SecretNotFound ModelProvider/openai` of each Event in the namespace, with ` 2 times` and the like behind one that was repeated. */
  events(namespace: string): Promise<readonly string[]>;
  /** Path of a kubeconfig that leads to this address, such as a proxy before the server, with every right. */
  kubeconfigFor(url: string): string;
  /** Path of a kubeconfig of one of the chart's service accounts, which has the rights that the chart gives it, and no others. */
  kubeconfigOf(account: 'belay' | 'belay-webhook'): Promise<string>;
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
  Service: { group: '', version: 'v1', plural: 'services' },
  Deployment: { group: 'apps', version: 'v1', plural: 'deployments' },
  Lease: { group: 'coordination.k8s.io', version: 'v1', plural: 'leases' },
  CustomResourceDefinition: { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' },
} as const satisfies { readonly [kind: string]: Resource };

export type Kind = keyof typeof kinds;

/** A real API server with Belay's kinds and, unless `rights` is false for a test that installs the chart itself, the chart's service accounts. */
export async function startCluster({ rights = true } = {}): Promise<Cluster> {
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
    events: async (namespace) => (await list<EventObject>('Event', namespace)).map(({ type, reason, involvedObject, count }) => `${type} ${reason} ${involvedObject.kind}/${involvedObject.name}${count === 1 ? '' : ` ${count} times`}`).sort(),
    kubeconfigFor: (url) => writeAccess(folder, { server: url }, server.token),
    async kubeconfigOf(account) {
      const token = await requestToken(client, { namespace: 'belay-system', account, audiences: ['https://kubernetes.default.svc'] });
      return writeAccess(folder, { server: server.url, 'certificate-authority': server.caFile }, token);
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
  if (rights) await grantChartRights(client);
  return cluster;
}

/** What the chart lets its service accounts do. */
async function grantChartRights(client: KubeClient): Promise<void> {
  const objects = (await renderChart()).filter((object) => !isHook(object));
  for (const [kind, group, plural] of [
    ['ServiceAccount', '', 'serviceaccounts'], ['Role', rbac, 'roles'], ['RoleBinding', rbac, 'rolebindings'], ['ClusterRole', rbac, 'clusterroles'], ['ClusterRoleBinding', rbac, 'clusterrolebindings'],
  ] as const) {
    for (const object of objects.filter((one) => one.kind === kind)) {
      const { namespace } = object.metadata;
      await client.create({ resource: { group, version: 'v1', plural }, ...(namespace === undefined ? {} : { namespace }) }, object);
    }
  }
}

function writeAccess(folder: string, cluster: object, token: string): string {
  const file = join(folder, `${randomUUID()}.json`);
  writeFileSync(file, JSON.stringify({
    apiVersion: 'v1', kind: 'Config', 'current-context': 'belay', clusters: [{ name: 'belay', cluster }],
    users: [{ name: 'user', user: { token } }], contexts: [{ name: 'belay', context: { cluster: 'belay', user: 'user' } }],
  }), { mode: 0o600 });
  return file;
}

const rbac = 'rbac.authorization.k8s.io';
const crds = join(import.meta.dirname, '../../crds');

/** A provider of the OpenAI dialect whose key stands in a Secret of its own name. */
export const keyedProvider = (name: string, more: object = {}): object => ({ spec: { dialect: 'OpenAI', baseURL: `https://${name}.example/v1`, credentials: { secretKeyRef: { name, key: 'apiKey' } }, ...more } });

export const chainOf = (...targets: readonly (string | { readonly name: string; readonly namespace: string })[]): object =>
  ({ spec: { targets: targets.map((target) => ({ providerRef: typeof target === 'string' ? { name: target } : target, model: 'm' })) } });
