import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startApiServer, type ApiServer } from '../../scripts/kubernetes/with-api-server.ts';
import { createKubernetesAPI, type KubernetesAPI } from '../crds/kubernetes-api.ts';
import { testCa } from '../support/test-certificates.ts';
import { chart, everything, parseObjects, renderText, type Rendered } from './render-chart.ts';
import { runTool, type ToolResult } from './run-tool.ts';

const home = 'belay-system';
const injector = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/belay-injector';
const clusterKinds = ['mutatingwebhookconfigurations', 'validatingadmissionpolicies', 'validatingadmissionpolicybindings', 'clusterroles', 'clusterrolebindings'];
const homeKinds = ['deployments', 'services', 'serviceaccounts', 'roles', 'rolebindings', 'secrets', 'configmaps', 'poddisruptionbudgets', 'networkpolicies', 'jobs', 'pods', 'leases'];

let server: ApiServer;
let api: KubernetesAPI;

beforeAll(async () => {
  server = await startApiServer({ apiServerArgs: ['--enable-admission-plugins=OwnerReferencesPermissionEnforcement'] });
  api = createKubernetesAPI(server.kubeconfig);
  for (const name of ['belay-system', 'support', 'models', 'shop']) await kubectl(['create', 'namespace', name]);
}, 900_000);

afterAll(async () => {
  api.close();
  await server.close();
});

describe('the API server takes every object', () => {
  beforeAll(async () => {
    expect(await kubectl(['apply', '--filename', join(import.meta.dirname, 'monitoring-crds.yaml')])).toMatchObject({ code: 0 });
    expect(await kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s'])).toMatchObject({ code: 0 });
  }, 60_000);

  test.each<[string, readonly string[]]>([
    ['by default', []],
    ['with everything on', ['--values', everything]],
    ['with everything on, under a long name', ['--values', everything, '--set', `fullnameOverride=${'long-'.repeat(12)}name`]],
  ])('%s', async (_, args) => {
    const text = await renderText({ args });
    const { code, stdout, stderr } = await kubectl(['apply', '--dry-run=server', '--validate=strict', '--filename', '-'], text);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.trim().split('\n')).toHaveLength(parseObjects(text).length);
  });

  test('and the pods keep the restricted Pod Security standard', async () => {
    await kubectl(['label', 'namespace', home, 'pod-security.kubernetes.io/enforce=restricted', 'pod-security.kubernetes.io/warn=restricted']);
    const pods = parseObjects(await renderText()).flatMap(podOf);
    expect(pods.map(({ metadata }) => metadata.name)).toEqual(expect.arrayContaining(['belay', 'belay-webhook', 'belay-cleanup', 'belay-test']));
    const { code, stderr } = await kubectl(['apply', '--dry-run=server', '--validate=strict', '--filename', '-'], pods.map((pod) => JSON.stringify(pod)).join('\n---\n'));
    expect([code, stderr]).toEqual([0, '']);
  });
});

