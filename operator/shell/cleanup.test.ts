import { expect, test } from '@jest/globals';
import { cleanUp } from './cleanup.ts';
import type { KubeClient, ListQuery } from './kube/kube-client.ts';
import { KubeError } from './kube/kube-error.ts';
import type { KubeList, KubeObject } from './kube/kube-object.ts';
import type { ObjectPlace, Place } from './kube/resource-path.ts';

const provider = { apiVersion: 'belay.dev/v1alpha1', kind: 'ModelProvider', name: 'on-cluster' };
const own = ['secrets/belay-system/belay-ca', 'leases/belay-system/belay'];

test('what the operator made goes, from every page of every namespace', async () => {
  const cluster = fakeCluster({
    configmaps: [[object('a', 'belay-bootstrap')], [object('b', 'belay-bootstrap')]],
    deployments: [[object('a', 'on-cluster', provider)]],
    services: [[object('a', 'on-cluster', provider)]],
  });
  expect(await run(cluster.client)).toEqual([]);
  expect(cluster.deleted).toEqual([...own, 'configmaps/a/belay-bootstrap', 'configmaps/b/belay-bootstrap', 'deployments/a/on-cluster', 'services/a/on-cluster']);
  expect(cluster.asked[0]).toEqual({ limit: 500, labelSelector: 'app.kubernetes.io/managed-by=belay', fieldSelector: 'metadata.name=belay-bootstrap' });
});

test('a Deployment that only bears the label stays', async () => {
  const cluster = fakeCluster({ deployments: [[object('a', 'mine'), object('a', 'other', { ...provider, apiVersion: 'other.dev/v1' })]], services: [[object('a', 'mine', { ...provider, kind: 'Pod' })]] });
  expect(await run(cluster.client)).toEqual([]);
  expect(cluster.deleted).toEqual(own);
});

test('what may not be removed, or read, keeps nothing else, and is told', async () => {
  const refuse = (what: string) => { throw new KubeError(`${what}: forbidden`, { status: 403, reason: 'Forbidden', retryAfterMs: null, causes: [] }); };
  const cluster = fakeCluster({ configmaps: [[object('a', 'belay-bootstrap'), object('b', 'belay-bootstrap')]] }, {
    list: (plural) => { if (plural === 'deployments') refuse('list'); },
    delete: (place) => { if (place.namespace === 'a') refuse('delete'); },
  });
  expect(await run(cluster.client)).toEqual(['configmaps belay-bootstrap in namespace a: delete: forbidden', 'deployments of all namespaces: list: forbidden']);
  expect(cluster.deleted).toEqual([...own, 'configmaps/b/belay-bootstrap']);
});

test('what is gone already counts as removed', async () => {
  const cluster = fakeCluster({ configmaps: [[object('a', 'belay-bootstrap')]] }, {
    delete: () => { throw new KubeError('gone', { status: 404, reason: 'NotFound', retryAfterMs: null, causes: [] }); },
  });
  expect(await run(cluster.client)).toEqual([]);
});

test('when time is up it ends, and says what it did not come to', async () => {
  const late = new AbortController();
  const cluster = fakeCluster({}, { list: () => { late.abort(); throw new Error('aborted'); } });
  expect(await run(cluster.client, late.signal)).toEqual(['configmaps of all namespaces: time was up', 'deployments of all namespaces: time was up', 'services of all namespaces: time was up']);
});

function run(client: KubeClient, signal = new AbortController().signal): Promise<readonly string[]> {
  return cleanUp({ client, log: () => {}, namespace: 'belay-system', name: 'belay', signal });
}

function object(namespace: string, name: string, owner?: object): KubeObject {
  return { metadata: { namespace, name, ...(owner === undefined ? {} : { ownerReferences: [owner] }) } };
}

function fakeCluster(pages: Record<string, readonly (readonly KubeObject[])[]>, hooks: { readonly list?: (plural: string) => void; readonly delete?: (place: ObjectPlace) => void } = {}) {
  const deleted: string[] = [];
  const asked: ListQuery[] = [];
  const refuse = (): Promise<never> => Promise.reject(new Error('cleanUp lists and deletes'));
  const client: KubeClient = {
    list: async <T extends KubeObject>({ resource: { plural } }: Place, query: ListQuery) => {
      asked.push(query);
      hooks.list?.(plural);
      const page = Number(query.continue ?? 0);
      const all = pages[plural] ?? [];
      return { metadata: { continue: page + 1 < all.length ? String(page + 1) : '' }, items: all[page] ?? [] } as KubeList<KubeObject> as KubeList<T>;
    },
    delete: async (place) => {
      hooks.delete?.(place);
      deleted.push(`${place.resource.plural}/${place.namespace}/${place.name}`);
    },
    watch: refuse, get: refuse, create: refuse, replace: refuse, patch: refuse, apply: refuse,
  };
  return { client, deleted, asked };
}
