import { afterEach, describe, expect, test } from '@jest/globals';
import { answerOf, call, chat, event, runSidecar, says, type RunningSidecar, type StandIn } from '../../test/support/running-sidecar.ts';

let running: RunningSidecar | null = null;
afterEach(async () => {
  await running?.close();
  running = null;
});

const stream = `${event({ role: 'assistant', content: '' })}${event({ content: 'hi' })}${event({}, 'stop')}data: [DONE]\n\n`;
const refusal = '{"error":{"message":"temperature is out of range","type":"invalid_request_error","param":null,"code":"out_of_range"}}';

/** Answers 200 with these pieces, declared as `type`. */
function sends(type: string, ...pieces: readonly string[]): StandIn['handler'] {
  return async (_request, response) => {
    response.writeHead(200, { 'content-type': type });
    for (const piece of pieces) await new Promise<void>((resolve) => response.write(piece, () => setImmediate(resolve)));
    response.end();
  };
}

async function ask(handler: StandIn['handler'], streamed: boolean): Promise<{ readonly status: number; readonly body: string; readonly attempts: string }> {
  running = await runSidecar({ a: { handler }, b: { handler: says('from b') } }, { retries: 0 });
  const { status, body, headers } = await call(running.port, { body: chat({ stream: streamed }) });
  return { status, body, attempts: String(headers['x-belay-attempts']).replace(/:\d+ms/g, '') };
}

describe('an answer is read as what it is, whatever it is declared as', () => {
  test.each([
    ['an error in JSON, declared as a stream', true, sends('text/event-stream', ' \n', refusal), 400, 'out of range', 'a=client'],
    ['a whole answer, declared as a stream, to a client that streams', true, sends('text/event-stream', answerOf('hi')), 200, 'data: [DONE]', 'a=ok'],
    ['a whole answer, declared as a stream', false, sends('text/event-stream', '\n', answerOf('hi')), 200, '"content":"hi"', 'a=ok'],
    ['a stream, declared as JSON', true, sends('application/json', '\n', stream.slice(0, 1), stream.slice(1)), 200, stream, 'a=ok'],
    ['a stream, declared as JSON, for a unary client', false, sends('application/json', `: ping\n\n${stream}`), 200, '"content":"hi"', 'a=ok'],
    ['white space and nothing more', false, sends('application/json', ' ', '\n'), 200, 'from b', 'a=transient,b=ok'],
    ['white space and nothing more, in a stream', true, sends('text/event-stream', '\n', '\n'), 200, 'from b', 'a=transient,b=ok'],
    ['a page', true, sends('text/event-stream', '<html>', '\n\n'), 200, 'from b', 'a=transient,b=ok'],
  ])('%s', async (_what, streamed, handler, status, holds, attempts) => {
    const answer = await ask(handler, streamed);
    expect(answer).toMatchObject({ status, attempts });
    expect(answer.body).toContain(holds);
  });
});