describe('one release through its life', () => {
  test('helm installs it where nothing but a cluster is', async () => {
    expect(await helm(['install', 'belay', chart, '--namespace', home])).toMatchObject({ code: 0, stdout: expect.stringContaining('STATUS: deployed') });
    expect(await kubectl(['wait', '--for=condition=Established', 'crd/fallbackchains.belay.dev', 'crd/modelproviders.belay.dev', '--timeout=30s'])).toMatchObject({ code: 0 });
  }, 60_000);

  test('a second one is refused, also where the CRDs are none of its own', async () => {
    const refusal = { code: 1, stderr: expect.stringMatching(/invalid ownership metadata.*"meta.helm.sh\/release-name" must equal "other": current value is "belay"/) };
    for (const crds of ['crds.enabled=true', 'crds.enabled=false']) expect(await helm(['install', 'other', chart, '--namespace', home, '--set', crds])).toMatchObject(refusal);
  }, 60_000);

  test('the operator writes caBundle and owner of its webhook, as itself, also where owners are enforced', async () => {
    const { body } = await api.send('GET', `/api/v1/namespaces/${home}`);
    const { uid } = (body as { readonly metadata: { readonly uid: string } }).metadata;
    const webhooks = [{ name: 'inject.belay.dev', clientConfig: { caBundle: Buffer.from(testCa).toString('base64') } }];
    for (const account of ['belay', 'belay-webhook']) expect(await apply(account, 'belay-cabundle', { webhooks })).toMatchObject({ code: 0 });
    expect(await apply('belay', 'belay', { metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'Namespace', name: home, uid }] } })).toMatchObject({ code: 0, stderr: '' });
  });

  test('and a local tier that a ModelProvider owns', async () => {
    const provider = { apiVersion: 'belay.dev/v1alpha1', kind: 'ModelProvider', metadata: { name: 'on-cluster', namespace: 'shop' }, spec: { local: { engine: 'LlamaCpp', model: { persistentVolumeClaim: { claimName: 'models', path: 'a.gguf' } }, contextTokens: 2048 } } };
    const { status, body } = await api.send('POST', '/apis/belay.dev/v1alpha1/namespaces/shop/modelproviders', { body: provider });
    expect(status).toBe(201);
    const { uid } = (body as { readonly metadata: { readonly uid: string } }).metadata;
    const metadata = { name: 'on-cluster', namespace: 'shop', labels: { 'app.kubernetes.io/managed-by': 'belay' }, ownerReferences: [{ apiVersion: 'belay.dev/v1alpha1', kind: 'ModelProvider', name: 'on-cluster', uid, controller: true, blockOwnerDeletion: true }] };
    const service = { apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ port: 8080 }], selector: { app: 'on-cluster' } } };
    expect(await asAccount('belay', ['apply', '--server-side', '--field-manager=belay', '--filename', '-'], service)).toMatchObject({ code: 0 });
  });

  test('the bootstrap ConfigMap is the only one that the controller may apply', async () => {
    const map = (name: string): object => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'shop', labels: { 'app.kubernetes.io/managed-by': 'belay' } }, data: { 'table.json': '{}' } });
    expect(await asAccount('belay', ['apply', '--server-side', '--field-manager=belay', '--filename', '-'], map('belay-bootstrap'))).toMatchObject({ code: 0 });
    expect(await asAccount('belay', ['apply', '--server-side', '--field-manager=belay', '--filename', '-'], map('other'))).toMatchObject({ code: 1, stderr: expect.stringContaining('forbidden') });
  });

  test('what people compare it with says that nothing differs: no tool wants caBundle back', async () => {
    const text = parseObjects(await renderText({ args: ['--no-hooks'] })).map((object) => JSON.stringify(object)).join('\n---\n');
    const managed = text.replaceAll('"labels":', `"annotations":{"meta.helm.sh/release-name":"belay","meta.helm.sh/release-namespace":"${home}"},"labels":`);
    expect(managed).toContain('meta.helm.sh');
    for (const args of [['diff', '--server-side', '--field-manager=helm'], ['diff']]) {
      const compare = async (wanted: string): Promise<readonly string[]> => {
        const { stdout, stderr } = await kubectl([...args, '--selector=app.kubernetes.io/component=webhook', '--filename', '-'], wanted);
        expect(stderr).toBe('');
        return stdout.split('\n').filter((line) => /^[-+] /.test(line) && !line.includes('generation:'));
      };
      expect(await compare(managed)).toEqual([]);
      expect(await compare(managed.replace('"sideEffects":"None","timeoutSeconds":5', '"sideEffects":"None","timeoutSeconds":6'))).toEqual(['-  timeoutSeconds: 5', '+  timeoutSeconds: 6']);
    }
  }, 60_000);

  test.each<[string, readonly string[]]>([
    ['without a conflict', []],
    ['with other values', ['--set', 'injection.excludedNamespaces={ingress}', '--set', 'webhook.replicas=3']],
    ['by client-side apply', ['--server-side=false', '--reset-values']],
  ])('helm upgrades it %s, and caBundle and owner stay', async (_, args) => {
    expect(await helm(['upgrade', 'belay', chart, '--namespace', home, ...args])).toMatchObject({ code: 0, stderr: '' });
    expect(await api.send('GET', injector)).toMatchObject({ body: {
      metadata: { ownerReferences: [{ kind: 'Namespace', name: home }] },
      webhooks: [{ clientConfig: { caBundle: Buffer.from(testCa).toString('base64'), service: { name: 'belay-webhook' } } }],
    } });
  }, 60_000);

  test('helm uninstalls it without its hooks, webhook first and whole, and keeps the CRDs with what people wrote', async () => {
    const { code, stdout, stderr } = await helm(['uninstall', 'belay', '--namespace', home, '--no-hooks', '--debug']);
    const deleted = [...(stdout + stderr).matchAll(/starting delete resource" namespace="?[^ ]* name=(\S+) kind=(\S+)/g)].map(([, name, kind]) => `${kind} ${name}`);
    expect([code, deleted[0]]).toEqual([0, 'MutatingWebhookConfiguration belay-injector']);
    expect(await leftOvers()).toEqual([]);
    expect(await api.send('GET', '/apis/belay.dev/v1alpha1/namespaces/shop/modelproviders/on-cluster')).toMatchObject({ status: 200 });
  }, 60_000);

  test('an operator that is still there cannot bring its webhook back', async () => {
    expect(await helm(['install', 'belay', chart, '--namespace', home])).toMatchObject({ code: 0 });
    expect(await kubectl(['delete', 'mutatingwebhookconfiguration', 'belay-injector'])).toMatchObject({ code: 0 });
    expect(await apply('belay', 'belay-cabundle', { webhooks: [] })).toMatchObject({ code: 1, stderr: expect.stringContaining('cannot create resource "mutatingwebhookconfigurations"') });
  }, 60_000);

  test('where no pod can start any more, uninstalling ends all the same, says so and leaves nothing of the chart', async () => {
    const { code, stderr } = await helm(['uninstall', 'belay', '--namespace', home, '--timeout', '2s']);
    expect([code, stderr]).toEqual([1, expect.stringContaining('Job/belay-system/belay-cleanup not ready')]);
    expect(await leftOvers()).toEqual([]);
    expect((await helm(['list', '--all-namespaces', '--short'])).stdout.trim()).toBe('');
  }, 60_000);

  test('it is there again under another name only where helm is told to take the CRDs over', async () => {
    const other = ['install', 'other', chart, '--namespace', home, '--set', 'fullnameOverride=other'];
    expect(await helm(other)).toMatchObject({ code: 1, stderr: expect.stringContaining('invalid ownership metadata') });
    expect(await helm([...other, '--take-ownership'])).toMatchObject({ code: 0 });
    expect(await helm(['uninstall', 'other', '--namespace', home, '--no-hooks'])).toMatchObject({ code: 0 });
  }, 60_000);
});

