import { once } from 'node:events';
import { createServer, request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, expect, test } from '@jest/globals';
import { KubeConfig } from '@kubernetes/client-node';
import { WebSocketServer, type WebSocket } from 'ws';
import { openPortForward } from './port-forward.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

const data = 0;
const errors = 1;
const frame = (channel: number, text: string): Buffer => Buffer.concat([Buffer.from([channel]), Buffer.from(text)]);

/** Plays API server and kubelet by Kubernetes' `v4.channel.k8s.io`: both channels begin with the port, little-endian. */
async function kubelet(play: (socket: WebSocket, said: string) => void, refuse: number | null = null): Promise<{ readonly access: Parameters<typeof openPortForward>[0]; readonly paths: string[] }> {
  const paths: string[] = [];
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'v4.channel.k8s.io' });
  const server = createServer().on('upgrade', (upgrade: IncomingMessage, socket: Duplex, head: Buffer) => {
    paths.push(upgrade.url ?? '');
    if (refuse !== null) {
      socket.end(`HTTP/1.1 ${refuse} Refused\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    sockets.handleUpgrade(upgrade, socket, head, (open) => {
      for (const channel of [data, errors]) open.send(Buffer.from([channel, 0xf3, 0x1c]));
      let said = '';
      open.on('message', (message: Buffer) => {
        said += message.subarray(1).toString();
        if (message[0] === data) play(open, said);
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => { for (const client of sockets.clients) client.terminate(); server.closeAllConnections(); server.close(); });
  const config = new KubeConfig();
  config.loadFromClusterAndUser({ name: 'c', server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, skipTLSVerify: true }, { name: 'u' });
  return { access: { config, context: 'c', namespace: null, address: { server: '' } }, paths };
}

const web = { namespace: 'shop', pod: 'web-1', port: 7411 };

function get(connection: Duplex): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request({ path: '/belay/decisions', headers: { host: '127.0.0.1:7411' }, createConnection: () => connection }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => { text += chunk; }).on('end', () => resolve(text)).on('error', reject);
    });
    sent.on('error', reject).end();
  });
}

test('an HTTP request goes through to the pod, and its answer comes back', async () => {
  const { access, paths } = await kubelet((socket, said) => {
    if (!said.endsWith('\r\n\r\n')) return;
    for (const part of ['HTTP/1.1 200 OK\r\ncontent-length: 5\r\n', '\r\nhel', 'lo']) socket.send(frame(data, part));
  });
  expect(await get(await openPortForward(access, web))).toBe('hello');
  expect(paths).toEqual(['/api/v1/namespaces/shop/pods/web-1/portforward?ports=7411']);
});

test('an answer that ends with its connection is whole', async () => {
  const { access } = await kubelet((socket) => {
    socket.send(frame(data, 'HTTP/1.1 200 OK\r\n\r\nhello'));
    socket.close();
  });
  expect(await get(await openPortForward(access, web))).toBe('hello');
});

test('a port that nothing listens on fails in the kubelet\'s words', async () => {
  const { access } = await kubelet((socket) => socket.send(frame(errors, 'error forwarding port 7411 to pod: connection refused\n')));
  await expect(get(await openPortForward(access, web))).rejects.toThrow('error forwarding port 7411 to pod: connection refused');
});

test('a connection that is destroyed leaves no socket behind', async () => {
  const ends: Promise<unknown>[] = [];
  let heard = (): void => {};
  const arrived = new Promise<void>((resolve) => { heard = resolve; });
  const { access } = await kubelet((socket) => {
    ends.push(once(socket, 'close'));
    heard();
  });
  const connection = await openPortForward(access, web);
  connection.write('x');
  await arrived;
  connection.destroy();
  await Promise.all(ends);
});

test.each([401, 403, 404])('a refusal with %i is the API server\'s', async (status) => {
  const { access } = await kubelet(() => {}, status);
  await expect(openPortForward(access, web)).rejects.toMatchObject({ name: 'KubeError', status, message: `port-forward to 7411 of pod web-1 in namespace shop: the API server answered ${status}` });
});
