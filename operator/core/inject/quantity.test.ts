import { expect, test } from '@jest/globals';
import { parseQuantity } from './quantity.ts';

const one = 1_000_000_000n;

test.each<[string, bigint | null]>([
  ['1', one], ['+1', one], ['0', 0n], ['0.5', one / 2n], ['500m', one / 2n], ['1.', one], ['250u', 250_000n], ['7n', 7n], ['2k', 2_000n * one], ['1e3', 1_000n * one],
  ['5E-1', one / 2n], ['1E', 10n ** 18n * one], ['96Mi', 96n * 1024n * 1024n * one], ['0.5Gi', 512n * 1024n * 1024n * one], ['1Ei', 2n ** 60n * one], ['0.1Ki', 102_400_000_000n],
  ['', null], ['-1', null], ['1 Gi', null], ['1gi', null], ['1mi', null], ['1KB', null], ['fast', null], ['0.1n', null], ['1e-12', null], ['1e999', null], ['.5', null], ['1_000', null],
  ['9'.repeat(21), null],
])('%j is that many billionths', (text, amount) => {
  expect(parseQuantity(text)).toBe(amount);
});
