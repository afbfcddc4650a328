import { expect, test } from '@jest/globals';
import { cleanUp } from './cleanup.ts';
import type { KubeClient, ListQuery } from './kube/kube-client.ts';
import { KubeError } from './kube/kube-error.ts';
import type { KubeList, KubeObject } from './kube/kube-object.ts';
import type { ObjectPlace, Place } from './kube/resource-path.ts';
import { parseSettings } from './settings.ts';

const provider = { apiVersion: 'belay.dev/v1alpha1', kind: 'ModelProvider', name: 'on-cluster' };
const own = ['mutatingwebhookconfigurations//belay-injector', 'secrets/belay-system/belay-ca', 'leases/belay-system/belay'];

test('what the operator made goes, from every page of every namespace', async () => {
  const cluster = fakeCluster({
    configmaps: [[object('a', 'belay-bootstrap')], [object('b', 'belay-bootstrap')]],
    deployments: [[object('a', 'on-cluster', provider)]],
    services: [[object('a', 'on-cluster', provider)]],
  });
  expect(await run(cluster.client)).toEqual([]);
  expect(cluster.deleted).toEqual([...own, 'configmaps/a/belay-bootstrap', 'configmaps/b/belay-bootstrap', 'deployments/a/on-cluster', 'services/a/on-cluster']);
  expect(cluster.asked[1]).toEqual({ limit: 500, labelSelector: 'app.kubernetes.io/managed-by=belay', fieldSelector: 'metadata.name=belay-bootstrap' });
});

test('while the operator is installed nothing is removed, for a Job out of helm template may have been applied with all the rest', async () => {
  const cluster = fakeCluster({ configmaps: [[object('a', 'belay-bootstrap')]] }, { installed: [object('belay-system', 'belay')] });
  await expect(run(cluster.client)).rejects.toThrow('nothing was removed, for deployments.apps belay in namespace belay-system is still there: uninstall Belay first. Where helm template is applied by hand, it takes --no-hooks.');
  expect([cluster.deleted, cluster.asked]).toEqual([[], [{ fieldSelector: 'metadata.name=belay' }]]);
});

test('an operator that is being deleted counts as gone', async () => {
  const going = { metadata: { namespace: 'belay-system', name: 'belay', deletionTimestamp: '2026-01-01T00:00:00Z' } };
  expect(await run(fakeCluster({}, { installed: [going] }).client)).toEqual([]);
});

test('a Deployment that only bears the label stays', async () => {
  const cluster = fakeCluster({ deployments: [[object('a', 'mine'), object('a', 'other', { ...provider, apiVersion: 'other.dev/v1' })]], services: [[object('a', 'mine', { ...provider, kind: 'Pod' })]] });
  expect(await run(cluster.client)).toEqual([]);
  expect(cluster.deleted).toEqual(own);
});

test('what may not be removed, or read, keeps nothing else, and is told', async () => {
  const refuse = (what: string) => { throw new KubeError(`${what}: forbidden`, { status: 403, reason: 'Forbidden', retryAfterMs: null, causes: [] }); };
  const cluster = fakeCluster({ configmaps: [[object('a', 'belay-bootstrap'), object('b', 'belay-bootstrap')]] }, {
    list: (plural, { fieldSelector }) => { if (plural === 'deployments' && fieldSelector === undefined) refuse('list'); },
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
  const cluster = fakeCluster({}, { list: (plural) => { if (plural !== 'deployments' || late.signal.aborted) { late.abort(); throw new Error('aborted'); } } });
  expect(await run(cluster.client, late.signal)).toEqual(['configmaps of all namespaces: time was up', 'deployments of all namespaces: time was up', 'services of all namespaces: time was up']);
});

test('--cleanup stands in place of a role, never beside one', () => {
  const env = { BELAY_NAMESPACE: 'belay-system' };
  expect(parseSettings(['--cleanup'], env)).toMatchObject({ ok: true, value: { cleanup: true, roles: new Set() } });
  expect(parseSettings(['--role=webhook'], env)).toMatchObject({ ok: true, value: { cleanup: false, roles: new Set(['webhook']) } });
  expect(parseSettings(['--cleanup', '--role=all'], env)).toEqual({ ok: false, problems: [{ path: '--role', message: 'may not be given together with --cleanup' }] });
});

function run(client: KubeClient, signal = new AbortController().signal): Promise<readonly string[]> {
  return cleanUp({ client, log: () => {}, namespace: 'belay-system', name: 'belay', signal });
}

function object(namespace: string, name: string, owner?: object): KubeObject {
  return { metadata: { namespace, name, ...(owner === undefined ? {} : { ownerReferences: [owner] }) } };
}

function fakeCluster(pages: Record<string, readonly (readonly KubeObject[])[]>, hooks: { readonly installed?: readonly KubeObject[]; readonly list?: (plural: string, query: ListQuery) => void; readonly delete?: (place: ObjectPlace) => void } = {}) {
  const installed = hooks.installed ?? [];
  const deleted: string[] = [];
  const asked: ListQuery[] = [];
  const refuse = (): Promise<never> => Promise.reject(new Error('cleanUp lists and deletes'));
  const client: KubeClient = {
    list: async <T extends KubeObject>({ resource: { plural } }: Place, query: ListQuery) => {
      asked.push(query);
      hooks.list?.(plural, query);
      const page = Number(query.continue ?? 0);
      // The first question is for the operator's own Deployment.
      const all = asked.length === 1 ? [installed] : pages[plural] ?? [];
      return { metadata: { continue: page + 1 < all.length ? String(page + 1) : '' }, items: all[page] ?? [] } as KubeList<KubeObject> as KubeList<T>;
    },
    delete: async (place) => {
      hooks.delete?.(place);
      deleted.push(`${place.resource.plural}/${place.namespace ?? ''}/${place.name}`);
    },
    watch: refuse, get: refuse, create: refuse, replace: refuse, patch: refuse, apply: refuse,
  };
  return { client, deleted, asked };
}
