import { Agent, type ServerResponse } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import { Secret, type KeyEntry } from '@belay/contract';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { call, chat, decisions, event, open, refuses, says, until, type StandIn } from '../../test/support/running-sidecar.ts';
import { startSidecar } from '../../test/support/start-sidecar.ts';

const sse = { 'content-type': 'text/event-stream' };

describe('one request', () => {
  test('a unary answer comes back byte for byte, with who served it', async () => {
    const { port, armed } = await startSidecar({ a: { handler: says('hi') } });
    const answer = await call(port, { body: chat() });
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toMatchObject({ model: 'served', choices: [{ message: { content: 'hi' } }] });
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json', 'x-request-id': 'theirs', 'x-belay-request-id': 'pod.1', 'x-belay-chain': 'chat', 'x-belay-target': 'a',
      'x-belay-model': 'served', 'x-belay-mode': 'sequential', 'x-belay-reason': 'primary answered', 'x-belay-attempts': expect.stringMatching(/^a=ok:\d+ms$/),
    });
    expect(armed()).toBe(0);
  });

  test('a stream comes back event for event and ends normally', async () => {
    const { port, armed } = await startSidecar({ a: { handler: says('hi') } });
    const answer = await call(port, { body: chat({ stream: true }) });
    expect(answer).toMatchObject({ status: 200, broken: false });
    expect(answer.headers['content-type']).toContain('text/event-stream');
    expect(answer.body).toBe(`${event({ role: 'assistant', content: '' })}${event({ content: 'hi' })}${event({}, 'stop')}data: [DONE]\n\n`);
    expect(armed()).toBe(0);
  });

  test.each([false, true])('a failed target is made good by the next (stream: %p)', async (stream) => {
    const { port, log, adminPort } = await startSidecar({ a: { handler: refuses(503) }, b: { handler: says('from b') } });
    const answer = await call(port, { body: chat({ stream }) });
    expect(answer.status).toBe(200);
    expect(answer.body).toContain('from b');
    expect(answer.headers['x-belay-attempts']).toMatch(/^a=overload:\d+ms,b=ok:\d+ms$/);
    expect(answer.headers['x-belay-reason']).toMatch(/^a: Overload/);
    expect(log.filter(({ event: name }) => name === 'request-fell-back')).toHaveLength(1);
    const metrics = await call(adminPort, { method: 'GET', path: '/metrics' });
    for (const line of [
      'belay_fallbacks_total{chain="chat",from="a",to="b",reason="Overload"} 1',
      'belay_requests_total{chain="chat",target="b",outcome="Answered"} 1',
      'belay_attempts_total{chain="chat",target="a",outcome="Overload",role="Primary"} 1',
      'belay_attempts_total{chain="chat",target="b",outcome="Ok",role="Fallback"} 1',
      'belay_failover_seconds_count{chain="chat"} 1',
      'belay_breaker_state{chain="chat",target="a"} 0',
      'gen_ai_server_time_to_first_token_seconds_count{gen_ai_operation_name="chat",gen_ai_request_model="model-b",belay_chain="chat",belay_target="b"} 1',
    ]) expect(metrics.body).toContain(line);
  });

  test('when all fail the client reads who and why, and is told not to try again', async () => {
    const { port } = await startSidecar({ a: { handler: refuses(503) }, b: { handler: refuses(401) } });
    const answer = await call(port, { body: chat() });
    expect(answer.status).toBe(503);
    expect(answer.headers['x-should-retry']).toBe('false');
    expect((JSON.parse(answer.body) as { error: { message: string } }).error.message).toMatch(/^chat: 2 of 2 targets failed: a .*503.*, b .*401.*\. id pod\.1$/);
  });

  test('a request that a provider blames on the client comes back as the provider said it', async () => {
    const body = '{"error":{"message":"temperature must be below 2","type":"invalid_request_error","param":"temperature","code":null}}';
    const { port } = await startSidecar({ a: { handler: refuses(400, { 'x-request-id': 'theirs' }, body) }, b: { handler: says('never') } });
    expect(await call(port, { body: chat() })).toMatchObject({ status: 400, body, headers: { 'x-request-id': 'theirs', 'x-should-retry': 'false', 'x-belay-request-id': 'pod.1' } });
  });

  test('a redirect is not followed', async () => {
    let elsewhere = 0;
    const { port, url } = await startSidecar({ a: { handler: (_request, response) => void response.writeHead(302, { location: url('b') }).end() }, b: { handler: (...all) => { elsewhere++; says('from b')(...all); } } });
    const answer = await call(port, { body: chat() });
    expect(answer.headers['x-belay-attempts']).toMatch(/^a=missing:/);
    expect(elsewhere).toBe(1);
  });
});

