import { describe, expect, test } from '@jest/globals';
import type { ServerResponse } from 'node:http';
import type { Decision } from '@belay/contract';
import { answerOf, call, chat, decisions, event, open, refuses, says, unchanging, until, type StandIn } from '../../test/support/running-sidecar.ts';
import { startSidecar } from '../../test/support/start-sidecar.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';

/** A stand-in that leaves its answers to the test. */
function puppet(): StandIn & { readonly answers: ServerResponse[]; readonly closedMs: number[]; readonly bodies: string[]; readonly headers: object[] } {
  const answers: ServerResponse[] = [];
  const closedMs: number[] = [];
  const bodies: string[] = [];
  const headers: object[] = [];
  return {
    answers, closedMs, bodies, headers,
    handler(request, response, body) {
      answers.push(response);
      bodies.push(body);
      headers.push(request.headers);
      response.on('close', () => closedMs.push(performance.now()));
    },
  };
}

const sse = { 'content-type': 'text/event-stream' };
const role = event({ role: 'assistant', content: '' });

describe('a client that leaves', () => {
  test.each([
    ['in the middle of its stream', true, true],
    ['before anything came', false, true],
    ['a unary request', false, false],
  ])('is seen upstream within 50 ms: %s', async (_sentence, answered, stream) => {
    const a = puppet();
    const { port, armed } = await startSidecar({ a });
    const latenesses: number[] = [];
    // The fastest of three: what the machine does beside is not Belay's.
    for (let round = 0; round < 3; round++) {
      const client = open(port, chat({ stream }));
      await until(() => a.answers.length === round + 1);
      if (answered) {
        a.answers[round]!.writeHead(200, sse).write(role + event({ content: 'one' }));
        await client.sees('one');
      }
      const leftMs = performance.now();
      client.leave();
      await until(() => a.closedMs.length === round + 1);
      latenesses.push(a.closedMs[round]! - leftMs);
    }
    expect(Math.min(...latenesses)).toBeLessThan(50);
    expect(await decisions(port)).toMatchObject(Array(3).fill({ outcome: 'ClientGone', status: answered ? 200 : 0, attempts: [{ outcome: 'Cancelled' }] }));
    expect(armed()).toBe(0);
  });

  test('while a limit is waited for: nothing more is sent', async () => {
    const clock = new ManualClock();
    let asked = 0;
    const { port } = await startSidecar({ a: { handler: (...all) => { asked++; refuses(429, { 'retry-after': '2' })(...all); } } }, { rateLimitWaitUpToMs: 2_000 }, { clock });
    const client = open(port, chat({ stream: true }));
    await until(() => asked === 1);
    await until(() => clock.armed > 1);
    client.leave();
    await until(() => clock.armed === 0);
    await clock.advance(5_000);
    expect(asked).toBe(1);
    expect(await decisions(port)).toMatchObject([{ outcome: 'ClientGone' }]);
  });
});

