import { parsed, refused, type Parsed } from './problem.ts';

declare const unit: unique symbol;
/** A whole, non-negative number of milliseconds. */
export type Milliseconds = number & { readonly [unit]: 'ms' };

/** Gateway API duration (GEP-2257). The CRDs carry the same pattern. */
export const durationPattern = '^([0-9]{1,5}(h|m|s|ms)){1,4}$';

const whole = new RegExp(durationPattern);
const part = /([0-9]{1,5})(h|ms|m|s)/g;
const perUnit = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const;

/** `2s`, `1m30s`, `300ms` to milliseconds. */
export function parseDuration(text: unknown, path = ''): Parsed<Milliseconds> {
  if (typeof text !== 'string' || !whole.test(text)) {
    return refused(path, `must be a duration such as 2s, 300ms or 1m30s, not ${JSON.stringify(text)}`);
  }
  let total = 0;
  for (const [, count, name] of text.matchAll(part)) total += Number(count) * perUnit[name as keyof typeof perUnit];
  return parsed(total as Milliseconds);
}

/** The shortest Gateway API duration: 90000 is `1m30s`, 0 is `0s`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  let rest = ms;
  let text = '';
  for (const [name, size] of Object.entries(perUnit)) {
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${name}`;
    rest -= count * size;
  }
  return text;
}
