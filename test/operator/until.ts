import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves as soon as `condition` holds, looking every 10 ms; rejects after `limitMs`: real servers answer when they do. */
export async function until(condition: () => boolean | Promise<boolean>, limitMs = 10_000): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`did not come true within ${limitMs} ms: ${condition.toString()}`);
    await sleep(10);
  }
}