describe('a stream that breaks after its first content', () => {
  test.each<[string, (answer: ServerResponse) => void]>([
    ['a reset', (answer) => answer.destroy()],
    ['an end without a finish reason', (answer) => answer.end()],
    ['[DONE] without a finish reason', (answer) => answer.end('data: [DONE]\n\n')],
    ['an error event', (answer) => answer.end('data: {"error":{"message":"overloaded","type":"server_error"}}\n\n')],
    ['an event that is no JSON', (answer) => answer.end('data: {"id"\n\n')],
  ])('%s becomes an error event and a close without a normal end', async (_sentence, breakOff) => {
    const a = puppet();
    const { port, armed, log } = await startSidecar({ a, b: { handler: says('never') } });
    const client = open(port, chat({ stream: true }));
    await until(() => a.answers.length === 1);
    a.answers[0]!.writeHead(200, sse).write(role + event({ content: 'one' }));
    await client.sees('one');
    breakOff(a.answers[0]!);
    expect(await client.ended).toBe(true);
    const events = client.read().trimEnd().split('\n\n');
    expect(events.slice(0, 2)).toEqual([role.trimEnd(), event({ content: 'one' }).trimEnd()]);
    expect(JSON.parse(events.at(-1)!.slice('data: '.length))).toMatchObject({ error: { code: 'upstream_stream_interrupted', message: expect.stringMatching(/^chat: a broke off: .*id pod\.1$/) } });
    expect(client.read()).not.toContain('data: [DONE]');
    expect(client.read()).not.toContain('never');
    expect(log.map(({ event: name }) => name)).toContain('request-broke');
    await until(() => armed() === 0);
  });

  test('a stall: idle runs from the last event that counts, and pings do not feed it', async () => {
    const clock = new ManualClock();
    const a = puppet();
    const { port } = await startSidecar({ a }, {}, { clock });
    const client = open(port, chat({ stream: true }));
    await until(() => a.answers.length === 1);
    a.answers[0]!.writeHead(200, sse).write(role + event({ content: 'one' }));
    await client.sees('one');
    await clock.advance(6_000);
    a.answers[0]!.write(event({ content: 'two' }));
    await client.sees('two');
    await clock.advance(6_000);
    a.answers[0]!.write(': ping\n\n');
    await client.sees(': ping');
    await clock.advance(3_000);
    expect(client.read()).not.toContain('error');
    await clock.advance(1_500);
    expect(await client.ended).toBe(true);
    expect(client.read()).toContain('a broke off: stalled for 10 s');
    await until(() => clock.armed === 0);
  });

  test('the deadline ends a stream in an error of its own', async () => {
    const clock = new ManualClock();
    const a = puppet();
    const { port } = await startSidecar({ a }, { deadlineMs: 5_000 }, { clock });
    const client = open(port, chat({ stream: true }));
    await until(() => a.answers.length === 1);
    a.answers[0]!.writeHead(200, sse).write(role + event({ content: 'one' }));
    await client.sees('one');
    await clock.advance(5_000);
    expect(await client.ended).toBe(true);
    expect(client.read()).toContain('"code":"deadline_exceeded"');
  });
});

describe('the end of a stream', () => {
  test('a finish reason without [DONE] is whole: 2 s for the usage, then a normal end', async () => {
    const clock = new ManualClock();
    const a = puppet();
    const { port } = await startSidecar({ a }, {}, { clock });
    const client = open(port, chat({ stream: true }));
    await until(() => a.answers.length === 1);
    a.answers[0]!.writeHead(200, sse).write(role + event({ content: 'one' }) + event({}, 'stop'));
    await client.sees('"stop"');
    await clock.advance(2_000);
    expect(await client.ended).toBe(false);
    expect(client.read().endsWith('data: [DONE]\n\n')).toBe(true);
    expect(await decisions(port)).toMatchObject([{ outcome: 'Answered', target: 'a' }]);
  });

  test('the usage that only Belay asked for is read and not handed on', async () => {
    const usage = 'data: {"id":"one","object":"chat.completion.chunk","created":1,"model":"served","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9}}\n\n';
    const a = puppet();
    const { port } = await startSidecar({ a });
    for (const [asked, together] of [[false, true], [false, false], [true, true]] as const) {
      const client = open(port, chat({ stream: true, ...(asked ? { stream_options: { include_usage: true } } : {}) }));
      await until(() => a.answers.length === 1);
      const answer = a.answers.pop()!;
      answer.writeHead(200, sse).write(event({ content: 'one' }) + event({}, 'stop') + (together ? usage : ''));
      await client.sees('"stop"');
      answer.end(`${together ? '' : usage}data: [DONE]\n\n`);
      expect(await client.ended).toBe(false);
      expect(client.read().includes('usage')).toBe(asked);
    }
    expect(await decisions(port)).toMatchObject(Array(3).fill({ usage: { promptTokens: 7, completionTokens: 2 } }));
  });

  test.each([true, false])('x-belay-explain adds the decision (stream: %p)', async (stream) => {
    const { port } = await startSidecar({ a: { handler: refuses(503) }, b: { handler: says('hi') } });
    const { body } = await call(port, { headers: { 'x-belay-explain': '1' }, body: chat({ stream }) });
    const events = body.trimEnd().split('\n\n');
    const explained = JSON.parse(stream ? events.at(-2)!.slice('data: '.length) : body) as { belay: Decision };
    expect(explained.belay).toMatchObject({ outcome: 'Answered', target: 'b', attempts: [{ target: 'a', outcome: 'Failed' }, { target: 'b', outcome: 'Ok' }] });
    if (stream) expect(events.at(-1)).toBe('data: [DONE]');
  });
});

