import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Secret } from '@belay/contract';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { call, chat, decisions, event, open, says, until, type StandIn } from '../../test/support/running-sidecar.ts';
import { startSidecar } from '../../test/support/start-sidecar.ts';

let stop = (): void => undefined;
afterEach(() => stop());

const sse = { 'content-type': 'text/event-stream' };

describe('a local target', () => {
  const local = (handler: StandIn['handler']): StandIn => ({ handler, provider: { address: 'local:llama', preset: 'LlamaCpp' }, target: { tier: 'Local' } });

  /** A model server: loads until told otherwise. */
  async function modelServer(): Promise<{ url: string; ready: () => void; polls: () => number; asked: () => number; authorization: () => unknown; close: () => void }> {
    let loaded = false;
    let polls = 0;
    let asked = 0;
    let authorization: unknown;
    const server = createServer((request, response) => {
      authorization = request.headers.authorization;
      if (request.url === '/health') polls++;
      else asked++;
      if (!loaded) return void response.writeHead(503, { 'content-type': 'application/json' }).end('{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}');
      if (request.url === '/health') return void response.end('{"status":"ok"}');
      response.writeHead(200, sse).end(`${event({ content: 'local words' })}${event({}, 'stop')}data: [DONE]\n\n`);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, ready: () => (loaded = true), polls: () => polls, asked: () => asked, authorization: () => authorization, close: () => void (server.closeAllConnections(), server.close()) };
  }

  test.each([['the key of this run', new Secret('key-of-this-run'), 'Bearer key-of-this-run'], ['none', undefined, undefined]])('is sent %s, whatever key the application has', async (_sentence, localKey, sent) => {
    const model = await modelServer();
    model.ready();
    const { port, sidecar } = await startSidecar({ llama: local(says('unused')) }, {}, localKey === undefined ? {} : { localKey });
    sidecar.applyEndpoints([{ name: 'llama', state: 'Ready', url: model.url }]);
    expect(await call(port, { body: chat({ stream: true }), headers: { authorization: 'Bearer of-the-application' } })).toMatchObject({ status: 200 });
    expect(model.authorization()).toBe(sent);
    model.close();
  });

  test('a key of this run goes to no other target', async () => {
    let authorization: unknown = 'not asked';
    const { port } = await startSidecar({ a: { handler: (request, response, body) => { authorization = request.headers.authorization; says('hi')(request, response, body); } } }, {}, { localKey: new Secret('key-of-this-run') });
    expect(await call(port, { body: chat() })).toMatchObject({ status: 200 });
    expect(authorization).toBeUndefined();
  });

  test('that loads is polled and waited for, without further attempts', async () => {
    const model = await modelServer();
    const clock = new ManualClock();
    const { port, sidecar } = await startSidecar({ llama: local(says('unused')) }, {}, { clock });
    sidecar.applyEndpoints([{ name: 'llama', state: 'Ready', url: model.url }]);
    const client = open(port, chat({ stream: true }));
    const quarter = async (): Promise<void> => {
      await clock.advance(250);
      await new Promise((resolve) => setTimeout(resolve, 5));
    };
    await until(() => model.asked() === 1);
    while (model.polls() < 3) await quarter();
    expect([model.asked(), client.head()]).toEqual([1, null]);
    model.ready();
    while (client.read() === '') await quarter();
    expect(await client.ended).toBe(false);
    expect(client.read()).toContain('local words');
    expect((await decisions(port))[0]).toMatchObject({ outcome: 'Answered', attempts: [{ outcome: 'Failed', failure: { class: 'Loading' } }, { outcome: 'Ok', role: 'Wait' }] });
    expect(clock.armed).toBe(0);
    model.close();
  });

  test('is no longer polled when the client has left', async () => {
    const model = await modelServer();
    const clock = new ManualClock();
    const { port, sidecar } = await startSidecar({ llama: local(says('unused')) }, {}, { clock });
    sidecar.applyEndpoints([{ name: 'llama', state: 'Ready', url: model.url }]);
    const client = open(port, chat({ stream: true }));
    await until(() => model.asked() === 1);
    while (model.polls() < 1) {
      await clock.advance(250);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    client.leave();
    await until(() => clock.armed === 0);
    model.close();
  });

  test('at its cap serves whoever waited for it to load in turn, before those who come later', async () => {
    const answers: { readonly said: string; readonly end: () => void }[] = [];
    let polls = 0;
    const server = createServer((request, response) => {
      if (request.url === '/health') return void (polls++, response.end('{"status":"ok"}'));
      let body = '';
      request.on('data', (part: Buffer) => { body += part.toString(); });
      request.on('end', () => answers.push({ said: /said-\w+/.exec(body)?.[0] ?? '', end: () => void response.writeHead(200, sse).end(`${event({ content: 'hi' })}${event({}, 'stop')}data: [DONE]\n\n`) }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    stop = () => void (server.closeAllConnections(), server.close());
    const clock = new ManualClock();
    const llama = local(says('unused'));
    const { port, sidecar } = await startSidecar({ llama: { ...llama, provider: { ...llama.provider, concurrency: 1 } } }, {}, { clock });
    const say = (word: string): ReturnType<typeof open> => open(port, chat({ stream: true, messages: [{ role: 'user', content: `said-${word}` }] }));
    /** What arrives and has to wait arms a timer. */
    const inLine = async (word: string): Promise<ReturnType<typeof open>> => {
      const before = clock.armed;
      const client = say(word);
      await until(() => clock.armed > before);
      return client;
    };
    sidecar.applyEndpoints([{ name: 'llama', state: 'Loading', url: null }]);
    const patient = say('first');
    await until(() => clock.armed > 0);
    await clock.advance(300);
    sidecar.applyEndpoints([{ name: 'llama', state: 'Ready', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` }]);
    const second = say('second');
    await until(() => answers.length === 1);
    const third = await inLine('third');
    const armed = clock.armed;
    await clock.advance(250);
    await until(() => polls === 1 && clock.armed === armed - 1);
    const fourth = await inLine('fourth');
    for (const number of [1, 2, 3, 4]) {
      await until(() => answers.length === number);
      answers[number - 1]?.end();
    }
    for (const client of [patient, second, third, fourth]) expect(await client.ended).toBe(false);
    expect(answers.map(({ said }) => said)).toEqual(['said-second', 'said-third', 'said-first', 'said-fourth']);
    expect(clock.armed).toBe(0);
  });

  test('whose server refuses is loading, not down', async () => {
    const { port, sidecar } = await startSidecar({ llama: local(says('unused')), b: { handler: says('from b') } });
    sidecar.applyEndpoints([{ name: 'llama', state: 'Ready', url: 'http://127.0.0.1:1/v1' }]);
    expect((await call(port, { body: chat() })).headers['x-belay-attempts']).toMatch(/^llama=loading:\d+ms,b=ok:/);
  });
});
