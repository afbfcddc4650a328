/*
 * Numbers that a JavaScript number cannot hold keep their digits (TC39 "JSON.parse source text access"): 2^53 and
 * more, as Together's seeds. Shorter ones keep their value, not their spelling: 1.0 is written as 1, 1e2 as 100.
 */

type Reviver = (this: unknown, key: string, value: unknown, context: { readonly source?: string }) => unknown;

const json = JSON as unknown as {
  parse(text: string, reviver: Reviver): unknown;
  rawJSON(text: string): unknown;
  isRawJSON(value: unknown): boolean;
};

const longNumber = /\d{16}/;

/** JSON.parse whose long numbers are written by JSON.stringify as they were read. Throws SyntaxError as it does. */
export function parseExactJson(text: string): unknown {
  if (!longNumber.test(text)) return JSON.parse(text);
  return json.parse(text, (_key, value, { source }) =>
    (typeof value === 'number' && source !== undefined && longNumber.test(source) && String(value) !== source ? json.rawJSON(source) : value));
}

/** True for a number that is kept as its text. */
export function isExactNumber(value: unknown): boolean {
  return json.isRawJSON(value);
}
