import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { failure } from '../failure/failure.ts';
import { target, times } from '../../../test/support/health-of-a-target.ts';

describe('the breaker opens', () => {
  test('at the fifth hard failure in a row, not before', () => {
    const a = target();
    times(4, () => { a.fail('Transient'); });
    expect(a.view().breaker).toBe('closed');
    a.fail('Unreachable');
    expect(a.view()).toMatchObject({ breaker: 'open', returnsInMs: 2_000 });
  });

  test('not where an answer came between', () => {
    const a = target();
    times(4, () => { a.fail('Transient'); });
    a.wait(60_000);
    a.ok();
    times(4, () => { a.fail('Transient'); a.wait(10_000); });
    expect(a.view().breaker).toBe('closed');
  });

  test('at five answers in a row that broke after their first content', () => {
    const a = target();
    times(4, () => { a.fail('Transient', { outcome: 'Broken' }); });
    expect(a.view().breaker).toBe('closed');
    a.fail('Transient', { outcome: 'Broken' });
    expect(a.view().breaker).toBe('open');
  });

  test('below 70 % of at least 8 in 30 s', () => {
    const a = target();
    times(5, () => { a.ok(); });
    times(2, () => { a.fail('Overload'); });
    expect(a.view().breaker).toBe('closed');
    a.fail('Overload');
    expect(a.view().breaker).toBe('open');
  });

  test('not at 70 % of 10', () => {
    const a = target();
    times(7, () => { a.ok(); });
    times(3, () => { a.fail('Overload'); });
    expect(a.view().breaker).toBe('closed');
  });

  test('not at 3 of 7', () => {
    const a = target();
    times(4, () => { a.ok(); });
    times(3, () => { a.fail('Overload'); });
    expect(a.view().breaker).toBe('closed');
  });

  test('not by failures that are older than 30 s', () => {
    const a = target();
    times(4, () => { a.fail('Overload'); });
    a.ok();
    a.wait(40_000);
    times(5, () => { a.ok(); });
    times(2, () => { a.fail('Overload'); });
    expect(a.view().breaker).toBe('closed');
  });

  test('and what is in flight counts as no failure', () => {
    const a = target();
    times(8, () => { a.health.sent(a.now(), false); });
    times(3, () => { a.fail('Overload'); });
    expect(a.view().breaker).toBe('closed');
  });

  test('at one Timeout without a byte, where nobody else was answered', () => {
    const a = target();
    a.ok();
    a.fail('Timeout', { silent: true, ms: 10_000 });
    expect(a.view().breaker).toBe('open');
  });

  test('not where another request was answered during it', () => {
    const a = target();
    a.health.sent(a.now(), false);
    a.wait(5_000);
    a.ok();
    a.wait(4_990);
    a.health.settled(a.now(), { outcome: 'Failed', failure: failure('Timeout', 'silent', { silent: true }), health: 'Failed' }, { probe: false, keyVersion: null, elapsedMs: 10_000 });
    expect(a.view().breaker).toBe('closed');
  });

  test('not by the silence of a whole answer that was not streamed', () => {
    const a = target();
    a.fail('Timeout', { silent: true, ms: 120_000, streamed: false });
    expect(a.view().breaker).toBe('closed');
  });

  test('at the second Timeout in a row with headers or pings', () => {
    const a = target();
    a.fail('Timeout', { ms: 10_000 });
    expect(a.view().breaker).toBe('closed');
    a.fail('Timeout', { ms: 10_000 });
    expect(a.view().breaker).toBe('open');
  });

  test('not where an answer or another failure came between the two', () => {
    const a = target();
    a.fail('Timeout', { ms: 10_000 });
    a.ok();
    a.fail('Timeout', { ms: 10_000 });
    a.fail('Transient');
    a.fail('Timeout', { ms: 10_000 });
    expect(a.view().breaker).toBe('closed');
  });

  test('at the third give-up in a row that was too short to blame', () => {
    const a = target();
    const giveUp = (): void => { a.fail('Timeout', { silent: true, ms: 500, health: 'LowerBound' }); };
    times(2, giveUp);
    a.ok();
    times(2, giveUp);
    expect(a.view().breaker).toBe('closed');
    giveUp();
    expect(a.view().breaker).toBe('open');
  });

  test('at the third loser in a row that was silent for the whole of a short budget', () => {
    const a = target();
    const lose = (): void => {
      a.health.sent(a.now(), false);
      a.wait(500);
      a.health.settled(a.now(), { outcome: 'Cancelled', failure: failure('Timeout', 'silent 0.5 s', { silent: true }), health: 'LowerBound' }, { probe: false, keyVersion: null, elapsedMs: 500 });
    };
    times(2, lose);
    expect(a.view().breaker).toBe('closed');
    lose();
    expect(a.view().breaker).toBe('open');
  });

  test('never by losers that were cancelled', () => {
    const a = target();
    times(20, () => {
      a.health.sent(a.now(), false);
      a.wait(100);
      a.health.settled(a.now(), { outcome: 'Cancelled', failure: null, health: 'LowerBound' }, { probe: false, keyVersion: null, elapsedMs: 100 });
    });
    expect(a.view().breaker).toBe('closed');
  });

  test.each(['Client', 'Context', 'Content', 'Loading'] as const)('never by %s', (name) => {
    const a = target();
    times(30, () => { a.fail(name); });
    expect(a.view()).toEqual({ breaker: 'closed', probing: false, returnsInMs: 0, out: null, quantiles: null });
  });
});

