import { connect } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { Secret } from '@belay/contract';
import { until } from '../../test/operator/until.ts';
import { call, chat, refuses, runSidecar, says } from '../../test/support/running-sidecar.ts';
import { startSidecar } from '../../test/support/start-sidecar.ts';

const one = { a: { handler: says('hi') } };

describe('security promise 11: what is let in', () => {
  test.each([
    ['a Host that is no loopback name is refused', { host: 'evil.example' }, 403, 'Host must be localhost'],
    ['a Host that only begins like loopback is refused', { host: '127.0.0.1.evil.example:80' }, 403, 'Host must be localhost'],
    ['localhost is let in', { host: 'localhost:7411' }, 200, ''],
    ['an IPv6 loopback Host is let in', { host: '[::1]:7411' }, 200, ''],
    ['an Origin is refused', { origin: 'https://evil.example' }, 403, 'Origin "https://evil.example" is not allowed'],
    ['an opaque Origin is refused', { origin: 'null' }, 403, 'is not allowed'],
    ['an allowed Origin is let in', { origin: 'http://localhost:3000' }, 200, ''],
    ['a form is refused', { 'content-type': 'application/x-www-form-urlencoded' }, 415, 'must be application/json'],
    ['plain text is refused', { 'content-type': 'text/plain' }, 415, 'must be application/json'],
    ['a compressed body is refused', { 'content-encoding': 'gzip' }, 415, 'A request body must not be compressed, and content-encoding is "gzip": send it as it is.'],
    ['a body that is said to be as it is is let in', { 'content-encoding': 'identity' }, 200, ''],
    ['JSON with a charset is let in', { 'content-type': 'application/json; charset=utf-8' }, 200, ''],
  ])('%s', async (_sentence, headers, status, message) => {
    const { port } = await startSidecar(one, {}, { allowOrigins: ['http://localhost:3000'] });
    const answer = await call(port, { headers, body: chat() });
    expect(answer.status).toBe(status);
    if (status !== 200) expect(JSON.parse(answer.body)).toMatchObject({ error: { message: expect.stringContaining(message), type: 'invalid_request_error' } });
    if ('origin' in headers && status === 200) expect(answer.headers['access-control-allow-origin']).toBe(headers.origin);
  });

  test('a page of an allowed origin may ask beforehand', async () => {
    const { port } = await startSidecar(one, {}, { allowOrigins: ['http://localhost:3000'] });
    const answer = await call(port, { method: 'OPTIONS', headers: { origin: 'http://localhost:3000', 'access-control-request-headers': 'content-type' } });
    expect(answer).toMatchObject({ status: 204, headers: { 'access-control-allow-headers': 'content-type' } });
  });

  test.each([
    ['the right key', 'Bearer open sesame', 200],
    ['another key', 'Bearer open', 401],
    ['no key', undefined, 401],
  ])('a client key is demanded: %s', async (_sentence, authorization, status) => {
    const { port } = await startSidecar(one, {}, { clientKey: new Secret('open sesame') });
    const answer = await call(port, { headers: authorization === undefined ? {} : { authorization }, body: chat() });
    expect(answer.status).toBe(status);
    expect(answer.body).not.toContain('open sesame');
  });
});

