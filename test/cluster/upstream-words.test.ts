// A provider that repeats the key it was sent, in whatever it says: what of it is to be read, and where.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ensureBelay, releaseNamespace } from './stage/belay-release.ts';
import { application, chain, provider, secret, standIn } from './stage/stage-manifests.ts';
import { raiseStage, until, type Stage } from './stage/stage.ts';

const key = 'sk-proj-never-to-be-read-0123456789abcdef';
const words = 'The launch code of customer Mallory is 4711-violet';
const repeated = `${words}: you sent Authorization: Bearer ${key}`;
const headers = { 'www-authenticate': `Bearer realm="${repeated}"`, 'x-request-id': `${key}/${words.replaceAll(' ', '-')}`, 'retry-after': repeated, server: repeated };
const problem = (type: string) => ({ json: { error: { message: repeated, type, code: key, param: repeated } }, headers });
/** One request meets each of them, the last one all later requests. */
const faults = [
  { status: 401, ...problem('invalid_request_error') }, { status: 403, ...problem('permission_error') }, { status: 429, ...problem('insufficient_quota') },
  { status: 500, text: repeated, headers }, { status: 503, ...problem(repeated) }, { status: 404, ...problem('model_not_found') }, { status: 418, text: repeated, headers },
  { status: 200, text: repeated, headers }, { status: 200, json: { error: { message: repeated, code: key } }, headers },
  { sse: [{ role: true }, { data: { error: { message: repeated, code: key } } }], headers },
  { sse: [{ role: true }, { text: 'Some' }, { data: { error: { message: repeated, code: key } } }], headers },
  { sse: [{ role: true }, { text: 'Some' }, { raw: `data: {"oops ${repeated}\n\n` }], headers },
];
let stage: Stage;
let pod = '';

beforeAll(async () => {
  stage = await raiseStage('words');
  await ensureBelay(stage.cluster);
  await stage.apply(
    standIn('loud', faults), standIn('quiet'), secret('loud', key), provider(stage.namespace, 'loud'), provider(stage.namespace, 'quiet', { keyless: true }),
    chain('chat', ['loud', 'quiet']), chain('alone', ['loud'], { retries: 0 }), application('app'),
  );
  await stage.rolledOut('loud', 'quiet', 'app');
  pod = (await stage.kubectl('get', 'pods', '--selector', 'app=app', '--output', 'jsonpath={.items[0].metadata.name}')).trim();
}, 300_000);

afterAll(() => stage?.close());

/** Runs JavaScript in the sidecar's own container: what it prints. */
const inSidecar = (script: string): Promise<string> => stage.kubectl('exec', pod, '--container', 'belay', '--', '/nodejs/bin/node', '--input-type=module', '-e', script);

describe('with a provider that repeats keys and customers in headers, bodies and streams', () => {
  const places = new Map<string, string>();

  beforeAll(async () => {
    const { cluster, kubectl } = stage;
    for (const model of ['chat', 'alone']) {
      // The breaker would keep most of them away: each meets a target that is new.
      for (const fault of faults) {
        await stage.script('loud', [fault]);
        for (const stream of [false, true]) await stage.ask('app', { model, stream });
      }
    }
    await stage.script('loud', faults);
    expect(JSON.stringify(await stage.requests('loud'))).toContain(key);
    await until('status.serving tells of the fallback', 30_000, async () => {
      await stage.ask('app');
      return (await kubectl('get', 'fbchain', 'chat', '--output', 'jsonpath={.status.serving}')).startsWith('quiet') || null;
    });
    await until('the Event is there', 15_000, async () => (await kubectl('get', 'events')).includes('FallbackActive') || null);
    const system = (await cluster.kubectl(['--namespace', releaseNamespace, 'get', 'pods', '--field-selector', 'status.phase=Running', '--output', 'jsonpath={.items[*].metadata.name}'])).trim().split(' ');
    for (const name of system) {
      places.set(`log of ${name}`, await cluster.kubectl(['--namespace', releaseNamespace, 'logs', name]));
      places.set(`metrics of ${name}`, await cluster.kubectl(['get', '--raw', `/api/v1/namespaces/${releaseNamespace}/pods/${name}:8081/proxy/metrics`]));
    }
    places.set('log of the sidecar', await kubectl('logs', pod, '--container', 'belay'));
    places.set('metrics of the sidecar', await cluster.kubectl(['get', '--raw', `/api/v1/namespaces/${stage.namespace}/pods/${pod}:7412/proxy/metrics`]));
    places.set('Belay objects and their status', await kubectl('get', 'fallbackchains,modelproviders', '--output', 'yaml'));
    places.set('what describe says', await kubectl('describe', 'fallbackchains,modelproviders'));
    places.set('Events', await kubectl('get', 'events', '--output', 'yaml'));
    places.set('ConfigMaps', await kubectl('get', 'configmaps', '--output', 'yaml'));
    places.set('the pod', await kubectl('get', 'pod', pod, '--output', 'yaml'));
    for (const page of ['decisions', 'health', 'table']) places.set(`page /belay/${page}`, await inSidecar(`console.log(await (await fetch('http://127.0.0.1:7411/belay/${page}')).text())`));
    console.log([...places].map(([place, text]) => `${place}: ${text.length} characters`).join('\n'));
  }, 240_000);

  const placesWith = (text: string): readonly string[] => [...places].filter(([, content]) => content.includes(text)).map(([place]) => place);

  test('all of it was looked at', () => {
    expect([...places.values()].filter((text) => text.length === 0)).toEqual([]);
    expect(placesWith('FallbackActive')).toContain('Events');
    expect(placesWith('loud')).toEqual(expect.arrayContaining(['log of the sidecar', 'metrics of the sidecar', 'ConfigMaps', 'page /belay/decisions']));
  });

  test('security promise 5: none of its words is in a log, a status, an Event, a ConfigMap or a metric', () => {
    expect([placesWith('Mallory'), placesWith('4711')]).toEqual([[], []]);
  });

  test('security promise 6: the key that it was sent is nowhere, the pages of the sidecar among them', () => {
    expect([placesWith(key), placesWith(key.slice(0, 20)), placesWith(Buffer.from(key).toString('base64'))]).toEqual([[], [], []]);
  });
});

test('security promise 8: the sidecar has no token of the API server, and what it has the API server refuses', async () => {
  const look = await inSidecar(`
    import { existsSync, readdirSync, readFileSync } from 'node:fs';
    const root = '/var/run/secrets';
    const files = existsSync(root) ? readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => !entry.isDirectory()).map((entry) => entry.parentPath + '/' + entry.name) : [];
    const tokens = files.filter((file) => file.endsWith('/token')).map((file) => readFileSync(file, 'utf8'));
    const claims = tokens.map((token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url')).aud);
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    const statuses = await Promise.all(tokens.map(async (token) => (await fetch('https://kubernetes.default.svc/api/v1/namespaces/${stage.namespace}/secrets', { headers: { authorization: 'Bearer ' + token } })).status));
    console.log(JSON.stringify({ files, api: existsSync('/var/run/secrets/kubernetes.io/serviceaccount'), claims, statuses }));`);
  console.log(look);
  expect(JSON.parse(look)).toMatchObject({ api: false, claims: [['belay.dev']], statuses: [401] });
  const mounted = await stage.kubectl('exec', pod, '--container', 'app', '--', '/nodejs/bin/node', '-e', 'console.log(fs.existsSync("/var/run/secrets/kubernetes.io/serviceaccount/token"))');
  expect(mounted.trim()).toBe('true');
}, 60_000);
