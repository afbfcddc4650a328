import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startApiServer, type ApiServer } from '../../scripts/kubernetes/with-api-server.ts';
import { createKubernetesAPI, type KubernetesAPI } from '../crds/kubernetes-api.ts';
import { testCa, testCertificate, testKey } from '../support/test-certificates.ts';
import { chart, isHook, parseObjects, renderText } from './render-chart.ts';
import { runProcess, runTool, type ToolResult } from './run-tool.ts';

const home = 'belay-system';
let server: ApiServer;
let api: KubernetesAPI;
let webhook: Server;
let folder: string;
const patch = [{ op: 'add', path: '/spec/initContainers', value: [{ name: 'belay', image: 'belay', restartPolicy: 'Always' }] }];
const injected = { allowed: true, patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') };
/** What the stand-in of the webhook answers a pod. */
let answer: object = {};

beforeAll(async () => {
  server = await startApiServer();
  api = createKubernetesAPI(server.kubeconfig);
  webhook = createServer({ cert: testCertificate, key: testKey }, (request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => { text += chunk; }).on('end', () => {
      const { request: { uid } } = JSON.parse(text) as { readonly request: { readonly uid: string } };
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid, ...answer } }));
    });
  });
  await new Promise<void>((resolve) => { webhook.listen(0, '127.0.0.1', resolve); });
  expect(await kubectl(['create', 'namespace', home])).toMatchObject({ code: 0 });
  folder = mkdtempSync(join(tmpdir(), 'belay-account-'));
}, 900_000);

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  webhook.close();
  api.close();
  await server.close();
});

test('where nothing is installed, `helm test` says what is missing, each in a sentence', async () => {
  const hooks = parseObjects(await renderText()).filter((object) => isHook(object) && object.metadata.annotations?.['helm.sh/hook'] === 'test' && object.kind !== 'Pod');
  expect(await kubectl(['apply', '--filename', '-'], hooks.map((object) => JSON.stringify(object)).join('\n---\n'))).toMatchObject({ code: 0 });
  writeFileSync(join(folder, 'ca.crt'), readFileSync(server.caFile));
  writeFileSync(join(folder, 'token'), (await kubectl(['create', 'token', 'belay-test', '--namespace', home])).stdout);
  const { code, stderr } = await runScript();
  expect([code, stderr.trim().split('\n')]).toEqual([1, [
    'CRD fallbackchains.belay.dev is not there: set crds.enabled, or apply it by hand.',
    'CRD modelproviders.belay.dev is not there: set crds.enabled, or apply it by hand.',
    expect.stringContaining('Deployment belay in namespace belay-system: deployments.apps "belay" not found'),
    expect.stringContaining('Deployment belay-webhook in namespace belay-system: deployments.apps "belay-webhook" not found'),
    'a pod with belay.dev/inject in namespace default came back without a sidecar: see kubectl get mutatingwebhookconfiguration belay-injector',
  ]]);
}, 60_000);

test('where Belay works, it says so, with the rights of its own account', async () => {
  expect(await runTool('helm', ['install', 'belay', chart, '--namespace', home], { kubeconfig: server.kubeconfig })).toMatchObject({ code: 0 });
  expect(await kubectl(['wait', '--for=condition=Established', 'crd/fallbackchains.belay.dev', 'crd/modelproviders.belay.dev', '--timeout=30s'])).toMatchObject({ code: 0 });
  for (const name of ['belay', 'belay-webhook']) {
    const status = { observedGeneration: 1, replicas: 1, readyReplicas: 1, updatedReplicas: 1, availableReplicas: 1 };
    expect(await api.send('PATCH', `/apis/apps/v1/namespaces/${home}/deployments/${name}/status`, { body: { status }, contentType: 'application/merge-patch+json' })).toMatchObject({ status: 200 });
  }
  const url = `https://localhost:${(webhook.address() as AddressInfo).port}/inject`;
  const clientConfig = { url, service: null, caBundle: Buffer.from(testCa).toString('base64') };
  expect(await kubectl(['patch', 'mutatingwebhookconfiguration', 'belay-injector', '--patch', JSON.stringify({ webhooks: [{ name: 'inject.belay.dev', clientConfig }] })])).toMatchObject({ code: 0 });
  answer = injected;
  await untilCalled();
  expect(await runScript()).toEqual({ code: 0, stdout: 'Belay serves its kinds, both Deployments are available, and pods are injected.\n', stderr: '' });
}, 60_000);

test('what is not there yet is waited for, as right after helm install', async () => {
  answer = { allowed: true };
  const result = runScript(30);
  setTimeout(() => { answer = injected; }, 2_000).unref();
  expect(await result).toMatchObject({ code: 0, stderr: '' });
}, 60_000);

test('where the webhook refuses, its own words are shown', async () => {
  answer = { allowed: false, status: { message: 'not today' } };
  expect(await runScript()).toMatchObject({ code: 1, stderr: expect.stringContaining('a pod with belay.dev/inject in namespace default was refused: admission webhook "inject.belay.dev" denied the request: not today') });
}, 60_000);

/** A changed configuration acts a moment later. */
async function untilCalled(): Promise<void> {
  const deadline = Date.now() + 20_000;
  while ((await runScript()).code !== 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 100));
}

function kubectl(args: readonly string[], stdin?: string) {
  return runTool('kubectl', args, { kubeconfig: server.kubeconfig, ...(stdin === undefined ? {} : { stdin }) });
}

function runScript(seconds = 0): Promise<ToolResult> {
  const { hostname, port } = new URL(server.url);
  const env = { PATH: process.env['PATH'], BELAY_NAMESPACE: home, KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
  return runProcess(process.execPath, [join(chart, 'files', 'test-installation.mjs'), 'belay', 'default', `${seconds}`, folder], env);
}