describe('keys', () => {
  const key = (origin: string, version = 'v1', value = 'sk-secret'): KeyEntry => ({ provider: 'a', origin, secret: new Secret(value), version });
  const sent: (string | undefined)[] = [];
  const keyed: StandIn = {
    provider: { needsKey: true },
    handler(request, response, body) {
      sent.push(request.headers.authorization);
      says('hi')(request, response, body);
    },
  };

  test('a key is sent to the origin it was delivered for, in place of the application\'s own', async () => {
    sent.length = 0;
    const { port, sidecar, url } = await startSidecar({ a: keyed });
    sidecar.applyKeys([key(new URL(url('a')).origin)]);
    const answer = await call(port, { headers: { authorization: 'Bearer sk-of-the-app' }, body: chat() });
    expect([answer.status, sent]).toEqual([200, ['Bearer sk-secret']]);
    for (const path of ['/belay/table', '/belay/health', '/belay/decisions']) {
      expect((await call(port, { method: 'GET', path })).body).not.toContain('sk-');
    }
  });

  test.each([
    ['for another origin', 'https://api.example'],
    ['for another port', 'http://127.0.0.1:1'],
  ])('a key that was delivered %s is not sent', async (_sentence, origin) => {
    sent.length = 0;
    const { port, sidecar } = await startSidecar({ a: keyed });
    sidecar.applyKeys([key(origin)]);
    const answer = await call(port, { body: chat() });
    expect([answer.status, sent]).toEqual([503, []]);
    expect(answer.body).toContain('KeyNotDelivered');
  });

  test('a provider without credentials gets no key, whatever was delivered', async () => {
    sent.length = 0;
    const { port, sidecar, url } = await startSidecar({ a: { ...keyed, provider: { needsKey: false } } });
    sidecar.applyKeys([key(new URL(url('a')).origin)]);
    await call(port, { headers: { authorization: 'Bearer sk-of-the-app' }, body: chat() });
    expect(sent).toEqual([undefined]);
  });

  test('a bad key is out until another version comes, and is reported so', async () => {
    const a: StandIn = { provider: { needsKey: true }, handler: (request, response, body) => (request.headers.authorization === 'Bearer good' ? says('hi') : refuses(401))(request, response, body) };
    const { port, sidecar, url } = await startSidecar({ a });
    const { origin } = new URL(url('a'));
    sidecar.applyKeys([key(origin, 'v1', 'bad')]);
    expect((await call(port, { body: chat() })).body).toContain('401');
    expect((await call(port, { body: chat() })).body).toContain('AuthFailed');
    expect(sidecar.report()[0]?.targets[0]).toMatchObject({ lastFailure: 'Auth', breaker: 'open' });
    sidecar.applyKeys([key(origin, 'v2', 'good')]);
    expect(sidecar.report()[0]?.targets[0]).toMatchObject({ breaker: 'closed' });
    expect(await call(port, { body: chat() })).toMatchObject({ status: 200 });
  });
});

