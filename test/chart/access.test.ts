import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startApiServer, type ApiServer } from '../../scripts/kubernetes/with-api-server.ts';
import { createKubernetesAPI, type KubernetesAPI } from '../crds/kubernetes-api.ts';
import { sidecarContainer } from '@belay/operator/core/inject/sidecar-container.ts';
import { everything, isHook, parseObjects, renderText } from './render-chart.ts';
import { runTool } from './run-tool.ts';

/** `verb resource[.group][/subresource][:name] [in NAMESPACE]`, as the API server's authorizer sees a request. */
type Right = string;

let server: ApiServer;
let api: KubernetesAPI;

beforeAll(async () => {
  server = await startApiServer();
  api = createKubernetesAPI(server.kubeconfig);
}, 900_000);

afterAll(async () => {
  api.close();
  await server.close();
});

describe('the webhook\'s account', () => {
  const account = 'default-install:belay-webhook';
  beforeAll(() => install('default-install', []), 60_000);

  test.each<Right>([
    'get secrets:belay-ca in default-install', 'list secrets:belay-ca in default-install', 'watch secrets:belay-ca in default-install', 'update secrets:belay-ca in default-install', 'create secrets in default-install',
    'list mutatingwebhookconfigurations.admissionregistration.k8s.io:belay-injector', 'watch mutatingwebhookconfigurations.admissionregistration.k8s.io:belay-injector', 'patch mutatingwebhookconfigurations.admissionregistration.k8s.io:belay-injector',
  ])('may %s', async (right) => {
    expect(await may(account, right)).toBe(true);
  });

  test.each<Right>([
    'get secrets:other in default-install', 'list secrets in default-install', 'delete secrets:belay-ca in default-install', 'get secrets:belay-ca in default', 'list secrets', 'watch secrets',
    'create mutatingwebhookconfigurations.admissionregistration.k8s.io', 'patch mutatingwebhookconfigurations.admissionregistration.k8s.io:other', 'delete mutatingwebhookconfigurations.admissionregistration.k8s.io:belay-injector',
    'list pods', 'create pods in default', 'list fallbackchains.belay.dev', 'list configmaps', 'create events in default', 'create tokenreviews.authentication.k8s.io', 'get leases.coordination.k8s.io:belay in default-install', 'create serviceaccounts/token:belay in default-install',
  ])('may not %s', async (right) => {
    expect(await may(account, right)).toBe(false);
  });
});

describe('the controller\'s account', () => {
  const account = 'default-install:belay';

  test.each<Right>([
    'list fallbackchains.belay.dev', 'watch modelproviders.belay.dev', 'patch fallbackchains.belay.dev/status:chat in default', 'patch modelproviders.belay.dev/status:openai in default',
    'create events in default', 'patch events:e in default', 'list namespaces', 'get namespaces:default', 'watch pods', 'watch deployments.apps', 'watch services', 'watch configmaps:corp-ca in default',
    'create configmaps:belay-bootstrap in default', 'patch configmaps:belay-bootstrap in default', 'delete configmaps:belay-bootstrap in default',
    'create tokenreviews.authentication.k8s.io', 'get leases.coordination.k8s.io:belay in default-install', 'update leases.coordination.k8s.io:belay in default-install', 'create leases.coordination.k8s.io in default-install',
    'watch secrets:belay-ca in default-install', 'update secrets:belay-ca in default-install', 'create secrets in default-install', 'watch secrets:openai in default',
    'patch mutatingwebhookconfigurations.admissionregistration.k8s.io:belay-injector', 'patch deployments.apps:on-cluster in default', 'create services:on-cluster in default', 'get services:on-cluster in default', 'delete deployments.apps:on-cluster in default',
  ])('may %s', async (right) => {
    expect(await may(account, right)).toBe(true);
  });

  test.each<Right>([
    'patch fallbackchains.belay.dev:chat in default', 'delete modelproviders.belay.dev:openai in default', 'create fallbackchains.belay.dev in default',
    'patch configmaps:other in default', 'create configmaps in default', 'delete configmaps:kube-root-ca.crt in default', 'create secrets in default', 'update secrets:openai in default', 'delete secrets:openai in default',
    'create pods in default', 'delete pods:p in default', 'create pods/exec:p in default', 'update deployments.apps:d in default', 'update leases.coordination.k8s.io:other in default-install', 'get leases.coordination.k8s.io:belay in kube-system',
    'create mutatingwebhookconfigurations.admissionregistration.k8s.io', 'patch mutatingwebhookconfigurations.admissionregistration.k8s.io:other', 'patch namespaces:default', 'delete namespaces:default',
    'create clusterrolebindings.rbac.authorization.k8s.io', 'create serviceaccounts/token:default in default', 'impersonate users:admin', 'list nodes',
  ])('may not %s', async (right) => {
    expect(await may(account, right)).toBe(false);
  });
});