describe('what is served', () => {
  test.each([
    ['GET', '/v1/nothing', 404, 'Nothing is served at \\"/v1/nothing\\". There are POST /v1/chat/completions'],
    ['GET', '/v1/chat/completions', 405, '/v1/chat/completions takes POST, not GET.'],
    ['POST', '/v1/models', 405, '/v1/models takes GET, not POST.'],
    ['GET', '/v1/models', 200, '"id":"chat"'],
    ['GET', '/v1/models/chat', 200, '"id":"chat"'],
    ['GET', '/v1/models/other', 404, '\\"other\\" is in no chain of namespace tests. Chains: chat'],
    ['GET', '/belay/health', 200, '"breaker":"closed"'],
    ['GET', '/belay/table', 200, '"namespace":"tests"'],
    ['GET', '/belay/decisions', 200, '"decisions":[]'],
    ['GET', '/v1/models/', 200, '"id":"chat"'],
    ['GET', '//v1//models/chat', 200, '"id":"chat"'],
    ['GET', 'http://localhost/v1/models?x=1', 200, '"id":"chat"'],
    ['GET', '/v1/chat/completions/?api-version=1', 405, '/v1/chat/completions takes POST, not GET.'],
    ['GET', '//', 404, 'Nothing is served at \\"/\\"'],
    ['GET', 'http://[::1/x', 404, 'Nothing is served at'],
    ['GET', '/v1/models/%zz', 404, '\\"%zz\\" is in no chain'],
    ['GET', '/belay/decisions?id=pod.99', 404, 'No decision \\"pod.99\\" is kept'],
  ])('%s %s', async (method, path, status, words) => {
    const { port } = await startSidecar(one);
    const answer = await call(port, { method, path });
    expect(answer.status).toBe(status);
    expect(answer.body).toContain(words);
  });

  test('a decision is found by its id, also when many followed', async () => {
    const { port } = await startSidecar({ a: { handler: refuses(500) }, b: { handler: says('hi') } }, { retries: 0 });
    const answer = await call(port, { body: chat() });
    const found = await call(port, { method: 'GET', path: `/belay/decisions?id=${answer.headers['x-belay-request-id'] as string}` });
    expect(JSON.parse(found.body)).toMatchObject({ chain: 'chat', target: 'b', outcome: 'Answered', status: 200, attempts: [{ target: 'a', outcome: 'Failed', failure: { class: 'Transient', status: 500 } }, { target: 'b', outcome: 'Ok' }], usage: { promptTokens: 1, completionTokens: 2 } });
  });

  test.each([
    ['not JSON', '{"model":', 400, 'is not JSON'],
    ['no model', {}, 400, 'model: must be the name of a model'],
    ['a model nobody serves', chat({ model: 'other' }), 404, '"other" is in no chain of namespace tests'],
    ['a setting that is none', chat({ belay: { tier: 'x' } }), 400, 'belay.tier: is no setting'],
  ])('a body that cannot be served: %s', async (_sentence, body, status, words) => {
    const { port } = await startSidecar(one);
    const answer = await call(port, { body });
    expect(answer.status).toBe(status);
    expect((JSON.parse(answer.body) as { error: { message: string } }).error.message).toContain(words);
    expect(answer.headers['x-should-retry']).toBe('false');
  });
});

