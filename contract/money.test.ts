import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { formatMoney, parseMoney, type MicroDollars } from './money.ts';

describe('an amount', () => {
  test.each([['5', 5_000_000], ['0.25', 250_000], ['182.40', 182_400_000], ['0.000125', 125], ['999999999.999999', 999_999_999_999_999]])('%s is read', (text, amount) => {
    expect(parseMoney(text)).toEqual({ ok: true, value: amount });
  });

  test.each([5, '5.', '.5', '-1', '1e3', '0.0000001', '1,5', ' 5', '', null])('%p is refused', (text) => {
    expect(parseMoney(text, 'spec.limit')).toEqual({ ok: false, problems: [{ path: 'spec.limit', message: `must be an amount in dollars such as "5" or "0.25", quoted, not ${JSON.stringify(text)}` }] });
  });

  test.each([[0, '0.00'], [125, '0.000125'], [182_400_000, '182.40'], [1_000_000, '1.00']])('of %d micro-dollars is written %s', (amount, text) => {
    expect(formatMoney(amount as MicroDollars)).toBe(text);
  });

  test('that was written is read as it was', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 999_999_999_999_999 }), (amount) => {
      expect(parseMoney(formatMoney(amount as MicroDollars))).toEqual({ ok: true, value: amount });
    }));
  });
});
