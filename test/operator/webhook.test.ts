import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createAuthority, type Authority } from '@belay/operator/shell/certificates/authority.ts';
import { createBundlePublisher, type BundlePublisher } from '@belay/operator/shell/certificates/bundle-publisher.ts';
import { certificatesOf } from '@belay/operator/shell/certificates/issue-certificates.ts';
import { createHttpsClient } from '@belay/operator/shell/kube/https-client.ts';
import type { KubeClient } from '@belay/operator/shell/kube/kube-client.ts';
import type { KubeObject } from '@belay/operator/shell/kube/kube-object.ts';
import type { LogLine } from '@belay/operator/shell/log.ts';
import { createWebhook, type Webhook } from '@belay/operator/shell/webhook/create-webhook.ts';
import { startApiServer, type ApiServer } from '../../scripts/kubernetes/with-api-server.ts';
import { createKubernetesAPI, type KubernetesAPI } from '../crds/kubernetes-api.ts';
import { settings } from '../golden/inject/read-pods.ts';
import { realClock as clock } from '../kube/real-clock.ts';
import { grantChartRights } from './cluster.ts';
import { requestToken } from './pods-and-tokens.ts';
import { until } from './until.ts';
import { webhookConfiguration } from './webhook-configuration.ts';

interface Configuration extends KubeObject {
  readonly webhooks: readonly { readonly clientConfig: { readonly caBundle?: string } }[];
}
interface Answer { readonly status: number; readonly body: { readonly message?: string; readonly metadata?: KubeObject['metadata']; readonly spec?: { readonly initContainers?: readonly { readonly name: string }[] } } }

const namespaces = { resource: { group: '', version: 'v1', plural: 'namespaces' } };
const configuration = { resource: { group: 'admissionregistration.k8s.io', version: 'v1', plural: 'mutatingwebhookconfigurations' }, name: 'belay-injector' };
const secret = { resource: { group: '', version: 'v1', plural: 'secrets' }, namespace: 'belay-system', name: 'belay-ca' };
const lines: LogLine[] = [];
let server: ApiServer;
let client: KubeClient & { close(): void };
/** As the webhook's service account. */
let own: KubeClient & { close(): void };
let api: KubernetesAPI;
let authority: Authority;
let webhook: Webhook;
let port = 0;
const publishers: BundlePublisher[] = [];

beforeAll(async () => {
  // With a plug-in that changes the sidecar after injection, each webhook call is followed by another, and what that takes back is refused.
  server = await startApiServer({ apiServerArgs: ['--enable-admission-plugins=AlwaysPullImages'] });
  client = createHttpsClient({ server: server.url, ca: readFileSync(server.caFile, 'utf8'), token: () => server.token, clock });
  api = createKubernetesAPI(server.kubeconfig);
  for (const metadata of [{ name: 'belay-system' }, { name: 'apps' }, { name: 'strict', labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } }]) {
    await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata });
  }
  await grantChartRights(client);
  const token = await requestToken(client, { namespace: 'belay-system', account: 'belay-webhook', audiences: ['https://kubernetes.default.svc'] });
  own = createHttpsClient({ server: server.url, ca: readFileSync(server.caFile, 'utf8'), token: () => token, clock });
  const log = (line: LogLine): void => { lines.push(line); };
  authority = createAuthority({ client: own, clock, wallClock: Date.now, random: Math.random, log, namespace: 'belay-system', dnsNames: ['belay-webhook.belay-system.svc'], ipAddresses: ['127.0.0.1'] });
  const { caCertificates: _, ...installed } = settings;
  webhook = createWebhook({ clock, log, authority, settings: installed });
  port = await webhook.listen('127.0.0.1', 0);
  publishers.push(createBundlePublisher({ client: own, clock, random: Math.random, log, authority, configuration: configuration.name }));
  await until(() => lines.some(({ message }) => message.includes('there is no MutatingWebhookConfiguration belay-injector')));
  await client.create({ resource: configuration.resource }, await webhookConfiguration(port));
  await until(() => publishers[0]?.obstacle() === null);
  // An API server learns of a webhook a moment after it has been stored.
  await until(async () => injected(await create('apps', annotated('true'))));
}, 900_000);

