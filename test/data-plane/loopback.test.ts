import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { connect } from 'node:net';
import { createRig, type Rig } from '../support/rig.ts';

jest.setTimeout(60_000);

let rig: Rig;
beforeAll(async () => {
  rig = await createRig({ a: [{ say: 'Alpha' }], args: ['--allow-origin', 'http://localhost:3000'] });
});
afterAll(() => rig?.close());

describe('a web page cannot spend the endpoint', () => {
  test.each<[string, { readonly [name: string]: string }, number]>([
    ['a name that somebody pointed at loopback', { host: 'evil.example' }, 403],
    ['an Origin that nobody allowed', { origin: 'https://evil.example' }, 403],
    ['an Origin of a file', { origin: 'null' }, 403],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
    ['a body of plain text', { 'content-type': 'text/plain' }, 415],
  ])('%s is refused before anything is sent', async (_title, headers, status) => {
    const before = rig.a.requests.length;
    expect(await rig.ask({}, { headers })).toMatchObject({ status, error: { message: expect.any(String) } });
    expect(rig.a.requests).toHaveLength(before);
  });

  test('an allowed Origin is served, with the headers that its browser wants', async () => {
    expect(await rig.ask({}, { headers: { origin: 'http://localhost:3000' } })).toMatchObject({ status: 200, text: 'Alpha', headers: { 'access-control-allow-origin': 'http://localhost:3000' } });
  });

  test('localhost and an address with a port are names of loopback', async () => {
    for (const host of ['localhost', 'localhost:7411', '127.0.0.1', '[::1]:7411']) expect(await rig.ask({}, { headers: { host } })).toMatchObject({ status: 200 });
  });

  test('nothing listens on another address of this machine', async () => {
    const port = Number(new URL(rig.belay.origin).port);
    const code = await new Promise((resolve) => {
      connect(port, '127.0.0.2').on('connect', () => resolve('connected')).on('error', (error: NodeJS.ErrnoException) => resolve(error.code));
    });
    expect(code).toBe('ECONNREFUSED');
  });
});
