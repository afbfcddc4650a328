import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Duplex } from 'node:stream';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Decision } from '@belay/contract';
import type { KubeClient } from '@belay/operator/shell/kube/kube-client.ts';
import { kubeErrorOf } from '@belay/operator/shell/kube/kube-error.ts';
import type { KubeObject } from '@belay/operator/shell/kube/kube-object.ts';
import { parse } from 'yaml';
import { ManualClock } from '../../test/support/manual-clock.ts';
import type { Cluster } from '../cluster/open-cluster.ts';
import { whyCommand, type RawWhyOptions } from './why-command.ts';

const decision: Decision = {
  id: 'web-1.17', at: '2026-11-25T02:51:00.000Z', chain: 'chat', model: 'gpt-4o', mode: 'Sequential', streamed: true, tableVersion: 'sha256:0123456789abcdef', stale: false,
  outcome: 'Answered', status: 200, target: 'gemini', servedModel: 'gemini-3-pro', reason: 'opus: Overload 529',
  attempts: [
    { target: 'opus', tier: 'Primary', model: 'opus-4', role: 'Primary', startedMs: 0, firstContentMs: null, endedMs: 120, outcome: 'Failed', failure: { class: 'Overload', status: 529, detail: '529', retryAfterMs: null } },
    { target: 'gemini', tier: 'InterProvider', model: 'gemini-3-pro', role: 'Fallback', startedMs: 121, firstContentMs: 700, endedMs: 1400, outcome: 'Ok', failure: null },
  ],
  excluded: [{ target: 'local', reason: 'ServerAbsent', detail: 'no model' }], firstContentMs: 700, totalMs: 1400, usage: { promptTokens: 10, completionTokens: 20 },
};

const sidecarPod = (namespace = 'shop', more: object = {}): KubeObject => ({ metadata: { name: 'web-1', namespace }, spec: { initContainers: [{ name: 'belay' }] }, status: { phase: 'Running', initContainerStatuses: [{ name: 'belay', restartCount: 0, state: { running: {} } }] }, ...more } as KubeObject);

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A stream to an HTTP server in this process: what a port-forward is. */
function pipeTo(answer: (request: IncomingMessage, response: ServerResponse) => void): Duplex {
  const server = createServer(answer);
  const ends: Duplex[] = [];
  const make = (other: () => Duplex | undefined): Duplex => new Duplex({ read: () => {}, write: (chunk, _encoding, done) => { other()?.push(chunk); done(); }, final: (done) => { other()?.push(null); done(); } });
  ends.push(make(() => ends[1]), make(() => ends[0]));
  server.emit('connection', ends[1]);
  return ends[0]!;
}

const json = (status: number, body: unknown) => (_request: IncomingMessage, response: ServerResponse): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(typeof body === 'string' ? body : JSON.stringify(body));
};
const forgotten = json(404, { error: { code: 'decision_not_found', message: 'No decision is kept.' } });

interface Scene {
  readonly pods?: readonly KubeObject[];
  /** What the user may do: get a pod by namespace, list pods, list namespaces. */
  readonly may?: { readonly get?: readonly string[]; readonly listPods?: boolean; readonly listNamespaces?: boolean };
  readonly forward?: () => Promise<Duplex>;
}

const refusal = (status: number) => kubeErrorOf('GET pods', status, { reason: 'x', message: 'no' });

function clusterOf({ pods = [sidecarPod()], may = {}, forward = async () => pipeTo(json(200, decision)) }: Scene, forwards: string[]): Cluster {
  const { get = ['default', 'shop', 'other'], listPods = true, listNamespaces = true } = may;
  const client = {
    get: async ({ namespace = '', name }: { namespace?: string; name: string }) => {
      if (!get.includes(namespace)) throw refusal(403);
      const pod = pods.find(({ metadata }) => metadata.name === name && metadata.namespace === namespace);
      if (pod === undefined) throw refusal(404);
      return pod;
    },
    list: async ({ resource }: { resource: { plural: string } }) => {
      if (!(resource.plural === 'pods' ? listPods : listNamespaces)) throw refusal(403);
      return { metadata: {}, items: resource.plural === 'pods' ? pods : get.map((name) => ({ metadata: { name } })) };
    },
  } as unknown as KubeClient;
  return {
    client, context: 'prod', namespace: 'default', close: () => {},
    forward: (namespace, pod, port) => { forwards.push(`${namespace}/${pod}:${port}`); return forward(); },
    describe: (error) => `described: ${(error as Error).message}`,
  };
}

