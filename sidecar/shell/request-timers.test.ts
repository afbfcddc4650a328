import { describe, expect, test } from '@jest/globals';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { createRequestTimers, type Watched } from './request-timers.ts';

function timers(): { clock: ManualClock; fired: string[]; watched: { lastFedMs: number; reading: boolean; blockOpen: boolean }; timers: ReturnType<typeof createRequestTimers> } {
  const clock = new ManualClock();
  const fired: string[] = [];
  const watched = { lastFedMs: 0, reading: true, blockOpen: false };
  return { clock, fired, watched, timers: createRequestTimers(clock, (): Watched => watched, (timer) => fired.push(`${timer}@${clock.nowMs()}`)) };
}

describe('timers of a request', () => {
  test('arming replaces the timer of the same name, and a fired one is gone', async () => {
    const { clock, fired, timers: given } = timers();
    given.arm('budget', 100);
    given.arm('budget', 300);
    await clock.advance(1_000);
    expect(fired).toEqual(['budget@300']);
    expect(clock.armed).toBe(0);
  });

  test('closing disarms all', async () => {
    const { clock, fired, timers: given } = timers();
    for (const name of ['deadline', 'hedge', 'idle:0', 'first-content:1'] as const) given.arm(name, 100);
    given.close();
    await clock.advance(1_000);
    expect([fired, clock.armed]).toEqual([[], 0]);
  });
});

describe('idle', () => {
  test('runs from what came last, without a timer for each event', async () => {
    const { clock, fired, watched, timers: given } = timers();
    given.arm('idle:0', 10_000);
    for (let at = 1_000; at <= 8_000; at += 1_000) {
      await clock.advance(1_000);
      watched.lastFedMs = at;
      expect(clock.armed).toBe(1);
    }
    await clock.advance(20_000);
    expect(fired).toEqual(['idle:0@18000']);
  });

  test('is not counted while nothing is read', async () => {
    const { clock, fired, watched, timers: given } = timers();
    given.arm('idle:0', 10_000);
    watched.reading = false;
    await clock.advance(95_000);
    expect(fired).toEqual([]);
    watched.reading = true;
    watched.lastFedMs = 95_000;
    await clock.advance(60_000);
    expect(fired).toEqual(['idle:0@105000']);
  });

  test('is 60 s while a tool call or a reasoning block is open', async () => {
    const { clock, fired, watched, timers: given } = timers();
    given.arm('idle:0', 10_000);
    watched.blockOpen = true;
    await clock.advance(59_000);
    expect(fired).toEqual([]);
    await clock.advance(2_000);
    expect(fired).toEqual(['idle:0@60000']);
  });
});

describe('an attempt in the queue', () => {
  test('has its limits counted from when it leaves', async () => {
    const { clock, fired, timers: given } = timers();
    given.arm('deadline', 20_000);
    given.hold(0);
    given.arm('connect:0', 2_000);
    given.arm('first-content:0', 10_000);
    await clock.advance(5_000);
    expect(fired).toEqual([]);
    given.release(0);
    given.disarm('connect:0');
    // The core arms anew with what it thinks is left of the limit.
    given.arm('first-content:0', 5_000);
    await clock.advance(60_000);
    expect(fired).toEqual(['first-content:0@15000', 'deadline@20000']);
  });

  test('leaves nothing behind where it never starts', async () => {
    const { clock, fired, timers: given } = timers();
    given.hold(0);
    given.arm('connect:0', 2_000);
    given.disarm('connect:0');
    given.release(0);
    await clock.advance(60_000);
    expect(fired).toEqual([]);
  });
});