describe('security promise 10: limits of the sidecar', () => {
  const tooLarge = 32 * 1024 * 1024 + 1;

  test('a declared length over the cap is answered 413 before the body is sent', async () => {
    const { port } = await startSidecar(one);
    const answer = await rawRequest(port, `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${tooLarge}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain('A request body may have 32 MiB at most; this one has 32.0 MiB.');
  });

  test('an upload that waits to be asked for is not asked for', async () => {
    const { port } = await startSidecar(one);
    const answer = await rawRequest(port, `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\ncontent-type: application/json\r\ncontent-length: ${tooLarge}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  });

  test('a chunked body is cut off at the cap, and the client still reads why', async () => {
    const { port } = await startSidecar(one);
    const answer = await call(port, { headers: { 'transfer-encoding': 'chunked' }, body: `{"model":"${'x'.repeat(tooLarge)}"}` });
    expect(answer.status).toBe(413);
    expect(answer.body).toContain('this one has more than 32 MiB');
  });

  test('bodies over the budget of bytes in flight are answered 429, and their bytes are given back', async () => {
    let release = (): void => undefined;
    const { port, close } = await startSidecar({ a: { handler: (request, response, body) => { release = () => says('hi')(request, response, body); } } });
    const large = chat({ padding: 'x'.repeat(30 * 1024 * 1024) });
    const first = call(port, { body: large });
    const second = call(port, { body: large });
    const third = await Promise.race([call(port, { body: large }), first, second]);
    expect(third.status).toBe(429);
    expect(third.headers['retry-after']).toBe('1');
    await close();
    await Promise.allSettled([first, second]);
    release();
  });

  test('of more than 1000 requests at once the last is answered 429, until others are over', async () => {
    const { port } = await startSidecar(one);
    // More than a thousand: one of the test's own requests may have had the place of one of them.
    const waiting = Array.from({ length: 1_050 }, () => connect(port, '127.0.0.1'));
    for (const socket of waiting) socket.on('error', () => undefined).write('POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n');
    await until(async () => (await call(port, { body: chat() })).status === 429);
    expect(await call(port, { body: chat() })).toMatchObject({ status: 429, headers: { 'retry-after': '1' }, body: expect.stringContaining('This sidecar serves 1000 requests at once, and as many are under way.') });
    expect(await call(port, { method: 'GET', path: '/v1/models' })).toMatchObject({ status: 200 });
    for (const socket of waiting) socket.destroy();
    await until(async () => (await call(port, { body: chat() })).status === 200);
  });

  test('bytes are given back when their request is over', async () => {
    const { port } = await startSidecar(one);
    const large = chat({ padding: 'x'.repeat(30 * 1024 * 1024) });
    for (let i = 0; i < 3; i++) expect(await call(port, { body: large })).toMatchObject({ status: 200 });
  }, 30_000);

  test('an upload that waits to be asked for is asked for where it is welcome', async () => {
    const { port } = await startSidecar(one);
    const body = JSON.stringify(chat());
    const answer = await rawRequest(port, `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nexpect: 100-continue\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`, body);
    expect(answer).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);
  });

  test('headers over the cap are answered 431 with a sentence', async () => {
    const { port } = await startSidecar(one);
    const answer = await rawRequest(port, `GET /v1/models HTTP/1.1\r\nhost: localhost\r\nx-large: ${'x'.repeat(20_000)}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(answer).toContain('The request headers may have 16 KiB at most.');
  });
});

describe('probes', () => {
  test.each([['/live', 200], ['/startup', 200], ['/ready', 200], ['/metrics', 200], ['/other', 404]])('%s answers %d', async (path, status) => {
    const { adminPort } = await startSidecar(one);
    expect(await call(adminPort, { method: 'GET', path })).toMatchObject({ status });
  });

  test('take headers of 8 KiB, and 256 connections', async () => {
    const { adminPort } = await startSidecar(one);
    expect(await rawRequest(adminPort, `GET /live HTTP/1.1\r\nhost: x\r\nx-large: ${'x'.repeat(9_000)}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431 /);
    const idle = Array.from({ length: 300 }, () => connect(adminPort, '127.0.0.1').on('error', () => undefined));
    await until(() => idle.filter((socket) => socket.destroyed).length === 44);
    for (const socket of idle) socket.destroy();
    await until(async () => (await call(adminPort, { method: 'GET', path: '/live' }).catch(() => null))?.status === 200);
  });

  test('a port in use is one sentence', async () => {
    const { port } = await startSidecar(one);
    await expect(runSidecar(one, {}, { port })).rejects.toThrow(`port ${port} on 127.0.0.1 is in use: stop what listens there, or choose another port`);
  });
});

/** Bytes as they are, and whatever comes back within the answer. */
function rawRequest(port: number, bytes: string, afterContinue = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    let read = '';
    socket.setEncoding('utf8').on('data', (part: string) => {
      read += part;
      if (part.startsWith('HTTP/1.1 100')) socket.write(afterContinue);
      if (!read.includes('"code"')) return;
      socket.destroy();
      resolve(read);
    });
    socket.on('error', reject);
    socket.on('end', () => resolve(read));
  });
}
