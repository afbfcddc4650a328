import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { until } from '../support/belay-process.ts';
import { closeAfter } from '../support/faults/measure-close.ts';
import { rigsOfTest } from '../support/rig.ts';

jest.setTimeout(60_000);

const rigs = rigsOfTest();
afterEach(() => rigs.closeAll());

/** What the design promises; a busy machine is given as much again. */
const promptlyMs = 100;

describe('a client that leaves', () => {
  test.each<[string, object, object]>([
    ['in the middle of a stream', { sse: [{ role: true }, { repeat: 200, items: [{ text: 'word ' }, { wait: 20 }] }] }, { abortAfterEvents: 3 }],
    ['before the first token', { sse: [{ role: true }, { hang: true }] }, { abortAfterMs: 300 }],
    ['before the headers', { hang: true }, { abortAfterMs: 300 }],
  ])('%s: its upstream is closed', async (_title, attempt, leave) => {
    const rig = await rigs.open({ a: [attempt] });
    const outcome = await rig.ask({ stream: true }, leave);
    const leftAtMs = performance.now();
    expect(outcome.aborted).toBe(true);
    expect(await closeAfter(rig.a, leftAtMs)).toBeLessThan(promptlyMs);
    expect(rig.b.requests).toHaveLength(0);
  });

  test('that waits for a unary answer: its upstream is closed', async () => {
    const rig = await rigs.open({ a: [{ sse: [{ role: true }, { text: 'x' }, { hang: true }] }], chain: { latencyBudget: '30s' } });
    await rig.ask({}, { abortAfterMs: 300 });
    expect(await closeAfter(rig.a, performance.now())).toBeLessThan(promptlyMs);
  });

  test('in a race: both upstreams are closed', async () => {
    const rig = await rigs.open({ a: [{ hang: true }], b: [{ hang: true }], chain: { fallbackMode: 'Race', latencyBudget: '400ms' } });
    await rig.ask({ stream: true }, { abortAfterMs: 700 });
    const leftAtMs = performance.now();
    expect(await closeAfter(rig.a, leftAtMs)).toBeLessThan(promptlyMs);
    expect(await closeAfter(rig.b, leftAtMs)).toBeLessThan(promptlyMs);
  });

  test('while Belay waits to try again: nothing more is sent, and the record says that it left', async () => {
    const rig = await rigs.open({ a: [{ status: 429, headers: { 'retry-after': '2' }, json: { error: { message: 'slow down' } } }], chain: { triggers: { rateLimit: { waitUpTo: '3s' } } } });
    await rig.ask({}, { abortAfterMs: 400 });
    await until('the record is kept', async () => (await decisions(rig.belay.origin)).some(({ outcome }) => outcome === 'ClientGone'));
    rig.script(rig.a, { say: 'Alpha' });
    // This one waits for the same moment: when it has its answer, the one that left would have been sent.
    expect(await rig.ask({}, { headers: { 'x-belay-targets': 'a' } })).toMatchObject({ text: 'Alpha' });
    expect([rig.a.requests.length, rig.b.requests.length]).toEqual([2, 0]);
  });

  test('leaves the breaker alone: the next request is served by the same target', async () => {
    const rig = await rigs.open({ a: [{ hang: true }] });
    for (let again = 0; again < 6; again++) await rig.ask({ stream: true }, { abortAfterMs: 60 });
    rig.script(rig.a, { say: 'Alpha' });
    expect(await rig.ask()).toMatchObject({ text: 'Alpha', headers: { 'x-belay-target': 'a' } });
  });
});

async function decisions(origin: string): Promise<readonly { readonly outcome: string }[]> {
  return ((await (await fetch(`${origin}/belay/decisions`)).json()) as { decisions: { outcome: string }[] }).decisions;
}
