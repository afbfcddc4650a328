import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { createHttpsClient } from './https-client.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

const place = { resource: { group: '', version: 'v1', plural: 'secrets' } };

async function talkTo(answer: RequestListener) {
  const asked: { readonly url: string; readonly authorization: string | undefined }[] = [];
  const server = createServer((request, response) => {
    asked.push({ url: request.url ?? '', authorization: request.headers.authorization });
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const clock = new ManualClock();
  const client = createHttpsClient({ server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: () => 'tok', clock });
  closing.push(() => {
    client.close();
    server.close();
    server.closeAllConnections();
  });
  return { client, clock, asked };
}

const page = '<html><body>Please log in</body></html>';

describe('an answer that no API server gives is told in a sentence, and nothing of it is repeated', () => {
  test.each<[string, number, string, string]>([
    ['a page with status 200', 200, page, 'GET secrets: the answer is no JSON object: something else may answer in the API server\'s place'],
    ['half a list', 200, '{"items":[{"data":{"apiKey":"c2st', 'GET secrets: the answer is no JSON object: something else may answer in the API server\'s place'],
    ['a list with rubbish in a key', 200, '{"items":[{"data":{"apiKey":c2st', 'GET secrets: the answer is no JSON object: something else may answer in the API server\'s place'],
    ['null', 200, 'null', 'GET secrets: the answer is no JSON object: something else may answer in the API server\'s place'],
    ['nothing', 200, '', 'GET secrets: the answer is no JSON object: something else may answer in the API server\'s place'],
    ['a page with status 502', 502, page, 'GET secrets: the API server answered 502'],
  ])('%s', async (_sentence, status, body, message) => {
    const { client } = await talkTo((_request, response) => response.writeHead(status, { 'content-type': 'text/html' }).end(body));
    await expect(client.list(place, {})).rejects.toThrow(new Error(message));
  });

  test('a page in place of a watch', async () => {
    const { client } = await talkTo((_request, response) => response.end(`${page}\n`));
    await expect(client.watch(place, { resourceVersion: '1', timeoutSeconds: 300 }, () => undefined, new AbortController().signal)).rejects.toThrow(new Error('watch of secrets: a line that is no event'));
  });

  test('a redirection, which is not followed: the token goes nowhere else', async () => {
    const other = await talkTo((_request, response) => response.end('{}'));
    const { client, asked } = await talkTo((_request, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end());
    await expect(client.list(place, {})).rejects.toMatchObject({ status: 302 });
    expect([asked, other.asked]).toEqual([[{ url: '/api/v1/secrets', authorization: 'Bearer tok' }], []]);
  });
});

describe('what the server asks to wait', () => {
  test.each<[string, string, number | null]>([
    ['seconds', '7', 7_000], ['none', '0', null], ['less than a second', '0.001', 1],
    ['a date, which no API server sends', 'Wed, 21 Oct 2026 07:28:00 GMT', null], ['a negative number', '-5', null], ['no number', 'soon', null], ['more than there is', '1e400', null],
  ])('is read where it is %s', async (_sentence, header, retryAfterMs) => {
    const { client } = await talkTo((_request, response) => response.writeHead(503, { 'retry-after': header }).end());
    await expect(client.list(place, {})).rejects.toMatchObject({ status: 503, retryAfterMs });
  });
});

test.each<[string, RequestListener]>([
  ['never answers', () => undefined],
  ['begins and goes on for ever', (_request, response) => response.write('{"items":[')],
  ['refuses and goes on for ever', (_request, response) => response.writeHead(500).write('{')],
])('a server that %s is given up after 30 s', async (_sentence, answer) => {
  let arrived = (): void => undefined;
  const begun = new Promise<void>((resolve) => { arrived = resolve; });
  const { client, clock } = await talkTo((request, response) => {
    answer(request, response);
    arrived();
  });
  const asked = expect(client.list(place, {})).rejects.toThrow('GET secrets: the API server did not answer within 30 s');
  await begun;
  await clock.advance(30_000);
  await asked;
  expect(clock.armed).toBe(0);
});
