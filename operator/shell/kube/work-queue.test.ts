import { expect, test } from '@jest/globals';
import { passTime } from '../../../test/kube/pass-time.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { createWorkQueue, type WorkQueueOptions } from './work-queue.ts';

function queueOf(more: Partial<WorkQueueOptions> = {}) {
  const clock = new ManualClock();
  const started: string[] = [];
  const ends = new Map<string, () => void>();
  const work = (key: string): Promise<void> => {
    started.push(`${key}@${clock.nowMs()}`);
    return new Promise((resolve) => ends.set(key, resolve));
  };
  const queue = createWorkQueue({ clock, workers: 2, work, ...more });
  return { clock, queue, started, end: (key: string) => ends.get(key)?.() };
}

test('a key added three times while it waits is worked on once', async () => {
  const { clock, queue, started } = queueOf();
  for (const key of ['a', 'a', 'b', 'a']) queue.add(key);
  await passTime(clock, 1_000);
  expect(started).toEqual(['a@0', 'b@0']);
});

test('a key added while it is worked on is worked on again, and never twice at once', async () => {
  const { clock, queue, started, end } = queueOf();
  queue.add('a');
  await passTime(clock, 100);
  queue.add('a');
  queue.add('a');
  await passTime(clock, 100);
  expect([started, queue.stats().depth]).toEqual([['a@0'], 1]);
  end('a');
  await passTime(clock, 100);
  expect(started).toEqual(['a@0', 'a@200']);
  end('a');
  await passTime(clock, 100);
  expect([started.length, queue.stats().running]).toEqual([2, 0]);
});

test('no more keys run than there are workers, and a waiting one starts when one ends', async () => {
  const { clock, queue, started, end } = queueOf();
  for (const key of ['a', 'b', 'c']) queue.add(key);
  await passTime(clock, 100);
  expect([started, queue.stats()]).toEqual([['a@0', 'b@0'], { depth: 1, running: 2, added: 3, retried: 0, oldestMs: 100 }]);
  end('b');
  await passTime(clock, 100);
  expect(started).toEqual(['a@0', 'b@0', 'c@100']);
});

test('a failing key comes again after waits that double up to the longest, start small again after a success, and hold up no other', async () => {
  const waits: number[] = [];
  let broken = true;
  const done: string[] = [];
  const { clock, queue } = queueOf({
    work: (key) => (key === 'bad' && broken ? Promise.reject(new Error('conflict')) : Promise.resolve(void done.push(key))),
    onProblem: ({ retryInMs }) => waits.push(retryInMs), longestRetryMs: 30,
  });
  queue.add('bad');
  queue.add('good');
  await passTime(clock, 99);
  expect([waits.slice(0, 5), done]).toEqual([[5, 10, 20, 30, 30], ['good']]);
  broken = false;
  await passTime(clock, 100);
  broken = true;
  waits.length = 0;
  queue.add('bad');
  await passTime(clock, 0);
  await passTime(clock, 1);
  expect([waits[0], done]).toEqual([5, ['good', 'bad']]);
});

test('of several later times only the earliest counts', async () => {
  const { clock, queue, started } = queueOf();
  queue.addAfter('a', 500);
  queue.addAfter('a', 200);
  queue.addAfter('a', 900);
  await passTime(clock, 2_000);
  expect(started).toEqual(['a@200']);
});

test('closing tells the work that runs, waits for its end and starts nothing more', async () => {
  let told = false;
  const { clock, queue } = queueOf({ work: (_key, signal) => new Promise((resolve) => signal.addEventListener('abort', () => { told = true; resolve(); })) });
  for (const key of ['a', 'b', 'c']) queue.add(key);
  queue.addAfter('d', 100);
  await passTime(clock, 50);
  await queue.close();
  queue.add('e');
  expect([told, queue.stats().running, queue.stats().depth, clock.armed]).toEqual([true, 0, 0, 0]);
});