describe('tables', () => {
  test('a table that does not compile changes nothing and is counted', async () => {
    const { port, adminPort, sidecar, table } = await startSidecar({ a: { handler: says('hi') } });
    const refused = sidecar.applyTable({ ...table(), chains: [{ name: 'chat' }] });
    expect(refused.ok).toBe(false);
    expect(await call(port, { body: chat() })).toMatchObject({ status: 200 });
    expect((await call(adminPort, { method: 'GET', path: '/metrics' })).body).toContain('belay_table_rejected_total 1');
  });

  test('a running request keeps the table it began with', async () => {
    const answers: ServerResponse[] = [];
    const { port, sidecar, table } = await startSidecar({ a: { handler: (_request, response) => void answers.push(response) }, b: { handler: says('from b') } });
    const before = table();
    const client = open(port, chat({ stream: true }));
    await until(() => answers.length === 1);
    const after = table({ modelNames: ['other'] });
    expect(sidecar.applyTable(after)).toMatchObject({ ok: true, value: { version: after.version } });
    answers[0]!.writeHead(503).end();
    await client.sees('from b');
    expect(await client.ended).toBe(false);
    expect(await decisions(port)).toMatchObject([{ tableVersion: before.version, target: 'b' }]);
    expect(await call(port, { body: chat() })).toMatchObject({ status: 404 });
  });

  test('what was learned of a target outlives a swap', async () => {
    const { port, sidecar, table } = await startSidecar({ a: { handler: refuses(429, { 'retry-after': '200' }) }, b: { handler: says('hi') } });
    await call(port, { body: chat() });
    sidecar.applyTable(table({ deadlineMs: 1_000 }));
    await call(port, { body: chat() });
    expect(await decisions(port)).toMatchObject([{ excluded: [{ target: 'a', reason: 'RateLimited' }], attempts: [{ target: 'b' }] }, {}]);
  });

  test('without a table it is neither started nor ready for 5 s, and both after that; requests are told so', async () => {
    const { createSidecar } = await import('./create-sidecar.ts');
    const clock = new ManualClock();
    const sidecar = createSidecar({ address: '127.0.0.1', port: 0, adminAddress: '127.0.0.1', adminPort: 0, podName: 'pod', standalone: true, allowOrigins: [], clientKey: null, faults: [], clock, wallClock: () => 0, random: () => 0.5, log: () => undefined });
    const { port, adminPort } = await sidecar.listen();
    const probe = async (path: string): Promise<number> => (await call(adminPort, { method: 'GET', path })).status;
    expect([await probe('/startup'), await probe('/ready'), await probe('/live')]).toEqual([503, 503, 200]);
    expect(await call(port, { body: chat() })).toMatchObject({ status: 503 });
    await clock.advance(5_000);
    expect([await probe('/startup'), await probe('/ready')]).toEqual([200, 200]);
    await sidecar.close(0);
  });
});

describe('a concurrency cap', () => {
  test('of the last target is queued for', async () => {
    const answers: ServerResponse[] = [];
    const { port, armed } = await startSidecar({ a: { handler: (_request, response) => void answers.push(response), provider: { concurrency: 1 } } });
    const [first, second] = [open(port, chat({ stream: true })), open(port, chat({ stream: true }))];
    await until(() => answers.length === 1);
    const whole = (text: string): string => `${event({ content: text })}${event({}, 'stop')}data: [DONE]\n\n`;
    answers[0]!.writeHead(200, sse).end(whole('one'));
    await until(() => answers.length === 2);
    answers[1]!.writeHead(200, sse).end(whole('two'));
    expect([await first.ended, await second.ended]).toEqual([false, false]);
    expect([first.read(), second.read()].join()).toMatch(/one[^]*two|two[^]*one/);
    await until(() => armed() === 0);
  });

  test('is not a silence: what waits for a slot is not timed out', async () => {
    const clock = new ManualClock();
    const answers: ServerResponse[] = [];
    const { port } = await startSidecar({ a: { handler: (_request, response) => void answers.push(response), provider: { concurrency: 1 } } }, {}, { clock });
    const first = open(port, chat({ stream: true }));
    await until(() => answers.length === 1);
    answers[0]!.writeHead(200, sse).write(event({ content: 'one' }));
    await first.sees('one');
    const second = open(port, chat({ stream: true }));
    await until(() => clock.armed === 3);
    await clock.advance(9_000);
    answers[0]!.end(`${event({}, 'stop')}data: [DONE]\n\n`);
    await until(() => answers.length === 2);
    await clock.advance(59_000);
    answers[1]!.writeHead(200, sse).end(`${event({ content: 'two' })}${event({}, 'stop')}data: [DONE]\n\n`);
    expect(await second.ended).toBe(false);
    expect(second.read()).toContain('two');
    expect(clock.armed).toBe(0);
  });

  test('frees its slot when the attempt is over, not when the request is', async () => {
    const answers: ServerResponse[] = [];
    let asked = 0;
    const { port } = await startSidecar({ a: { handler: (...all) => { asked++; refuses(503)(...all); }, provider: { concurrency: 1 } }, b: { handler: (_request, response) => void answers.push(response) } });
    for (const sofar of [1, 2]) {
      open(port, chat({ stream: true }));
      await until(() => answers.length === sofar);
    }
    expect(asked).toBe(2);
  });

  test('leaves a target out while another one can serve', async () => {
    const answers: ServerResponse[] = [];
    const { port } = await startSidecar({ a: { handler: (_request, response) => void answers.push(response), provider: { concurrency: 1 } }, b: { handler: says('from b') } });
    open(port, chat({ stream: true }));
    await until(() => answers.length === 1);
    expect((await call(port, { body: chat() })).headers).toMatchObject({ 'x-belay-target': 'b', 'x-belay-reason': 'a left out: ConcurrencyCap' });
  });
});