async function why(id: string, options: RawWhyOptions = {}, scene: Scene = {}) {
  let out = '';
  let complaint = '';
  const forwards: string[] = [];
  const code = await whyCommand(id, options, { write: (text) => { out += text; }, complain: (text) => { complaint += text; }, colour: false }, { clock: new ManualClock(), openCluster: async () => clusterOf(scene, forwards) });
  return { code, out, complaint: complaint.replace(/^belay why: /, '').trim(), forwards };
}

test('the decision is told in its sentence and attempt by attempt', async () => {
  const { code, out, forwards } = await why('web-1.17', { namespace: 'shop' });
  expect({ code, forwards }).toEqual({ code: 0, forwards: ['shop/web-1:7411'] });
  expect(out).toBe([
    'chat: gemini answered in 1.4 s (opus: Overload 529); opus 529; local left out (ServerAbsent, no model). id web-1.17',
    'asked for gpt-4o at 2026-11-25T02:51:00.000Z, sequential, streamed, first content after 700 ms, 10 + 20 tokens, table sha256:0123456789ab',
    '',
    '   TARGET  MODEL         ROLE      STARTED  FIRST CONTENT  ENDED    OUTCOME   WHY',
    '1  opus    opus-4        Primary   0 ms     -              120 ms   Failed    Overload: 529',
    '2  gemini  gemini-3-pro  Fallback  121 ms   700 ms         1400 ms  Ok',
    '-  local                                                            Left out  ServerAbsent: no model',
    '',
  ].join('\n'));
});

test.each([['json', JSON.parse], ['yaml', parse]] as const)('-o %s gives machines the record itself', async (output, read) => {
  const { code, out } = await why('web-1.17', { namespace: 'shop', output });
  expect({ code, record: (read as (text: string) => unknown)(out) }).toEqual({ code: 0, record: decision });
});

test('the sidecar is asked for this id, as from its own loopback', async () => {
  const asked: string[] = [];
  await why('web-1.17', { namespace: 'shop' }, { forward: async () => pipeTo((request, response) => { asked.push(`${request.url} ${request.headers.host}`); json(200, decision)(request, response); }) });
  expect(asked).toEqual(['/belay/decisions?id=web-1.17 127.0.0.1:7411']);
});

describe('the pod is found', () => {
  test.each<[string, Scene]>([
    ['in the context\'s namespace first', { pods: [sidecarPod('default')], may: { listPods: false, listNamespaces: false } }],
    ['in any other, where pods may be listed', { pods: [sidecarPod('shop')] }],
    ['in each that may be read, where they may not', { pods: [sidecarPod('other')], may: { get: ['shop', 'other'], listPods: false } }],
  ])('%s', async (_sentence, scene) => {
    expect(await why('web-1.17', {}, scene)).toMatchObject({ code: 0, forwards: [`${scene.pods![0]!.metadata.namespace}/web-1:7411`] });
  });
});