describe('what was asked for and what came', () => {
  test('JSON where a stream was asked for is handed on as one', async () => {
    const { port } = await startSidecar({ a: { handler: (_request, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end(answerOf('whole')) } });
    const { body, broken } = await call(port, { body: chat({ stream: true }) });
    expect(broken).toBe(false);
    expect(body).toContain('"content":"whole"');
    expect(body.split('data: [DONE]')).toHaveLength(2);
  });

  test('a stream where JSON was asked for is gathered, however long', async () => {
    const words = Array.from({ length: 200 }, (_, at) => `${at} ${'x'.repeat(4_000)} `);
    const { port } = await startSidecar({ a: { handler: (_request, response) => void response.writeHead(200, sse).end(words.map((content) => event({ content })).join('') + event({}, 'stop') + 'data: [DONE]\n\n') } });
    const { body } = await call(port, { body: chat() });
    expect(JSON.parse(body)).toMatchObject({ choices: [{ message: { content: words.join('') }, finish_reason: 'stop' }] });
  });

  test('a target that refuses to stream is asked once more without, and that is remembered', async () => {
    const streams: unknown[] = [];
    const a: StandIn = {
      handler(request, response, body) {
        const asked = (JSON.parse(body) as { stream?: boolean }).stream === true;
        streams.push(asked);
        if (asked) refuses(400, {}, '{"error":{"message":"This model does not support streaming.","type":"invalid_request_error","param":"stream","code":"unsupported_value"}}')(request, response, body);
        else says('hi')(request, response, body);
      },
    };
    const { port } = await startSidecar({ a });
    expect((await call(port, { body: chat({ stream: true }) })).body).toContain('hi');
    expect((await call(port, { body: chat({ stream: true }) })).body).toContain('hi');
    expect(streams).toEqual([true, false, false]);
    expect((await decisions(port))[1]).toMatchObject({ attempts: [{ target: 'a', outcome: 'Ok' }] });
  });
});

describe('a race', () => {
  const race = { fallbackMode: 'Race', latencyBudgetMs: 2_000, retries: 0 } as const;

  test('the hedge wins where the primary is silent, and the loser is cut off', async () => {
    const clock = new ManualClock();
    const [a, b] = [puppet(), puppet()];
    const { port } = await startSidecar({ a, b }, race, { clock });
    const client = open(port, chat({ stream: true }));
    await until(() => a.answers.length === 1);
    await clock.advance(1_000);
    await until(() => b.answers.length === 1);
    b.answers[0]!.writeHead(200, sse).write(role + event({ content: 'from b' }));
    await until(() => clock.armed > 0);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(client.head()).toBeNull();
    await clock.advance(1_000);
    await client.sees('from b');
    await until(() => a.closedMs.length === 1);
    b.answers[0]!.end(event({}, 'stop') + 'data: [DONE]\n\n');
    expect(await client.ended).toBe(false);
    expect(client.read().startsWith(role)).toBe(true);
    expect(client.head()!.headers['x-belay-attempts']).toMatch(/^a=cancelled:2000ms,b=ok:/);
    expect((await decisions(port))[0]).toMatchObject({ target: 'b', attempts: [{ role: 'Primary', outcome: 'Cancelled' }, { role: 'Hedge', outcome: 'Ok' }] });
    expect(clock.armed).toBe(0);
  });

  test('an answered loser holds 16 KB and is then no longer read', async () => {
    const clock = new ManualClock();
    const [a, b] = [puppet(), puppet()];
    const { port } = await startSidecar({ a, b }, race, { clock });
    const client = open(port, chat({ stream: true }));
    await until(() => a.answers.length === 1);
    await clock.advance(1_000);
    await until(() => b.answers.length === 1);
    const part = event({ content: 'x'.repeat(64 * 1024) });
    b.answers[0]!.writeHead(200, sse);
    for (let i = 0; i < 400; i++) b.answers[0]!.write(part);
    await unchanging(() => b.answers[0]!.writableLength);
    expect(b.answers[0]!.writableLength).toBeGreaterThan(1024 * 1024);
    await clock.advance(1_000);
    await until(() => b.answers[0]!.writableLength === 0, 20_000);
    b.answers[0]!.end(event({}, 'stop') + 'data: [DONE]\n\n');
    expect(await client.ended).toBe(false);
    expect(client.read().length).toBeGreaterThan(400 * 64 * 1024);
  }, 60_000);
});

describe('a slow client', () => {
  test('holds its provider back, and its silence is not the provider\'s', async () => {
    const clock = new ManualClock();
    const a = puppet();
    const { port } = await startSidecar({ a }, {}, { clock });
    const client = open(port, chat({ stream: true }));
    await until(() => a.answers.length === 1);
    a.answers[0]!.writeHead(200, sse).write(role + event({ content: 'one' }));
    await client.sees('one');
    client.head()!.pause();
    const part = event({ content: 'x'.repeat(64 * 1024) });
    for (let i = 0; i < 400; i++) a.answers[0]!.write(part);
    await unchanging(() => a.answers[0]!.writableLength);
    expect(a.answers[0]!.writableLength).toBeGreaterThan(1024 * 1024);
    await clock.advance(60_000);
    a.answers[0]!.end(event({}, 'stop') + 'data: [DONE]\n\n');
    client.head()!.resume();
    expect(await client.ended).toBe(false);
    expect(client.read().length).toBeGreaterThan(400 * 64 * 1024);
    expect(clock.armed).toBe(0);
  }, 60_000);
});

describe('a limit that is over soon', () => {
  test('is waited for where nothing else is left, once', async () => {
    const clock = new ManualClock();
    let asked = 0;
    const limited: StandIn = { handler: (...all) => (++asked === 1 ? refuses(429, { 'retry-after': '30' }) : says('again'))(...all) };
    const { port } = await startSidecar({ a: limited }, {}, { clock });
    expect(await call(port, { body: chat() })).toMatchObject({ status: 429, headers: { 'retry-after': '30' } });
    await clock.advance(22_000);
    const client = open(port, chat({ stream: true }));
    await until(() => clock.armed === 1);
    await clock.advance(7_000);
    expect(asked).toBe(1);
    await clock.advance(1_500);
    await client.sees('again');
    expect(await client.ended).toBe(false);
    await until(() => clock.armed === 0);
  });

  test('is not waited for when the client leaves', async () => {
    const clock = new ManualClock();
    let asked = 0;
    const { port } = await startSidecar({ a: { handler: (...all) => { asked++; refuses(429, { 'retry-after': '30' })(...all); } } }, {}, { clock });
    await call(port, { body: chat() });
    await clock.advance(22_000);
    const client = open(port, chat({ stream: true }));
    await until(() => clock.armed === 1);
    client.leave();
    await until(() => clock.armed === 0);
    await clock.advance(20_000);
    expect(asked).toBe(1);
    expect(await decisions(port)).toMatchObject([{ outcome: 'ClientGone', status: 0, excluded: [{ target: 'a', reason: 'RateLimited' }] }, { outcome: 'Failed' }]);
  });
});

describe('a bug', () => {
  test('ends its own request in a 500 without its words, is logged and counted', async () => {
    const { port, adminPort, log, armed } = await startSidecar({ a: { handler: refuses(500) } }, {}, { random: () => { throw new Error('planted'); } });
    const answer = await call(port, { body: chat() });
    expect(answer).toMatchObject({ status: 500 });
    expect(answer.body).not.toContain('planted');
    expect(log).toContainEqual(expect.objectContaining({ event: 'request-crashed', id: 'pod.1', cause: expect.stringContaining('planted') }));
    expect((await call(adminPort, { method: 'GET', path: '/metrics' })).body).toContain('belay_internal_errors_total 1');
    await until(() => armed() === 0);
  });
});
