import { inspect } from 'node:util';
import { expect, test } from '@jest/globals';
import { Secret } from './secret.ts';

test.each<[string, (secret: Secret) => string]>([
  ['as text', (secret) => String(secret)],
  ['within a text', (secret) => `key ${secret as unknown as string}`],
  ['added to a text', (secret) => `key ${[secret].join()}`],
  ['as JSON', (secret) => JSON.stringify({ secret })],
  ['by console and debuggers', (secret) => inspect({ secret })],
  ['with everything that is hidden', (secret) => inspect(secret, { showHidden: true, customInspect: false, depth: 9 })],
  ['as a number', (secret) => String(Number(secret))],
  ['spread into another object', (secret) => JSON.stringify({ ...secret })],
  ['as an error', (secret) => new Error('no', { cause: secret }).stack + inspect(new Error('no', { cause: secret }))],
  ['copied', (secret) => JSON.stringify(structuredClone({ ...secret }))],
])('a secret is not shown %s', (_sentence, print) => {
  const secret = new Secret('sk-very-private');
  expect(print(secret)).not.toContain('sk-very-private');
  expect(secret.reveal()).toBe('sk-very-private');
});