describe('rehearsed faults', () => {
  test.each([['500', /^a=transient:/], ['429', /^a=rate:/], ['refused', /^a=unreachable:/]] as const)('%s', async (kind, attempts) => {
    const { port } = await startSidecar({ a: { handler: says('never') }, b: { handler: says('from b') } }, { retries: 0 }, { faults: [{ target: 'a', kind, share: 1 }] });
    const answer = await call(port, { body: chat({ stream: true }) });
    expect(answer.body).toContain('from b');
    expect(answer.headers['x-belay-attempts']).toMatch(attempts);
  });

  test.each(['silent', 'stall'] as const)('%s', async (kind) => {
    const clock = new ManualClock();
    const { port } = await startSidecar({ a: { handler: says('never') }, b: { handler: says('from b') } }, {}, { clock, faults: [{ target: 'a', kind, share: 1 }] });
    const client = open(port, chat({ stream: true }));
    await until(() => clock.armed > 1);
    await clock.advance(10_000);
    await client.sees('from b');
    expect(client.head()!.headers['x-belay-attempts']).toMatch(/^a=timeout:10000ms,b=ok:/);
  });

  test('cut', async () => {
    const { port, armed } = await startSidecar({ a: { handler: says('never') } }, {}, { faults: [{ target: 'a', kind: 'cut', share: 1 }] });
    const answer = await call(port, { body: chat({ stream: true }) });
    expect(answer.broken).toBe(true);
    expect(answer.body).toContain('upstream_stream_interrupted');
    await until(() => armed() === 0);
  });

  test('a share below the die spares the attempt', async () => {
    const { port } = await startSidecar({ a: { handler: says('hi') } }, {}, { random: () => 0.5, faults: [{ target: 'a', kind: '500', share: 0.5 }] });
    expect(await call(port, { body: chat() })).toMatchObject({ status: 200 });
  });
});

describe('closing', () => {
  test('lets a running stream end, takes nothing new, and leaves no connection behind', async () => {
    const answers: ServerResponse[] = [];
    const { port, adminPort, sidecar, armed } = await startSidecar({ a: { handler: (_request, response) => void answers.push(response) } });
    const agent = new Agent({ keepAlive: true });
    const client = open(port, chat({ stream: true }), {}, agent);
    await until(() => answers.length === 1);
    answers[0]!.writeHead(200, sse).write(event({ content: 'one' }));
    await client.sees('one');
    const closed = sidecar.close(60_000);
    await expect(call(port, { body: chat() })).rejects.toThrow('ECONNREFUSED');
    expect(await call(adminPort, { method: 'GET', path: '/ready' })).toMatchObject({ status: 503 });
    answers[0]!.end(`${event({}, 'stop')}data: [DONE]\n\n`);
    expect(await client.ended).toBe(false);
    await closed;
    agent.destroy();
    await until(() => armed() === 0);
  });

  test('destroys what is left after its grace', async () => {
    const answers: ServerResponse[] = [];
    const clock = new ManualClock();
    const { port, sidecar } = await startSidecar({ a: { handler: (_request, response) => void answers.push(response) } }, {}, { clock });
    const client = open(port, chat({ stream: true }));
    await until(() => answers.length === 1);
    const closed = sidecar.close(3_000);
    await clock.advance(3_000);
    expect(await client.ended).toBe(true);
    await closed;
    await until(() => answers[0]!.closed);
  });
});
