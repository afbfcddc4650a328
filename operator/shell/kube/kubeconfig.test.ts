import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createPlainServer, type IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { testCa, testCertificate, testKey } from '../../../test/support/test-certificates.ts';
import { describeAccessProblem } from './describe-access-problem.ts';
import { createHttpsClient } from './https-client.ts';
import { loadKubeconfig, type KubeconfigOptions } from './kubeconfig.ts';

let folder: string;
const closing: (() => void)[] = [];
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'belay-kubeconfig-')); });
afterEach(() => {
  for (const close of closing.splice(0)) close();
  rmSync(folder, { recursive: true });
});

interface Parts {
  readonly cluster?: object;
  readonly user?: object;
  readonly context?: string;
  readonly current?: string | null;
  readonly namespace?: string;
}

function kubeconfig(file: string, { cluster = {}, user = {}, context = 'one', current = context, namespace }: Parts = {}): string {
  const path = join(folder, file);
  writeFileSync(path, JSON.stringify({
    apiVersion: 'v1', kind: 'Config', ...(current === null ? {} : { 'current-context': current }),
    clusters: [{ name: `${context}-cluster`, cluster: { server: 'https://localhost:6443', ...cluster } }],
    users: [{ name: `${context}-user`, user }],
    contexts: [{ name: context, context: { cluster: `${context}-cluster`, user: `${context}-user`, ...(namespace === undefined ? {} : { namespace }) } }],
  }));
  return path;
}

