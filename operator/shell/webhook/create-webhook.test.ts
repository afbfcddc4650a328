import { once } from 'node:events';
import { Agent, request } from 'node:https';
import { connect, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { settings } from '../../../test/golden/inject/read-pods.ts';
import { until } from '../../../test/operator/until.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { testCa, testCertificate, testKey } from '../../../test/support/test-certificates.ts';
import type { Authority } from '../certificates/authority.ts';
import { issueAuthority, issueLeaf, type KeyPair } from '../certificates/issue-certificates.ts';
import type { LogLine } from '../log.ts';
import { createWebhook, type Webhook } from './create-webhook.ts';

let clock: ManualClock;
let webhook: Webhook;
let port = 0;
let lines: LogLine[] = [];
let served: { leaf: KeyPair; trusted: string };
const listeners = new Set<() => void>();

beforeEach(async () => {
  [clock, lines, served] = [new ManualClock(), [], { leaf: { cert: testCertificate, key: testKey }, trusted: testCa }];
  const authority: Authority = {
    ready: Promise.resolve(), trusted: () => served.trusted, confirmed: async () => served.trusted, leaf: () => served.leaf, notePublished: () => {}, alive: () => true, close: async () => {},
    onChange: (listener) => { listeners.add(listener); return () => listeners.delete(listener); },
  };
  webhook = createWebhook({ clock, log: (line) => lines.push(line), authority, settings });
  port = await webhook.listen('127.0.0.1', 0);
});

afterEach(async () => {
  await webhook.close();
  expect([clock.armed, listeners.size]).toEqual([0, 0]);
});

test('a review is answered under its uid, with a patch in base64', async () => {
  const { status, body } = await post(reviewOf(pod()));
  expect([status, body]).toMatchObject([200, { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid: 'u-1', allowed: true, patchType: 'JSONPatch' } }]);
  const patch = JSON.parse(Buffer.from((body as { readonly response: { readonly patch: string } }).response.patch, 'base64').toString()) as readonly { readonly path: string }[];
  expect(patch.map(({ path }) => path)).toContain('/spec/initContainers');
  expect(webhook.counts()).toEqual({ patched: 1, denied: 0, skipped: 0, malformed: 0, failed: 0 });
});

test('a pod gets the CAs that are trusted at the moment of the review', async () => {
  served = { ...served, trusted: `${testCa}${testCa}` };
  const { body } = await post(reviewOf(pod()));
  const patch = Buffer.from((body as { readonly response: { readonly patch: string } }).response.patch, 'base64').toString();
  expect(patch).toContain(JSON.stringify(served.trusted).slice(1, -1));
});

test('a denial is an answer, and says which pod of which namespace in the log', async () => {
  const { status, body } = await post(reviewOf(pod({ hostNetwork: true })));
  expect([status, body]).toMatchObject([200, { response: { uid: 'u-1', allowed: false, status: { code: 403, message: expect.stringContaining('spec.hostNetwork') } } }]);
  expect(lines).toMatchObject([{ level: 'warn', event: 'pod-denied', pod: 'shop/web-' }]);
});

describe('what injection has nothing to do with is allowed as it is:', () => {
  test.each<[string, object]>([
    ['an update', { operation: 'UPDATE' }],
    ['a subresource', { subResource: 'ephemeralcontainers' }],
    ['another kind', { resource: { group: 'apps', version: 'v1', resource: 'deployments' } }],
    ['a pod that says "false"', { object: pod({}, { 'belay.dev/inject': 'false' }) }],
  ])('%s', async (_, change) => {
    expect(await post(reviewOf(pod(), change))).toEqual({ status: 200, body: { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid: 'u-1', allowed: true } }, connection: 'keep-alive' });
  });
});

