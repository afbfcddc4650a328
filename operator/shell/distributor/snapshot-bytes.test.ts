import { expect, test } from '@jest/globals';
import { encodeSnapshot, Secret, type Resource } from '@belay/contract';
import { snapshotBytes } from './snapshot-bytes.ts';

const keys: Resource = { type: 'keys', version: 'v', data: [{ provider: 'a', origin: 'https://ü.example', secret: new Secret('sk-1'), version: '1' }] };

test('a snapshot\'s bytes are those of its line, and the large piece is one buffer for every nonce', () => {
  const [first, second] = [snapshotBytes(keys, '1'), snapshotBytes(keys, '2')];
  expect(Buffer.concat(first).toString()).toBe(encodeSnapshot(keys, '1'));
  expect(Buffer.concat(second).toString()).toBe(encodeSnapshot(keys, '2'));
  expect(second[1]).toBe(first[1]);
});
