import { describe, expect, test } from '@jest/globals';
import { failure } from '../failure/failure.ts';
import { target, times } from '../../../test/support/health-of-a-target.ts';

describe('a target that is out', () => {
  test('by Rate returns with its Retry-After, 300 s at most', () => {
    const a = target();
    a.fail('Rate', { retryAfterMs: 12_000 });
    expect(a.view()).toMatchObject({ breaker: 'closed', returnsInMs: 12_000, out: { class: 'Rate', returnsInMs: 12_000, detail: 'Rate' } });
    a.wait(12_000);
    expect(a.view()).toMatchObject({ out: null, breaker: 'closed', returnsInMs: 0 });
    a.fail('Rate', { retryAfterMs: 900_000 });
    expect(a.view().returnsInMs).toBe(300_000);
  });

  test('by Rate without one, for 1 s doubling to 20 s, until it answers', () => {
    const a = target();
    const waits: number[] = [];
    times(7, () => {
      a.fail('Rate');
      waits.push(a.view().returnsInMs);
      a.wait(a.view().returnsInMs);
    });
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000]);
    a.ok();
    a.fail('Rate');
    expect(a.view().returnsInMs).toBe(1_000);
  });

  test('by Rate of requests that were under way together, for 1 s', () => {
    const a = target();
    times(10, () => { a.health.sent(a.now(), false); });
    a.wait(100);
    times(10, () => { a.health.settled(a.now(), { outcome: 'Failed', failure: failure('Rate', '429'), health: 'Out' }, { probe: false, keyVersion: null, elapsedMs: 100 }); });
    expect(a.view().returnsInMs).toBe(1_000);
  });

  test('by two Rates, until the later', () => {
    const a = target();
    a.fail('Rate', { retryAfterMs: 30_000, ms: 0 });
    a.fail('Rate', { retryAfterMs: 5_000, ms: 0 });
    expect(a.view().returnsInMs).toBe(30_000);
    a.fail('Rate', { retryAfterMs: 40_000, ms: 0 });
    expect(a.view().returnsInMs).toBe(40_000);
  });

  test('by an oversize Rate is none', () => {
    const a = target();
    a.fail('Rate', { oversize: true, retryAfterMs: 30_000, health: 'None' });
    expect(a.view()).toMatchObject({ out: null, returnsInMs: 0 });
  });

  test.each(['Auth', 'Missing', 'Quota'] as const)('by %s is probed by one request after 300 s', (name) => {
    const a = target();
    a.fail(name);
    a.wait(299_999);
    expect(a.view()).toMatchObject({ out: { class: name, returnsInMs: 1 } });
    a.wait(1);
    expect(a.view()).toMatchObject({ out: null, breaker: 'half-open', probing: false, returnsInMs: 0 });
    a.health.sent(a.now(), true);
    expect(a.view()).toMatchObject({ breaker: 'half-open', probing: true });
    a.health.settled(a.now(), { outcome: 'Failed', failure: failure(name, 'again'), health: 'Out' }, { probe: true, keyVersion: 'k1', elapsedMs: 0 });
    expect(a.view()).toMatchObject({ out: { class: name, returnsInMs: 300_000 }, probing: false });
    a.wait(300_000);
    a.ok(10, true);
    expect(a.view()).toMatchObject({ out: null, breaker: 'closed' });
  });

  test('by Quota with a reset returns with it, without a probe', () => {
    const a = target();
    a.fail('Quota', { retryAfterMs: 3_600_000 });
    expect(a.view().out).toMatchObject({ class: 'Quota', returnsInMs: 3_600_000 });
    a.wait(3_600_000);
    expect(a.view()).toMatchObject({ out: null, breaker: 'closed' });
  });

  test.each(['Auth', 'Quota'] as const)('by %s is back when its key changes, and not before', (name) => {
    const a = target();
    a.health.keyChanged('k1');
    a.fail(name);
    a.health.keyChanged('k1');
    a.health.specChanged();
    expect(a.view().out?.class).toBe(name);
    a.health.keyChanged('k2');
    expect(a.view()).toMatchObject({ out: null, breaker: 'closed' });
  });

  test('by Auth does not stand against a key that was changed meanwhile', () => {
    const a = target();
    a.health.keyChanged('k2');
    a.fail('Auth', { keyVersion: 'k1' });
    expect(a.view().out).toBeNull();
  });

  test('by Missing is back when its spec changes, and not when its key does', () => {
    const a = target();
    a.fail('Missing');
    a.health.keyChanged('k2');
    expect(a.view().out?.class).toBe('Missing');
    a.health.specChanged();
    expect(a.view()).toMatchObject({ out: null, breaker: 'closed' });
  });

  test('by Missing does not stand against a spec that changed while the request was under way', () => {
    const a = target();
    a.health.sent(a.now(), false);
    a.wait(50);
    a.health.specChanged();
    a.wait(50);
    a.health.settled(a.now(), { outcome: 'Failed', failure: failure('Missing', '404'), health: 'Out' }, { probe: false, keyVersion: null, elapsedMs: 100 });
    expect(a.view().out).toBeNull();
  });

  test('for two reasons stays until both are over', () => {
    const a = target();
    a.fail('Rate', { retryAfterMs: 10_000, ms: 0 });
    a.fail('Auth', { ms: 0 });
    expect(a.view().out).toMatchObject({ class: 'Auth', returnsInMs: 300_000 });
    a.health.keyChanged('k2');
    expect(a.view().out).toMatchObject({ class: 'Rate', returnsInMs: 10_000 });
  });

  test('is not back by an answer to a request that was sent before', () => {
    const a = target();
    a.health.sent(a.now(), false);
    a.wait(100);
    a.fail('Rate', { retryAfterMs: 10_000 });
    a.health.answered(a.now(), 200);
    expect(a.view().out?.class).toBe('Rate');
  });

  test('counts nothing against the breaker', () => {
    const a = target();
    times(20, () => { a.fail('Rate'); });
    expect(a.view().breaker).toBe('closed');
  });
});
