import { afterEach, describe, expect, test } from '@jest/globals';
import { call, chat, event, refuses, runSidecar, says, type RunningSidecar } from '../../test/support/running-sidecar.ts';

let running: RunningSidecar | null = null;
afterEach(async () => {
  await running?.close();
  running = null;
});

async function start(...given: Parameters<typeof runSidecar>): Promise<RunningSidecar> {
  running = await runSidecar(...given);
  return running;
}

describe('one request', () => {
  test('a unary answer comes back byte for byte, with who served it', async () => {
    const { port, armed } = await start({ a: { handler: says('hi') } });
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
    const { port, armed } = await start({ a: { handler: says('hi') } });
    const answer = await call(port, { body: chat({ stream: true }) });
    expect(answer).toMatchObject({ status: 200, broken: false });
    expect(answer.headers['content-type']).toContain('text/event-stream');
    expect(answer.body).toBe(`${event({ role: 'assistant', content: '' })}${event({ content: 'hi' })}${event({}, 'stop')}data: [DONE]\n\n`);
    expect(armed()).toBe(0);
  });

  test.each([false, true])('a failed target is made good by the next (stream: %p)', async (stream) => {
    const { port, log, adminPort } = await start({ a: { handler: refuses(503) }, b: { handler: says('from b') } });
    const answer = await call(port, { body: chat({ stream }) });
    expect(answer.status).toBe(200);
    expect(answer.body).toContain('from b');
    expect(answer.headers['x-belay-attempts']).toMatch(/^a=overload:\d+ms,b=ok:\d+ms$/);
    expect(answer.headers['x-belay-reason']).toMatch(/^a: Overload/);
    expect(log.filter(({ event: name }) => name === 'request-fell-back')).toHaveLength(1);
    const metrics = await call(adminPort, { method: 'GET', path: '/metrics' });
    expect(metrics.body).toContain('belay_fallbacks_total{chain="chat",from="a",to="b",reason="Overload"} 1');
    expect(metrics.body).toContain('belay_requests_total{chain="chat",target="b",outcome="Answered"} 1');
  });
});