const failures: [string, string, RawWhyOptions, Scene, number, string][] = [
  ['a malformed id', 'abc', {}, {}, 2, '"abc" is no request id: one is POD.NUMBER, such as web-7d4b9c-x2x5k.17, as the answer\'s header x-belay-request-id and the log have it'],
  ['a form that is none', 'web-1.17', { output: 'xml' }, {}, 2, '-o takes text, json, yaml, not xml'],
  ['a URL that is none', 'web-1.17', { url: 'localhost:7411' }, {}, 2, '--url takes the address of a sidecar, such as http://127.0.0.1:7411, not localhost:7411'],
  ['a URL and a namespace', 'web-1.17', { url: 'http://127.0.0.1:7411', namespace: 'shop' }, {}, 2, '--url asks a sidecar itself: leave -n and --context out'],
  ['a pod that is gone', 'web-9.17', { namespace: 'shop' }, {}, 1, 'there is no pod web-9 in namespace shop: decisions live in their pod alone, and go with it.'],
  ['a pod that is gone, looked for everywhere', 'web-9.17', {}, { pods: [] }, 1, 'there is no pod web-9 in this cluster: decisions live in their pod alone, and go with it.'],
  ['a pod that may be elsewhere', 'web-9.17', {}, { pods: [], may: { listPods: false, listNamespaces: false } }, 1, 'there is no pod web-9 in namespace default (you may not look into all others: name one with -n): decisions live in their pod alone, and go with it.'],
  ['two pods of one name', 'web-1.17', {}, { pods: [sidecarPod('shop'), sidecarPod('other')] }, 1, 'there is a pod web-1 in shop, other: say with -n which namespace is meant.'],
  ['a pod without a sidecar', 'web-1.17', { namespace: 'shop' }, { pods: [sidecarPod('shop', { spec: { initContainers: [] } })] }, 1, 'pod web-1 in namespace shop has no sidecar of Belay: it was not injected, and no request went through it.'],
  ['a pod that has ended', 'web-1.17', { namespace: 'shop' }, { pods: [sidecarPod('shop', { status: { phase: 'Succeeded' } })] }, 1, 'pod web-1 in namespace shop has ended: decisions live in its sidecar\'s memory, and went with it.'],
  ['a sidecar that does not run', 'web-1.17', { namespace: 'shop' }, { pods: [sidecarPod('shop', { status: { phase: 'Running', initContainerStatuses: [{ name: 'belay', state: { waiting: {} } }] } })] }, 1, 'the sidecar of pod web-1 in namespace shop does not run: see kubectl describe pod -n shop web-1.'],
  ['a pod that may not be read', 'web-1.17', { namespace: 'secret' }, {}, 1, 'described: GET pods: the API server answered 403: no'],
  ['no permission to forward', 'web-1.17', { namespace: 'shop' }, { forward: () => Promise.reject(refusal(403)) }, 1, 'You may not forward ports of pods in namespace shop: ask for get and create on pods/portforward there.'],
  ['a port that nobody listens on', 'web-1.17', { namespace: 'shop' }, { forward: async () => { const end = pipeTo(() => {}); setImmediate(() => end.destroy(new Error('connection refused'))); return end; } }, 1, 'The sidecar of pod web-1 in namespace shop cannot be asked: connection refused.'],
  ['an id that is no longer kept', 'web-1.17', { namespace: 'shop' }, { forward: async () => pipeTo(forgotten) }, 1, 'The sidecar of pod web-1 in namespace shop keeps no decision web-1.17: it keeps the last 256, and apart from them the last 256 that fell back or failed.'],
  ['an id from before a restart', 'web-1.17', { namespace: 'shop' }, { pods: [sidecarPod('shop', { status: { phase: 'Running', initContainerStatuses: [{ name: 'belay', restartCount: 2, state: { running: {} } }] } })], forward: async () => pipeTo(forgotten) }, 1, 'The sidecar of pod web-1 in namespace shop keeps no decision web-1.17: it keeps the last 256, and apart from them the last 256 that fell back or failed; it has been restarted (2 times), and forgot then what it kept.'],
  ['something else on the port', 'web-1.17', { namespace: 'shop' }, { forward: async () => pipeTo(json(200, '<html>')) }, 1, 'Port 7411 of pod web-1 in namespace shop is no sidecar of Belay: it answered 200 without JSON.'],
  ['a decision of another request', 'web-1.18', { namespace: 'shop' }, {}, 1, 'Port 7411 of pod web-1 in namespace shop is no sidecar of Belay: it answered 200.'],
];

test.each(failures)('%s is said in one sentence', async (_sentence, id, options, scene, code, complaint) => {
  expect(await why(id, options, scene)).toMatchObject({ code, complaint, out: '' });
});

test('--url asks the sidecar of belay run, and no cluster', async () => {
  const server = createServer(json(200, decision));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => { server.closeAllConnections(); server.close(); });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  expect(await why('web-1.17', { url, output: 'json' })).toMatchObject({ code: 0, forwards: [], complaint: '' });
});

test('a sidecar that does not answer is given up after 10 s', async () => {
  const clock = new ManualClock();
  let complaint = '';
  const forwards: string[] = [];
  const asked = new Promise<void>((resolve) => {
    const cluster = clusterOf({ forward: async () => pipeTo(() => resolve()) }, forwards);
    void whyCommand('web-1.17', { namespace: 'shop' }, { write: () => {}, complain: (text) => { complaint += text; }, colour: false }, { clock, openCluster: async () => cluster }).then(() => { complaint += 'done'; });
  });
  await asked;
  await clock.advance(10_000);
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  expect(complaint).toBe('belay why: The sidecar of pod web-1 in namespace shop cannot be asked: nothing answered within 10 s.\ndone');
  expect(clock.armed).toBe(0);
});
