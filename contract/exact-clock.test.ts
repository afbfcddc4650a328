import { expect, test } from '@jest/globals';
import { exactClock } from './exact-clock.ts';

/** A machine whose timers fire 0.4 ms early, and which says how long each was armed for. */
function earlyMachine() {
  let now = 0;
  const armed = new Map<number, () => void>();
  const delays: number[] = [];
  const clock = exactClock<number>({
    nowMs: () => now,
    arm(callback, delayMs) {
      delays.push(delayMs);
      armed.set(delays.length, callback);
      return delays.length;
    },
    disarm: (timer) => void armed.delete(timer),
  });
  const fire = (): void => {
    const [[timer, callback] = []] = armed;
    now += (delays[(timer ?? 0) - 1] ?? 0) - 0.4;
    armed.delete(timer ?? 0);
    callback?.();
  };
  return { clock, delays, armed, fire, now: () => now };
}

test('a timer that fires early is armed for the rest', () => {
  const { clock, delays, fire, now } = earlyMachine();
  const called: number[] = [];
  clock.after(5, () => called.push(now()));
  fire();
  expect([called, delays]).toEqual([[], [5, 1]]);
  fire();
  expect(called).toEqual([expect.closeTo(5.2)]);
});

test('a delay of months is waited for in parts that a machine takes', () => {
  const { clock, delays, fire } = earlyMachine();
  let called = false;
  clock.after(3_000_000_000, () => (called = true));
  fire();
  expect([called, delays]).toEqual([false, [2_147_483_647, 852_516_354]]);
});

test('what is disarmed never fires, also when it was armed again, and may be disarmed twice', () => {
  const { clock, armed, fire } = earlyMachine();
  const disarm = clock.after(5, () => { throw new Error('it fired'); });
  fire();
  disarm();
  disarm();
  expect(armed.size).toBe(0);
});