afterAll(async () => {
  await Promise.all(publishers.map((publisher) => publisher.close()));
  await webhook.close();
  await authority.close();
  api.close();
  own.close();
  client.close();
  await server.close();
});

test('an annotated pod is injected, with the CA of this moment', async () => {
  const answer = await create('apps', annotated('true'));
  expect(answer).toMatchObject({ status: 201, body: { metadata: { labels: { 'belay.dev/injected': 'true' }, annotations: { 'belay.dev/status': expect.any(String) } } } });
  expect(answer.body.spec?.initContainers?.[0]).toMatchObject({ name: 'belay', restartPolicy: 'Always', imagePullPolicy: 'Always', env: expect.arrayContaining([{ name: 'BELAY_CA_CERTIFICATES', value: authority.trusted() }]) });
});

test.each([['without the annotation', pod({})], ['that says "false"', annotated('false')]])('a pod %s never reaches the webhook', async (_, body) => {
  const before = webhook.counts();
  expect(await create('apps', body)).toMatchObject({ status: 201 });
  expect(webhook.counts()).toEqual(before);
});

test('neither does an annotated pod of the operator\'s own namespace', async () => {
  const before = webhook.counts();
  expect(injected(await create('belay-system', annotated('true')))).toBe(false);
  expect(webhook.counts()).toEqual(before);
});

test('a namespace with restricted Pod Security admits what injection made of a restricted pod', async () => {
  const securityContext = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] }, runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } };
  expect(injected(await create('strict', annotated('true', { containers: [{ name: 'app', image: 'app', securityContext }] })))).toBe(true);
});

describe('whoever creates a pod that cannot be injected reads why', () => {
  test.each<[string, object, string]>([
    ['an annotation with an invalid value', annotated('yes please'), 'belay cannot be injected: belay.dev/inject: must be "true", "false", or the names of chains with commas between them; "yes please" is no name of a chain'],
    ['the network of its node', annotated('true', { hostNetwork: true }), 'belay cannot be injected: spec.hostNetwork: a pod on its node\'s network shares 127.0.0.1:7411 with every other one there'],
  ])('%s', async (_, body, message) => {
    const answer = await create('apps', body);
    expect(answer).toMatchObject({ status: 403, body: { reason: 'Forbidden' } });
    expect(answer.body.message).toContain(`admission webhook "inject.belay.dev" denied the request: ${message}`);
  });

  test('and of a pod that nothing can be said about, the API server\'s own words', async () => {
    expect(await create('apps', annotated('true', { containers: null }))).toMatchObject({ status: 422, body: { message: expect.stringContaining('spec.containers: Required value') } });
  });
});

test('what injection could not do comes back as a warning', async () => {
  const { status, body } = await review({ metadata: { name: 'app', annotations: { 'belay.dev/inject': 'true', 'belay.dev/chian': 'a' } }, spec: { containers: [{ name: 'app' }] } });
  expect([status, body]).toMatchObject([200, { response: { uid: 'u-1', allowed: true, warnings: [expect.stringContaining('Belay reads no annotation belay.dev/chian')] } }]);
});

test('caBundle that somebody overwrites or takes away is Belay\'s again, and the rest of the configuration stays', async () => {
  const before = await client.get<Configuration>(configuration);
  await api.send('PATCH', `/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/${configuration.name}`, { body: [{ op: 'remove', path: '/webhooks/0/clientConfig/caBundle' }], contentType: 'application/json-patch+json' });
  await until(async () => (await bundle()) === authority.trusted());
  const { webhooks } = await client.get<Configuration>(configuration);
  expect(webhooks).toEqual(before.webhooks);
  expect(lines).toContainEqual(expect.objectContaining({ event: 'bundle-restored' }));
  await until(async () => injected(await create('apps', annotated('true'))));
});