describe('promise 9: with secretAccess: namespaces the distributor', () => {
  const account = 'narrow:belay';
  beforeAll(async () => {
    await namespace('support');
    await namespace('models');
    await install('narrow', ['--set', 'secretAccess=namespaces', '--set', 'secretNamespaces={support}', '--set', 'localTier.access=namespaces', '--set', 'localTier.namespaces={support}']);
  }, 60_000);

  test.each<readonly [boolean, Right]>([
    [true, 'watch secrets:openai in support'], [true, 'list secrets:openai in support'], [false, 'watch secrets:openai in models'], [false, 'get secrets:openai in default'], [false, 'list secrets'],
    [true, 'watch secrets:belay-ca in narrow'], [false, 'get secrets:other in narrow'],
  ])('%s: may %s', async (expected, right) => {
    expect(await may(account, right)).toBe(expected);
  });

  test.each<readonly [boolean, Right]>([
    [true, 'patch deployments.apps:on-cluster in support'], [true, 'create deployments.apps in support'], [false, 'create deployments.apps in models'], [false, 'patch services:s in models'], [true, 'watch deployments.apps'],
  ])('has no way around it by a pod of its own: %s: may %s', async (expected, right) => {
    expect(await may(account, right)).toBe(expected);
  });

  test('and with localTier.access: none it writes no Deployment anywhere', async () => {
    await install('none', ['--set', 'localTier.access=none']);
    for (const right of ['create deployments.apps in support', 'patch deployments.apps:d in none', 'delete services:s in support']) expect(await may('none:belay', right)).toBe(false);
  }, 60_000);
});

