import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { patchFor } from '@belay/operator/core/inject/patch-for.ts';
import type { Container, Pod } from '@belay/operator/core/inject/pod.ts';
import { applyPatch } from '../golden/inject/apply-patch.ts';
import { arbitraryPod } from '../golden/inject/arbitrary-pod.ts';
import { readPods, settings } from '../golden/inject/read-pods.ts';
import { createKubernetesAPI, type KubernetesAPI } from './kubernetes-api.ts';

let api: KubernetesAPI;
let stop = (): Promise<void> => Promise.resolve();
const pods = '/api/v1/namespaces/restricted/pods?dryRun=All&fieldValidation=Strict';

beforeAll(async () => {
  api = createKubernetesAPI(await kubeconfig());
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'restricted', labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } } };
  const { status } = await api.send('POST', '/api/v1/namespaces', { body: namespace });
  expect([201, 409]).toContain(status);
}, 900_000);

afterAll(async () => {
  api.close();
  await stop();
});

describe('a namespace with restricted Pod Security takes the injected pod, and its defaults leave nothing to inject', () => {
  test.each(readPods().map(({ name, pod }) => [name, restricted(pod)] as const).filter(([, pod]) => patchFor(pod, settings).kind === 'patched'))('%s', async (_, pod) => {
    const stored = await create(injectedOf(pod));
    expect(stored).toEqual({ status: 201, message: undefined, body: expect.anything() });
    expect(patchFor(stored.body as Pod, settings)).toMatchObject({ kind: 'patched', patch: [] });
  });

  test('whatever the pod', async () => {
    await fc.assert(fc.asyncProperty(arbitraryPod.filter(isValid).map(restricted), async (pod) => {
      const stored = await create(injectedOf(pod));
      expect(stored).toMatchObject({ status: 201, message: undefined });
      expect(patchFor(stored.body as Pod, settings)).toMatchObject({ kind: 'patched', patch: [] });
    }), { numRuns: 60 });
  }, 120_000);
});

test.each<[string, (pod: Pod) => Pod]>([
  ['Guaranteed', (pod) => withResources(pod, { limits: { cpu: '1', memory: '1Gi' } })],
  ['Burstable', (pod) => withResources(pod, { limits: { cpu: '1' } })],
])('a pod that is %s stays so', async (qosClass, change) => {
  const { body } = await create(injectedOf(change(restricted(plain()))));
  expect(body).toMatchObject({ status: { qosClass } });
});

test('that namespace refuses a sidecar without the security context of injection', async () => {
  const pod = injectedOf(restricted(plain()));
  const [sidecar, ...others] = pod.spec.initContainers ?? [];
  const bare = { ...pod, spec: { ...pod.spec, initContainers: [{ ...sidecar, securityContext: {} }, ...others] } } as Pod;
  expect(await create(bare)).toMatchObject({ status: 403, message: expect.stringContaining('violates PodSecurity "restricted:latest"') });
});

async function create(pod: Pod): Promise<{ readonly status: number; readonly message: string | undefined; readonly body: unknown }> {
  // What the plug-in ServiceAccount settles before any webhook; this API server runs without it.
  const spec = { ...pod.spec, serviceAccountName: 'default' };
  const { status, body } = await api.send('POST', pods, { body: { apiVersion: 'v1', kind: 'Pod', ...pod, metadata: { ...pod.metadata, name: 'app' }, spec } });
  return { status, message: (body as { readonly message?: string }).message, body };
}

function injectedOf(pod: Pod): Pod {
  const outcome = patchFor(pod, settings);
  if (outcome.kind !== 'patched') throw new Error(outcome.message);
  return applyPatch(pod, outcome.patch);
}

function plain(): Pod {
  const found = readPods().find(({ name }) => name === 'plain');
  if (found === undefined) throw new Error('test/golden/inject has no plain.yaml');
  return found.pod;
}

/** The application's own part of the restricted standard. */
function restricted(pod: Pod): Pod {
  const securityContext = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] }, runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } };
  const each = (containers: readonly Container[]) => containers.map((container) => ({ ...container, securityContext }));
  return { ...pod, spec: { ...pod.spec, containers: each(pod.spec.containers), ...(pod.spec.initContainers === undefined ? {} : { initContainers: each(pod.spec.initContainers) }) } };
}

function withResources(pod: Pod, resources: Container['resources']): Pod {
  return { ...pod, spec: { ...pod.spec, containers: pod.spec.containers.map((container) => ({ ...container, ...(resources === undefined ? {} : { resources }) })) } };
}

/** An API server refuses requests above limits, whoever wrote them. */
function isValid({ spec }: Pod): boolean {
  return [...spec.containers, ...(spec.initContainers ?? [])].every(({ resources }) => resources?.requests === undefined || resources.limits === undefined);
}

async function kubeconfig(): Promise<string> {
  const given = process.env['BELAY_TEST_KUBECONFIG'];
  if (given !== undefined) return given;
  const { startApiServer } = (await import('../../scripts/kubernetes/with-api-server.ts')) as { startApiServer: () => Promise<{ kubeconfig: string; close: () => Promise<void> }> };
  const server = await startApiServer();
  stop = () => server.close();
  return server.kubeconfig;
}