/** An API server that tells what it was asked, and by whom. */
async function apiServer(): Promise<{ readonly url: string; readonly asked: IncomingMessage[]; readonly clients: string[] }> {
  const asked: IncomingMessage[] = [];
  const clients: string[] = [];
  const server = createServer({ cert: testCertificate, key: testKey, ca: testCa, requestCert: true, rejectUnauthorized: false }, (request, response) => {
    asked.push(request);
    clients.push((request.socket as TLSSocket).getPeerCertificate().subject?.CN?.toString() ?? '');
    response.end('{"metadata":{"name":"shop"}}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => { server.closeAllConnections(); server.close(); });
  return { url: `https://localhost:${(server.address() as AddressInfo).port}`, asked, clients };
}

const place = { resource: { group: '', version: 'v1', plural: 'namespaces' }, name: 'shop' };

async function ask(path: string, options: KubeconfigOptions = {}): Promise<object> {
  const { address } = await loadKubeconfig(path, { env: {}, ...options });
  const client = createHttpsClient({ ...address, clock: new ManualClock() });
  closing.push(() => client.close());
  return client.get(place);
}

const ca = { 'certificate-authority-data': Buffer.from(testCa).toString('base64') };

test('a token and a CA are used as they are written', async () => {
  const { url, asked } = await apiServer();
  await ask(kubeconfig('config', { cluster: { server: url, ...ca }, user: { token: 'secret-token' } }));
  expect(asked[0]?.headers.authorization).toBe('Bearer secret-token');
});

test('a CA of a file beside the kubeconfig is found, and a client certificate shown', async () => {
  const { url, clients, asked } = await apiServer();
  writeFileSync(join(folder, 'ca.crt'), testCa);
  const user = { 'client-certificate-data': Buffer.from(testCertificate).toString('base64'), 'client-key-data': Buffer.from(testKey).toString('base64') };
  await ask(kubeconfig('config', { cluster: { server: url, 'certificate-authority': 'ca.crt' }, user }));
  expect([clients, asked[0]?.headers.authorization]).toEqual([['localhost'], undefined]);
});

test('an exec plugin logs in, told whom it logs in to, and is asked once', async () => {
  const { url, asked } = await apiServer();
  const count = join(folder, 'count');
  writeFileSync(count, '');
  const script = 'printf x >> "$1"; printf \'{"status":{"token":"%s"}}\' "$(printf %s "$KUBERNETES_EXEC_INFO" | tr -dc a-zA-Z | cut -c1-18)"';
  const path = kubeconfig('config', { cluster: { server: url, ...ca }, user: { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: 'sh', args: ['-c', script, 'sh', count], env: null } } });
  const { address } = await loadKubeconfig(path, { env: {} });
  const client = createHttpsClient({ ...address, clock: new ManualClock() });
  closing.push(() => client.close());
  await client.get(place);
  await client.get(place);
  expect(asked.map(({ headers }) => headers.authorization)).toEqual(['Bearer kindExecCredential', 'Bearer kindExecCredential']);
});

test('a certificate that is not trusted is refused, unless the kubeconfig says not to look', async () => {
  const { url } = await apiServer();
  const refusal = await ask(kubeconfig('config', { cluster: { server: url } })).catch((error: unknown) => error);
  expect(describeAccessProblem(refusal, { server: url, context: 'one' })).toBe(`The certificate of the API server ${url} is not trusted (SELF_SIGNED_CERT_IN_CHAIN): the certificate-authority of context "one" must be its CA.`);
  expect(await ask(kubeconfig('config', { cluster: { server: url, 'insecure-skip-tls-verify': true } }))).toEqual({ metadata: { name: 'shop' } });
});

test('the name of the certificate may be another than the host\'s', async () => {
  const { url } = await apiServer();
  const server = url.replace('localhost', '127.0.0.1');
  await expect(ask(kubeconfig('config', { cluster: { server, ...ca } }))).rejects.toThrow('altnames');
  expect(await ask(kubeconfig('config', { cluster: { server, 'tls-server-name': 'provider.example', ...ca } }))).toEqual({ metadata: { name: 'shop' } });
});

test.each<[string, (proxy: string) => Parts['cluster'], (proxy: string) => NodeJS.ProcessEnv]>([
  ['proxy-url of the kubeconfig', (proxy) => ({ 'proxy-url': proxy }), () => ({})],
  ['HTTPS_PROXY', () => ({}), (proxy) => ({ HTTPS_PROXY: proxy })],
])('by %s the API server is reached through a proxy', async (_sentence, cluster, env) => {
  const { url } = await apiServer();
  const connects: string[] = [];
  const proxy = createPlainServer().on('connect', (request: IncomingMessage, socket: Socket) => {
    connects.push(request.url ?? '');
    const upstream = connect(Number(new URL(url).port), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
    closing.push(() => { upstream.destroy(); socket.destroy(); });
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  closing.push(() => { proxy.closeAllConnections(); proxy.close(); });
  const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  expect(await ask(kubeconfig('config', { cluster: { server: url, ...ca, ...cluster(address) } }), { env: env(address) })).toEqual({ metadata: { name: 'shop' } });
  expect(connects).toEqual([new URL(url).host]);
});

test('of several files the first that says something wins, and missing ones are passed over', async () => {
  const first = kubeconfig('first', { context: 'one', current: null, namespace: 'shop' });
  const second = kubeconfig('second', { context: 'two', cluster: { server: 'https://two:6443' } });
  const third = kubeconfig('third', { context: 'one', cluster: { server: 'https://three:6443' } });
  writeFileSync(join(folder, 'empty'), '');
  const env = { KUBECONFIG: [join(folder, 'missing'), join(folder, 'empty'), first, second, third].join(':') };
  expect(await loadKubeconfig(undefined, { env })).toMatchObject({ context: 'two', namespace: null, address: { server: 'https://two:6443' } });
  expect(await loadKubeconfig(undefined, { env, context: 'one' })).toMatchObject({ context: 'one', namespace: 'shop', address: { server: 'https://localhost:6443' } });
});

const failures: [string, () => Promise<unknown>, RegExp][] = [
  ['no kubeconfig', () => loadKubeconfig(undefined, { env: { HOME: folder } }), /^There is no kubeconfig: \S+\/\.kube\/config is not there\. Set KUBECONFIG to the one of your cluster\.$/],
  ['a kubeconfig that is named and not there', () => loadKubeconfig(join(folder, 'gone')), /^There is no kubeconfig \S+gone\.$/],
  ['a file that is none', () => { writeFileSync(join(folder, 'bad'), 'a: [b'); return loadKubeconfig(join(folder, 'bad')); }, /^kubeconfig \S+bad cannot be read: .+\.$/],
  ['an unknown context', () => loadKubeconfig(kubeconfig('config'), { context: 'prod' }), /^kubeconfig \S+config has no context "prod": it has one\.$/],
  ['no current context', () => loadKubeconfig(kubeconfig('config', { current: null })), /^kubeconfig \S+config has no current context: set one with kubectl config use-context \(it has one\)\.$/],
  ['a current context that is not there', () => loadKubeconfig(kubeconfig('config', { current: 'old' })), /^kubeconfig \S+config has no context "old", which it says is the current one: it has one\.$/],
  ['an exec plugin that is not installed', () => ask(kubeconfig('config', { user: { exec: { command: 'no-such-login', installHint: 'Install no-such-login.' } } })), /^no-such-login, by which user "one-user" logs in, is not installed: Install no-such-login\.$/],
  ['an exec plugin that fails', () => ask(kubeconfig('config', { user: { exec: { command: 'sh', args: ['-c', 'echo "token expired: log in" >&2; exit 1'] } } })), /^sh, by which user "one-user" logs in, failed: token expired: log in\.$/],
];

test.each(failures)('%s is said in one sentence', async (_sentence, load, message) => {
  await expect(load()).rejects.toThrow(message);
});

test('a server that is not there is said in one sentence', async () => {
  const { url } = await apiServer();
  for (const close of closing.splice(0)) close();
  const refusal = await ask(kubeconfig('config', { cluster: { server: url, ...ca } })).catch((error: unknown) => error);
  expect(describeAccessProblem(refusal, { server: url, context: 'one' })).toBe(`The API server ${url} of context "one" cannot be reached: nothing listens there (ECONNREFUSED).`);
});
