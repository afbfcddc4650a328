import { parsed, refused, type Parsed } from '@belay/contract';

/** A JSON scalar, or the exact integer that a mapping key is written from. */
export type ScalarValue = string | number | boolean | null | bigint;

const core = 'tag:yaml.org,2002:';
const words = new Map<string, ScalarValue>([
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map((word) => [word, true] as const),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map((word) => [word, false] as const),
  ...['', '~', 'null', 'Null', 'NULL'].map((word) => [word, null] as const),
  ...['.nan', '.NaN', '.NAN'].map((word) => [word, NaN] as const),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map((word) => [word, Infinity] as const),
  ...['-.inf', '-.Inf', '-.INF'].map((word) => [word, -Infinity] as const),
]);

const timestamp = /^\d{4}-\d{1,2}-\d{1,2}([Tt ]\d{1,2}:\d{1,2}:\d{1,2}(\.\d+)?(Z|[+-]\d{2}:\d{2})?)?$/;
const float = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;
const integer = /^([-+]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+|0[0-7]+|0|[1-9][0-9]*)$/;

/**
 * What a plain scalar without a tag is worth to kubectl: sigs.k8s.io/yaml reads YAML 1.1 as go-yaml v2 does, so `y`, `on`
 * and `no` are booleans, 010 and 0o7 are octal, 1_000 is a number and 20:00 is text (no base 60).
 */
export function plainScalar(text: string): ScalarValue {
  const word = words.get(text);
  if (word !== undefined) return word;
  if (!/^[-+.0-9]/.test(text)) return text;
  if (text.startsWith('.')) return (/__|_$|_[^0-9]|[^0-9]_/.test(text) ? null : floatFrom(text.replaceAll('_', ''))) ?? text;
  const digits = text.replaceAll('_', '');
  return integerFrom(digits) ?? floatFrom(digits) ?? text;
}

function integerFrom(digits: string): bigint | null {
  const found = integer.exec(digits);
  if (found === null) return null;
  const [, sign, size = ''] = found;
  const octal = /^0[0-7]+$/.test(size) ? `0o${size.slice(1)}` : size;
  const value = sign === '-' ? -BigInt(octal) : BigInt(octal);
  return value >= -(2n ** 63n) && value < 2n ** 64n ? value : null;
}

function floatFrom(digits: string): number | null {
  if (!float.test(digits)) return null;
  const value = Number(digits);
  return Number.isFinite(value) ? value : null;
}

/** A scalar that carries a tag (`!!str 1`, `!!int "3"`); tags of one's own leave the text as it is. */
export function taggedScalar(tag: string, text: string): Parsed<ScalarValue> {
  if (tag === '!' || !tag.startsWith(core)) return parsed(text);
  const name = tag.slice(core.length);
  if (name === 'binary') return base64(text);
  if (name === 'str' || !['bool', 'int', 'float', 'null', 'timestamp'].includes(name)) return parsed(text);
  const value = plainScalar(text);
  const type = typeOf(value, text);
  if (type === name) return parsed(value);
  if (name === 'float' && type === 'int') return parsed(Number(value));
  return refused('', `${JSON.stringify(text)} is not a value of type !!${name}`);
}

function base64(text: string): Parsed<ScalarValue> {
  const packed = text.replace(/[\r\n]/g, '');
  if (!/^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(packed)) return refused('', 'a !!binary value must be base64');
  return parsed(Buffer.from(packed, 'base64').toString('utf8'));
}

function typeOf(value: ScalarValue, text: string): string {
  if (value === null) return 'null';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'bigint') return 'int';
  if (typeof value === 'number') return 'float';
  return timestamp.test(text) ? 'timestamp' : 'str';
}

/** A scalar as a JSON key: numbers and booleans become text; null has no key form, nor has a number that only fits without a sign. */
export function keyFromScalar(value: ScalarValue): string | null {
  if (value === null) return null;
  if (typeof value === 'number' && !Number.isFinite(value)) return Number.isNaN(value) ? '.nan' : value > 0 ? '.inf' : '-.inf';
  if (typeof value === 'bigint') return value < 2n ** 63n ? value.toString() : null;
  return String(value);
}

/** A scalar as a JSON value; null where JSON has none (infinities, NaN). */
export function jsonFromScalar(value: ScalarValue): Parsed<string | number | boolean | null> {
  if (typeof value === 'bigint') return parsed(Number(value));
  if (typeof value === 'number' && !Number.isFinite(value)) return refused('', `${value} is not a JSON number`);
  return parsed(value);
}