describe('an open breaker', () => {
  const opened = (chance?: () => number): ReturnType<typeof target> => {
    const a = target(chance);
    times(5, () => { a.fail('Transient'); });
    return a;
  };

  test('is half-open when its time is over, and closed by one success', () => {
    const a = opened();
    a.wait(1_999);
    expect(a.view()).toMatchObject({ breaker: 'open', returnsInMs: 1 });
    a.wait(1);
    expect(a.view()).toMatchObject({ breaker: 'half-open', probing: false, returnsInMs: 0 });
    a.ok(10, true);
    expect(a.view()).toMatchObject({ breaker: 'closed', probing: false });
  });

  test('shows that its probe is under way, until that is over whatever became of it', () => {
    const a = opened();
    a.wait(2_000);
    a.health.sent(a.now(), true);
    expect(a.view()).toMatchObject({ breaker: 'half-open', probing: true });
    a.health.settled(a.now(), { outcome: 'Cancelled', failure: null, health: 'LowerBound' }, { probe: true, keyVersion: null, elapsedMs: 0 });
    expect(a.view()).toMatchObject({ breaker: 'half-open', probing: false });
  });

  test('doubles with each probe that fails, up to 10 s', () => {
    const a = opened();
    const opening = (): number => a.view().returnsInMs;
    const openings = [opening()];
    times(4, () => {
      a.wait(opening());
      a.fail('Transient', { probe: true, ms: 0 });
      openings.push(opening());
    });
    expect(openings).toEqual([2_000, 4_000, 8_000, 10_000, 10_000]);
  });

  test('up to 20 s where the probe itself timed out', () => {
    const a = opened();
    times(6, () => {
      a.wait(a.view().returnsInMs);
      a.fail('Timeout', { probe: true, silent: true, ms: 0 });
    });
    expect(a.view().returnsInMs).toBe(20_000);
  });

  test.each<[number, number]>([[0, 1_500], [0.999_999_999, 2_500]])('is jittered by 25 %% (chance %d: %d ms)', (chance, ms) => {
    expect(Math.round(opened(() => chance).view().returnsInMs)).toBe(ms);
  });

  test('starts over at 2 s after it was closed for 60 s', () => {
    const a = opened();
    a.wait(2_000);
    a.ok(0, true);
    a.wait(59_000);
    times(5, () => { a.fail('Transient', { ms: 0 }); });
    expect(a.view().returnsInMs).toBe(4_000);
    a.wait(4_000);
    a.ok(0, true);
    a.wait(60_000);
    times(5, () => { a.fail('Transient', { ms: 0 }); });
    expect(a.view().returnsInMs).toBe(2_000);
  });

  test.each<[string, number, number]>([['longer', 45_000, 45_000], ['not shorter', 100, 2_000], ['to 300 s at most', 3_600_000, 300_000]])('is made %s by a Retry-After', (_, retryAfterMs, expected) => {
    const a = target();
    times(4, () => { a.fail('Transient'); });
    a.fail('Overload', { retryAfterMs });
    expect(a.view().returnsInMs).toBe(expected);
  });

  test('is not extended by a target that is tried all the same', () => {
    const a = opened();
    a.fail('Transient', { ms: 500 });
    a.fail('Timeout', { silent: true, ms: 500 });
    expect(a.view().returnsInMs).toBe(1_000);
  });

  test('is closed by an answer to a request that was sent after it opened', () => {
    const a = opened();
    a.ok(100);
    expect(a.view().breaker).toBe('closed');
  });

  test('is not closed by an answer to one that was sent before', () => {
    const a = target();
    a.health.sent(a.now(), false);
    const sentMs = a.now();
    times(5, () => { a.fail('Transient'); });
    a.wait(100);
    a.health.answered(a.now(), a.now() - sentMs);
    expect(a.view().breaker).toBe('open');
  });

  test('once closed, does not open again for what was sent before it opened', () => {
    const a = target();
    const sentMs = a.now();
    times(20, () => { a.health.sent(a.now(), false); });
    times(5, () => { a.fail('Transient'); });
    a.wait(2_000);
    a.ok(10, true);
    times(10, () => {
      a.health.settled(a.now(), { outcome: 'Failed', failure: failure('Timeout', 'silent', { silent: true }), health: 'Failed' }, { probe: false, keyVersion: null, elapsedMs: a.now() - sentMs });
    });
    expect(a.view().breaker).toBe('closed');
  });

  test('once closed, has forgotten why it opened', () => {
    const a = opened();
    a.wait(2_000);
    a.ok(10, true);
    times(4, () => { a.fail('Transient'); });
    expect(a.view().breaker).toBe('closed');
  });

  test('lets a fault of 1 s pass within 3 s, one of 60 s within 15 s, and 25 s where it was silence', () => {
    fc.assert(fc.property(fc.infiniteStream(fc.double({ min: 0, max: 0.999_999, noNaN: true })), fc.constantFrom([1_000, 3_000, false], [60_000, 15_000, false], [60_000, 25_000, true]), (chances, [faultMs, withinMs, silent]) => {
      const draws = chances[Symbol.iterator]();
      const a = target(() => draws.next().value as number);
      const overMs = a.now() + faultMs;
      while (a.view().breaker !== 'closed' || a.now() < overMs) {
        const { breaker } = a.view();
        if (breaker === 'open') a.wait(50);
        else if (a.now() >= overMs) a.ok(10, breaker === 'half-open');
        else if (silent) a.fail('Timeout', { silent: true, ms: 2_000, probe: breaker === 'half-open' });
        else a.fail('Transient', { ms: 50, probe: breaker === 'half-open' });
        expect(a.now()).toBeLessThanOrEqual(overMs + withinMs);
      }
    }), { numRuns: 50 });
  });
});
