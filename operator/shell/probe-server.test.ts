import { get, request } from 'node:http';
import { connect } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { until } from '../../test/operator/until.ts';
import { createProbeServer, type ProbeServer, type ProbeServerOptions } from './probe-server.ts';

let server: ProbeServer | null = null;
afterEach(async () => {
  await server?.close();
  server = null;
});

async function start(more: Partial<ProbeServerOptions> = {}): Promise<number> {
  server = createProbeServer({ notAlive: () => null, notReady: () => 'there is no certificate yet', metrics: async () => ({ text: 'belay_up 1\n', contentType: 'text/plain; version=0.0.4' }), ...more });
  return server.listen('127.0.0.1', 0);
}

function ask(port: number, path: string, method = 'GET', headers = {}): Promise<readonly [number, string]> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, method, agent: false, headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => { text += part; }).on('end', () => resolve([answer.statusCode ?? 0, text]));
    }).on('error', reject).end();
  });
}

test.each<[string, string, Partial<ProbeServerOptions>, number, string]>([
  ['GET', '/live', {}, 200, 'ok\n'],
  ['GET', '/live', { notAlive: () => 'a watch of the Kubernetes API has ended' }, 503, 'a watch of the Kubernetes API has ended\n'],
  ['GET', '/ready?x=1', {}, 503, 'there is no certificate yet\n'],
  ['GET', '/ready', { notReady: () => null }, 200, 'ok\n'],
  ['GET', '/metrics', {}, 200, 'belay_up 1\n'],
  ['GET', '/metrics', { metrics: () => Promise.reject(new Error('no registry')) }, 500, 'Error: no registry\n'],
  ['GET', '/else', {}, 404, 'There are /live, /ready and /metrics here.\n'],
  ['POST', '/live', {}, 405, 'GET /live, /ready or /metrics\n'],
])('%s %s', async (method, path, more, status, text) => {
  expect(await ask(await start(more), path, method)).toEqual([status, text]);
});

test('headers of more than 8 KiB are answered 431', async () => {
  expect((await ask(await start(), '/live', 'GET', { 'x-large': 'x'.repeat(9_000) }))[0]).toBe(431);
});

test('of more than 256 connections the last are cut off', async () => {
  const port = await start();
  const idle = Array.from({ length: 300 }, () => connect(port, '127.0.0.1').on('error', () => undefined));
  await until(() => idle.filter((socket) => socket.destroyed).length === 44);
  for (const socket of idle) socket.destroy();
  await until(() => new Promise((resolve) => get({ host: '127.0.0.1', port, path: '/live', agent: false }, (answer) => resolve(answer.resume().statusCode === 200)).on('error', () => resolve(false))));
});