test('the controller\'s publisher makes the configuration go with the release namespace, and no other publisher takes that back', async () => {
  const owned = createBundlePublisher({ client, clock, random: Math.random, log: () => {}, authority, configuration: configuration.name, ownerNamespace: 'belay-system' });
  publishers.push(owned);
  const { metadata: { uid } } = await client.get({ ...namespaces, name: 'belay-system' });
  const owners = async (): Promise<unknown> => ((await client.get<Configuration>(configuration)).metadata as { readonly ownerReferences?: unknown }).ownerReferences;
  await until(async () => (await owners()) !== undefined);
  await api.send('PATCH', `/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/${configuration.name}`, { body: [{ op: 'remove', path: '/webhooks/0/clientConfig/caBundle' }], contentType: 'application/json-patch+json' });
  await until(async () => (await bundle()) === authority.trusted());
  expect(await owners()).toEqual([{ apiVersion: 'v1', kind: 'Namespace', name: 'belay-system', uid }]);
});

test('a CA rotated under traffic refuses no pod and no handshake', async () => {
  const before = authority.trusted();
  const refused: unknown[] = [];
  let done = false;
  let made = 0;
  let handshakes = 0;
  const traffic = (async () => {
    for (; !done; made++) {
      const answer = await create('apps', annotated('true'));
      if (!injected(answer)) refused.push(answer);
    }
  })();
  // An API server keeps its connections; each of these is a new one, with the bundle that the API server has at that moment.
  const newConnections = (async () => {
    for (; !done; handshakes++) await review({ metadata: {}, spec: { containers: [] } }, await bundle()).catch((error: unknown) => refused.push(error));
  })();
  await client.patch(secret, { metadata: { annotations: { 'belay.dev/rotate': '500ms' } } });
  await until(() => certificatesOf(authority.trusted())[1] === before, 30_000);
  await until(async () => (await bundle()) === authority.trusted());
  // Served from now on: a leaf that the CA before did not sign.
  await until(() => review({ metadata: {}, spec: { containers: [] } }, certificatesOf(authority.trusted())[0]).then(() => true, () => false));
  const [enough, ofThose] = [made + 20, handshakes + 20];
  await until(() => made >= enough && handshakes >= ofThose, 30_000);
  done = true;
  await Promise.all([traffic, newConnections]);
  expect(refused).toEqual([]);
  expect(lines.filter(({ event }) => /^authority-(added|published|rotated)$/.test(event)).map(({ event }) => event)).toEqual(['authority-added', 'authority-published', 'authority-rotated']);
}, 120_000);

test('with the webhook down, the denial names it, and a pod that asks for nothing starts', async () => {
  await webhook.close();
  const answer = await create('apps', annotated('true'));
  expect([answer.status, answer.body.message]).toEqual([500, expect.stringContaining('failed calling webhook "inject.belay.dev"')]);
  expect(await create('apps', pod({}))).toMatchObject({ status: 201 });
});

test('no key was logged', () => {
  expect(JSON.stringify(lines)).not.toContain('PRIVATE KEY');
});

function pod(metadata: object, spec: object = {}): object {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'app', ...metadata }, spec: { serviceAccountName: 'default', containers: [{ name: 'app', image: 'app' }], ...spec } };
}

function annotated(value: string, spec: object = {}): object {
  return pod({ annotations: { 'belay.dev/inject': value } }, spec);
}

async function create(namespace: string, body: object): Promise<Answer> {
  return api.send('POST', `/api/v1/namespaces/${namespace}/pods?dryRun=All`, { body }) as Promise<Answer>;
}

function injected({ status, body }: Answer): boolean {
  return status === 201 && body.spec?.initContainers?.[0]?.name === 'belay';
}

async function bundle(): Promise<string> {
  const { webhooks } = await client.get<Configuration>(configuration);
  return Buffer.from(webhooks[0]?.clientConfig.caBundle ?? '', 'base64').toString();
}

/** One review over a connection of its own. */
function review(object: object, ca = authority.trusted()): Promise<{ readonly status: number; readonly body: unknown }> {
  const body = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request: { uid: 'u-1', operation: 'CREATE', resource: { group: '', version: 'v1', resource: 'pods' }, namespace: 'apps', object } };
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path: '/inject', method: 'POST', ca, agent: false, headers: { 'content-type': 'application/json' } }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => { text += chunk; });
      answer.on('error', reject).on('end', () => resolve({ status: answer.statusCode ?? 0, body: JSON.parse(text) as unknown }));
    });
    sent.on('error', reject).end(JSON.stringify(body));
  });
}