describe('what is no review is refused with a sentence:', () => {
  test.each<[string, unknown, number, string]>([
    ['no JSON', 'hello', 400, 'The body must be an AdmissionReview in JSON.'],
    ['no object', '[]', 400, 'This is no review that can be answered: the body must be an AdmissionReview of admission.k8s.io/v1.'],
    ['another version', { ...reviewOf(pod()), apiVersion: 'admission.k8s.io/v1beta1' }, 400, 'the body must be an AdmissionReview of admission.k8s.io/v1'],
    ['no request', { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' }, 400, 'request.uid: must be a text'],
    ['no pod', reviewOf(null), 400, 'request.object: must be a pod with metadata and spec'],
    ['more than an API server sends', 'x'.repeat(7 * 1024 * 1024 + 1), 413, 'The review is longer than 7 MiB.'],
  ])('%s', async (_, body, status, error) => {
    expect(await post(body)).toMatchObject({ status, body: { error: expect.stringContaining(error) } });
    expect(webhook.counts()).toMatchObject({ malformed: 1, failed: 0 });
  });

  test('one that does not say how long it is', async () => {
    expect(await speak('transfer-encoding: chunked\r\n\r\n')).toMatch(/^HTTP\/1\.1 411 [^]*"A review must say how long it is, in content-length\."/);
  });

  test('one that does not arrive', async () => {
    const answer = speak('content-length: 1000\r\n\r\n{');
    await until(() => clock.armed > 0);
    await clock.advance(5_000);
    expect(await answer).toMatch(/^HTTP\/1\.1 408 [^]*"The review did not arrive within 5 s\."/);
    expect(webhook.counts()).toMatchObject({ malformed: 1, failed: 0 });
  });

  test('one too many, until those before it are over', async () => {
    const slow = Array.from({ length: 5 }, () => speak(`content-length: ${6.5 * 2 ** 20}\r\n\r\n{`));
    await until(() => clock.armed === 4);
    expect((await Promise.race(slow))).toMatch(/^HTTP\/1\.1 429 [^]*"More than 32 MiB of reviews are being read: send this one again in a second\."/);
    await clock.advance(5_000);
    await Promise.all(slow);
    expect(await post(reviewOf(pod()))).toMatchObject({ status: 200 });
  });

  test('another path', async () => {
    expect(await post({}, '/elsewhere')).toMatchObject({ status: 404, body: { error: 'There is no POST /elsewhere here: POST /inject is.' } });
  });
});

test('a pod that injection stumbles over is a failure of Belay, logged with its cause', async () => {
  const { status } = await post(reviewOf({ metadata: { annotations: { 'belay.dev/inject': 'true' } }, spec: { containers: [null] } }));
  expect(status).toBe(500);
  expect(lines).toMatchObject([{ level: 'error', event: 'review-failed', cause: expect.stringContaining('TypeError') }]);
});

test('a new leaf is served to whoever connects next, and connections that run go on', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  expect(await post(reviewOf(pod()), '/inject', { agent, ca: testCa })).toMatchObject({ status: 200 });
  const authority = await issueAuthority(Date.now());
  served = { leaf: await issueLeaf(authority, { dnsNames: [], ipAddresses: ['127.0.0.1'] }, Date.now()), trusted: authority.cert };
  for (const listener of listeners) listener();
  expect(await post(reviewOf(pod()), '/inject', { agent, ca: testCa })).toMatchObject({ status: 200 });
  expect(await post(reviewOf(pod()), '/inject', { ca: authority.cert })).toMatchObject({ status: 200 });
  await expect(post(reviewOf(pod()), '/inject', { ca: testCa })).rejects.toThrow('certificate');
  agent.destroy();
});

test('TLS older than 1.2 is refused', async () => {
  const socket: TLSSocket = connect({ host: '127.0.0.1', port, ca: testCa, servername: 'localhost', maxVersion: 'TLSv1.1', minVersion: 'TLSv1' });
  const [error] = await once(socket, 'error') as [Error];
  expect(error.message).toMatch(/protocol|alert/);
});

test('asked to end, it turns unready at once, serves ten seconds more and asks clients to go, and then listens no more', async () => {
  expect(webhook.obstacle()).toBeNull();
  let ended = false;
  const drained = webhook.drain().then(() => { ended = true; });
  expect(webhook.obstacle()).toBe('the webhook is shutting down');
  await clock.advance(9_999);
  expect(await post(reviewOf(pod()))).toMatchObject({ status: 200, connection: 'close' });
  expect(ended).toBe(false);
  await clock.advance(1);
  await drained;
  await expect(post(reviewOf(pod()))).rejects.toThrow('ECONNREFUSED');
});

function pod(spec: object = {}, annotations: object = { 'belay.dev/inject': 'true' }): object {
  return { metadata: { generateName: 'web-', annotations }, spec: { containers: [{ name: 'app' }], ...spec } };
}

function reviewOf(object: object | null, change: object = {}): object {
  const resource = { group: '', version: 'v1', resource: 'pods' };
  return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request: { uid: 'u-1', operation: 'CREATE', resource, namespace: 'shop', object, ...change } };
}

/** What is answered to the beginning of a request. */
async function speak(rest: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, ca: testCa, servername: 'localhost' });
  socket.write(`POST /inject HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n${rest}`);
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => { text += chunk; }).on('error', () => undefined);
  await once(socket, 'close');
  return text;
}

interface Answer { readonly status: number; readonly body: unknown; readonly connection: string | undefined }

function post(body: unknown, path = '/inject', { ca = testCa, agent }: { readonly ca?: string; readonly agent?: Agent } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    // The leaf of the tests is for localhost, and those of the authority for the address.
    const servername = ca === testCa ? { servername: 'localhost' } : {};
    const sent = request({ host: '127.0.0.1', port, path, method: 'POST', ca, ...servername, ...(agent === undefined ? {} : { agent }), headers: { 'content-type': 'application/json' } }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => { text += chunk; });
      answer.on('error', reject).on('end', () => resolve({ status: answer.statusCode ?? 0, body: JSON.parse(text) as unknown, connection: answer.headers.connection }));
    });
    sent.on('error', reject).end(typeof body === 'string' ? body : JSON.stringify(body));
  });
}
