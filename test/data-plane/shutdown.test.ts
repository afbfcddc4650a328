import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { statusOf, until } from '../support/belay-process.ts';
import { rigsOfTest } from '../support/rig.ts';

jest.setTimeout(60_000);

const rigs = rigsOfTest();
afterEach(() => rigs.closeAll());

const words = 30;
const slow = { sse: [{ role: true }, { repeat: words, items: [{ text: 'word ' }, { wait: 25 }] }, { finish: 'stop' }, { done: true }] };

describe('SIGTERM', () => {
  test('lets a running stream end, takes nothing new, and exits with 0', async () => {
    const rig = await rigs.open({ a: [slow] });
    const running = rig.ask({ stream: true });
    const unary = rig.ask();
    await until('both requests are with the provider', () => rig.a.requests.length === 2);
    rig.belay.kill('SIGTERM');
    await until('it says that it stops', () => rig.belay.lines().some(({ event }) => event === 'stopping-started'));
    await until('nothing new is taken', async () => (await statusOf(`${rig.belay.origin}/v1/models`)) === null);
    expect(await running).toMatchObject({ text: 'word '.repeat(words), end: 'normal', done: 1 });
    expect(await unary).toMatchObject({ status: 200, text: 'word '.repeat(words) });
    expect(await rig.belay.exited).toEqual({ code: 0, signal: null });
  });

  test('exits at once where nothing runs, however many idle connections there are', async () => {
    const rig = await rigs.open({ a: [{ say: 'Alpha' }] });
    await fetch(`${rig.belay.origin}/v1/models`).then((answer) => answer.text());
    const before = performance.now();
    rig.belay.kill('SIGTERM');
    expect(await rig.belay.exited).toEqual({ code: 0, signal: null });
    expect(performance.now() - before).toBeLessThan(3_000);
  });

  test('a second one does not wait for a stream that never ends', async () => {
    const rig = await rigs.open({ a: [{ sse: [{ role: true }, { text: 'x' }, { hang: true }] }] });
    const running = rig.ask({ stream: true });
    await until('the request is with the provider', () => rig.a.requests.length === 1);
    rig.belay.kill('SIGTERM');
    await until('it says that it stops', () => rig.belay.lines().some(({ event }) => event === 'stopping-started'));
    rig.belay.kill('SIGTERM');
    expect((await rig.belay.exited).code).toBe(143);
    expect((await running).end).toBe('error');
  });
});
