import { expect, test } from '@jest/globals';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { warmUp } from './warm-up.ts';

test('warming up is asked of the real path, succeeds, and leaves nothing running', async () => {
  const clock = new ManualClock();
  const statuses = await warmUp({ clock, wallClock: () => 0, random: () => 0.5 });
  expect(statuses).toEqual([200, 200, 200]);
  expect(clock.armed).toBe(0);
});