describe('the policy that requires injection', () => {
  beforeAll(async () => {
    const policy = parseObjects(await renderText({ args: ['--set', 'injection.required=true'] })).filter(({ kind }) => kind.startsWith('ValidatingAdmissionPolicy'));
    expect(await kubectl(['apply', '--filename', '-'], policy.map((object) => JSON.stringify(object)).join('\n---\n'))).toMatchObject({ code: 0 });
    // A policy acts a moment after it is there.
    const deadline = Date.now() + 20_000;
    while ((await create('shop', { 'belay.dev/inject': 'true' }, [])).status === 201 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 100));
  }, 60_000);

  test.each<[string, string, Record<string, string>, readonly string[], number]>([
    ['refuses an annotated pod without a sidecar', 'shop', { 'belay.dev/inject': 'true' }, [], 422],
    ['refuses one with other init containers alone', 'shop', { 'belay.dev/inject': 'chat' }, ['migrate'], 422],
    ['refuses one whose sidecar lost its restartPolicy', 'shop', { 'belay.dev/inject': 'true' }, ['belay'], 422],
    ['takes one with its sidecar', 'shop', { 'belay.dev/inject': 'true' }, ['belay: Always'], 201],
    ['takes a pod without the annotation', 'shop', {}, [], 201],
    ['takes one that does not want a sidecar', 'shop', { 'belay.dev/inject': 'false' }, [], 201],
    ['takes an annotated pod of the system', 'kube-system', { 'belay.dev/inject': 'true' }, [], 201],
  ])('%s', async (_, namespace, annotations, initContainers, status) => {
    const answer = await create(namespace, annotations, initContainers);
    expect(answer.status).toBe(status);
    if (status === 422) expect(JSON.stringify(answer.body)).toContain('came out of admission without the container');
  });
});

function kubectl(args: readonly string[], stdin?: string): Promise<ToolResult> {
  return runTool('kubectl', args, { kubeconfig: server.kubeconfig, ...(stdin === undefined ? {} : { stdin }) });
}

function helm(args: readonly string[]): Promise<ToolResult> {
  return runTool('helm', args, { kubeconfig: server.kubeconfig });
}

function asAccount(account: string, args: readonly string[], object: object): Promise<ToolResult> {
  return kubectl([...args, '--as', `system:serviceaccount:${home}:${account}`], JSON.stringify(object));
}

/** Server-side apply to the webhook configuration, as one of the operator's accounts. */
function apply(account: string, fieldManager: string, fields: { readonly metadata?: object; readonly webhooks?: readonly object[] }): Promise<ToolResult> {
  const object = { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'MutatingWebhookConfiguration', ...fields, metadata: { name: 'belay-injector', ...fields.metadata } };
  return asAccount(account, ['apply', '--server-side', '--force-conflicts', `--field-manager=${fieldManager}`, '--filename', '-'], object);
}

/** What is still there of the chart's own objects. */
async function leftOvers(): Promise<readonly string[]> {
  const selector = ['--selector=app.kubernetes.io/part-of=belay', '--output=name', '--ignore-not-found'];
  const texts = await Promise.all([kubectl(['get', clusterKinds.join(','), ...selector]), kubectl(['get', homeKinds.join(','), '--namespace', home, ...selector])]);
  expect(texts.map(({ code }) => code)).toEqual([0, 0]);
  return texts.flatMap(({ stdout }) => stdout.split('\n')).filter((line) => line !== '');
}

function podOf(object: Rendered): readonly Rendered[] {
  if (object.kind === 'Pod') return [object];
  const template = (object['spec'] as { readonly template?: { readonly metadata: object; readonly spec: object } } | undefined)?.template;
  if (template === undefined) return [];
  const spec = object.kind === 'Deployment' ? { ...template.spec, restartPolicy: 'Always' } : template.spec;
  return [{ apiVersion: 'v1', kind: 'Pod', metadata: { ...template.metadata, name: object.metadata.name, namespace: home }, spec }];
}

function create(namespace: string, annotations: Record<string, string>, initContainers: readonly string[]) {
  const container = (text: string): object => {
    const [name, restartPolicy] = text.split(': ');
    return { name, image: 'application', ...(restartPolicy === undefined ? {} : { restartPolicy }) };
  };
  return api.send('POST', `/api/v1/namespaces/${namespace}/pods?dryRun=All`, { body: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'app', annotations }, spec: { containers: [container('app')], initContainers: initContainers.map(container) } } });
}