describe('promise 8: the sidecar has no rights', () => {
  test('no object of the chart gives any to a subject but its own accounts', async () => {
    for (const args of [[], ['--values', everything]]) {
      const objects = parseObjects(await renderText({ args }));
      const accounts = objects.filter(({ kind }) => kind === 'ServiceAccount').map(({ metadata }) => metadata.name);
      const subjects = objects.flatMap(({ subjects: given }) => (given ?? []) as readonly { readonly kind: string; readonly name: string; readonly namespace: string }[]);
      expect(subjects.length).toBeGreaterThan(0);
      expect(subjects.filter(({ kind, name, namespace: place }) => kind !== 'ServiceAccount' || place !== 'belay-system' || !accounts.includes(name))).toEqual([]);
    }
  });

  test('and its container has nobody\'s token but the one for the distributor', () => {
    const { volumeMounts } = sidecarContainer(
      { chains: ['*'], environment: 'All', image: null, logLevel: 'info', resources: { cpu: null, memory: null, cpuLimit: null, memoryLimit: null } },
      { image: 'belay', imagePullPolicy: 'Always', imagePullSecrets: [], distributor: 'belay.belay-system.svc:7443', userIds: 'fixed', caCertificates: '' }, { userIds: 'fixed', resources: {}, proxy: [] },
    ) as { readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[] };
    expect(volumeMounts).toEqual(expect.arrayContaining([{ name: 'belay-token', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount', readOnly: true }]));
  });

  test.each<Right>(['list secrets in support', 'list fallbackchains.belay.dev in support', 'get configmaps:belay-bootstrap in support', 'create tokenreviews.authentication.k8s.io'])('an application\'s account may not %s', async (right) => {
    expect(await may('support:default', right)).toBe(false);
  });
});

describe('people', () => {
  // Aggregation is a controller's work: here the rules that it would add up are looked at one by one.
  test.each<readonly [string, readonly string[], readonly string[]]>([
    ['belay.dev:view', ['admin', 'edit', 'view'], ['get', 'list', 'watch']],
    ['belay.dev:edit', ['admin', 'edit'], ['create', 'delete', 'deletecollection', 'patch', 'update']],
  ])('%s is added to the cluster\'s own roles', async (name, roles, verbs) => {
    const role = parseObjects(await renderText()).find(({ kind, metadata }) => kind === 'ClusterRole' && metadata.name === name);
    const aggregated = Object.entries(role?.metadata.labels ?? {}).filter(([key, value]) => key.startsWith('rbac.authorization.k8s.io/aggregate-to-') && value === 'true').map(([key]) => key.replace(/.*-/, ''));
    const rules = role?.['rules'] as readonly { readonly resources: readonly string[]; readonly verbs: readonly string[] }[];
    expect([aggregated.sort(), [...(rules[0]?.verbs ?? [])].sort(), rules[0]?.resources]).toEqual([roles, verbs, ['fallbackchains', 'modelproviders']]);
  });
});

test('every verb of a role is a right of the API, and none is a star', async () => {
  const roles = parseObjects(await renderText({ args: ['--values', everything] })).filter(({ kind }) => kind === 'Role' || kind === 'ClusterRole');
  const words = roles.flatMap(({ rules }) => (rules as readonly Readonly<Record<string, readonly string[]>>[]).flatMap((rule) => Object.values(rule).flat()));
  expect(words.filter((word) => word.includes('*'))).toEqual([]);
});

async function namespace(name: string): Promise<void> {
  const { status } = await api.send('POST', '/api/v1/namespaces', { body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name } } });
  expect([201, 409]).toContain(status);
}

/** Accounts and roles of one release, hooks aside. Releases of one name share their cluster-wide objects: what differs is bound to another account. */
async function install(place: string, args: readonly string[]): Promise<void> {
  await namespace(place);
  const release = await renderText({ namespace: place, args: ['--set', 'crds.enabled=false', '--no-hooks', ...args, ...(place === 'default-install' ? [] : ['--set', `nameOverride=${place}`, '--set', 'fullnameOverride=belay'])] });
  const wanted = parseObjects(release).filter((object) => !isHook(object) && ['ServiceAccount', 'Role', 'ClusterRole', 'RoleBinding', 'ClusterRoleBinding'].includes(object.kind));
  // Bindings of the whole cluster are told apart by their namespace.
  const apart = wanted.map((object) => (object.kind === 'ClusterRoleBinding' ? { ...object, metadata: { ...object.metadata, name: `${place}-${object.metadata.name}` } } : object));
  const { code, stderr } = await runTool('kubectl', ['apply', '--server-side', '--force-conflicts', '--validate=strict', '--filename', '-'], { kubeconfig: server.kubeconfig, stdin: apart.map((object) => JSON.stringify(object)).join('\n---\n') });
  expect([code, stderr]).toEqual([0, '']);
}

async function may(account: string, right: Right): Promise<boolean> {
  const [, verb, plural = '', group = '', subresource = '', name = '', place = ''] = /^(\w+) ([a-z]+)(?:\.([a-z0-9.]+))?(?:\/([a-z]+))?(?::([^ ]+))?(?: in (.+))?$/.exec(right) ?? [];
  if (verb === undefined) throw new Error(`${right} is no right`);
  const [home = ''] = account.split(':');
  const { status, body } = await api.send('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', { body: {
    apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview',
    spec: { user: `system:serviceaccount:${account}`, groups: ['system:serviceaccounts', `system:serviceaccounts:${home}`, 'system:authenticated'], resourceAttributes: { verb, resource: plural, group, subresource, name, namespace: place } },
  } });
  expect(status).toBe(201);
  return (body as { readonly status: { readonly allowed: boolean } }).status.allowed;
}
