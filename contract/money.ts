import { parsed, refused, type Parsed } from './problem.ts';

declare const unit: unique symbol;
/** A whole number of millionths of a US dollar. Money is never a float. */
export type MicroDollars = number & { readonly [unit]: 'microdollars' };

const decimal = /^([0-9]{1,9})(?:\.([0-9]{1,6}))?$/;

/** A decimal string such as `"500.00"` (dollars) to micro-dollars; at most six decimals, nothing is rounded. */
export function parseMoney(text: unknown, path = ''): Parsed<MicroDollars> {
  const found = typeof text === 'string' ? decimal.exec(text) : null;
  if (found === null) return refused(path, `must be an amount in dollars such as "5" or "0.25", quoted, not ${JSON.stringify(text)}`);
  const [, dollars, fraction = ''] = found;
  return parsed((Number(dollars) * 1_000_000 + Number(fraction.padEnd(6, '0'))) as MicroDollars);
}

/** Dollars with six decimals at most and two at least: `182.40`, `0.000125`. */
export function formatMoney(amount: MicroDollars): string {
  const dollars = Math.trunc(amount / 1_000_000);
  const fraction = String(Math.abs(amount % 1_000_000)).padStart(6, '0').replace(/0{1,4}$/, '');
  return `${dollars}.${fraction}`;
}
