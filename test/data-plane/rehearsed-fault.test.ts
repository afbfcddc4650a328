import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { rigsOfTest } from '../support/rig.ts';

jest.setTimeout(60_000);

const rigs = rigsOfTest();
afterEach(() => rigs.closeAll());

describe('--fault rehearses a failure without touching the provider', () => {
  test.each<[string, RegExp]>([
    ['500', /^a=transient:\d+ms,a=transient:\d+ms,b=ok/], ['429', /^a=rate:\d+ms,b=ok/], ['refused', /^a=unreachable:\d+ms,b=ok/],
    ['silent', /^a=timeout:\d+ms,b=ok/], ['stall', /^a=timeout:\d+ms,b=ok/],
  ])('a=%s', async (kind, attempts) => {
    const rig = await rigs.open({ a: [{ say: 'Alpha' }], chain: { latencyBudget: '500ms' }, args: ['--fault', `a=${kind}`] });
    expect(await rig.ask({ stream: true })).toMatchObject({ text: 'Bravo one two three', end: 'normal', headers: { 'x-belay-attempts': expect.stringMatching(attempts) } });
    expect(rig.a.requests).toHaveLength(0);
  });

  test('a=cut: the client of a stream is told, a unary one is answered by the next', async () => {
    const rig = await rigs.open({ a: [{ say: 'Alpha' }], chain: { latencyBudget: '2s' }, args: ['--fault', 'a=cut'] });
    expect(await rig.ask({ stream: true })).toMatchObject({ status: 200, end: 'errorEvent', done: 0, finish: null, headers: { 'x-belay-target': 'a' } });
    expect(await rig.ask()).toMatchObject({ text: 'Bravo one two three' });
    expect(rig.a.requests).toHaveLength(0);
  });

  test('a share of the attempts, and the faults of several targets', async () => {
    const rig = await rigs.open({ a: [{ say: 'Alpha' }], args: ['--fault', 'a=500@0%', 'b=refused'] });
    for (let again = 0; again < 20; again++) expect(await rig.ask()).toMatchObject({ text: 'Alpha' });
    expect(await rig.ask({}, { headers: { 'x-belay-targets': 'b' } })).toMatchObject({ status: 503 });
  });
});
