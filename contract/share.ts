import { parsed, refused, type Parsed } from './problem.ts';

/** Percent strings, everywhere: `5%`, `99.8%`. The CRDs carry the same pattern. */
export const sharePattern = '^(100(\\.0{1,2})?|[0-9]{1,2}(\\.[0-9]{1,2})?)%$';
const whole = new RegExp(sharePattern);

/** `5%` to a fraction of one, 0.05. */
export function parseShare(text: unknown, path = ''): Parsed<number> {
  if (typeof text !== 'string' || !whole.test(text)) return refused(path, `must be a percentage such as 5% or 99.8%, not ${JSON.stringify(text)}`);
  return parsed(Math.round(Number(text.slice(0, -1)) * 100) / 10_000);
}
