import { expect, test } from '@jest/globals';
import { createConcurrency } from './concurrency.ts';

test('what is over the cap waits, first come first served, and starts when a slot is free', () => {
  const { enter, inFlight } = createConcurrency();
  const started: string[] = [];
  const leave = ['a', 'b', 'c', 'd'].map((name) => enter('llama', 2, () => started.push(name)));
  expect(started).toEqual(['a', 'b']);
  expect(inFlight('llama')).toBe(2);
  leave[1]!();
  expect(started).toEqual(['a', 'b', 'c']);
  leave[0]!();
  leave[0]!();
  expect(started).toEqual(['a', 'b', 'c', 'd']);
  expect(inFlight('llama')).toBe(2);
});

test('who leaves the queue takes no slot, and providers do not wait for each other', () => {
  const { enter, inFlight } = createConcurrency();
  const started: string[] = [];
  const leave = enter('llama', 1, () => started.push('a'));
  enter('llama', 1, () => started.push('gone'))();
  enter('other', 1, () => started.push('b'));
  enter('unlimited', null, () => started.push('c'));
  leave();
  enter('llama', 1, () => started.push('d'));
  expect(started).toEqual(['a', 'b', 'c', 'd']);
  expect(inFlight('llama')).toBe(1);
});

test('a cap that was raised lets those who wait start before a newcomer', () => {
  const { enter } = createConcurrency();
  const started: string[] = [];
  enter('llama', 1, () => started.push('a'));
  enter('llama', 1, () => started.push('b'));
  enter('llama', 3, () => started.push('c'));
  expect(started).toEqual(['a', 'b', 'c']);
});
