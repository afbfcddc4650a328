/** Powers of ten below and above one (Kubernetes API reference, "Quantity"). */
const decimalExponents: { readonly [suffix: string]: number } = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const binaryExponents: { readonly [suffix: string]: bigint } = { Ki: 10n, Mi: 20n, Gi: 30n, Ti: 40n, Pi: 50n, Ei: 60n };
const form = /^\+?(\d{1,20})(?:\.(\d{0,9}))?(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d{1,2}))?$/;

/**
 * A Kubernetes quantity that is not negative, in billionths of its unit: cores or bytes; null where the text is none, or is finer than that.
 * Source: Kubernetes API reference, "Quantity".
 */
export function parseQuantity(text: string): bigint | null {
  const [, whole = '', fraction = '', suffix = '', exponentText] = form.exec(text) ?? [];
  if (whole === '') return null;
  const digits = BigInt(whole + fraction);
  const binary = binaryExponents[suffix];
  if (binary !== undefined) return scaled(digits << binary, 9 - fraction.length);
  const exponent = exponentText === undefined ? decimalExponents[suffix] : Number(exponentText);
  return exponent === undefined ? null : scaled(digits, exponent + 9 - fraction.length);
}

function scaled(digits: bigint, exponent: number): bigint | null {
  if (exponent >= 0) return digits * 10n ** BigInt(exponent);
  const divisor = 10n ** BigInt(-exponent);
  return digits % divisor === 0n ? digits / divisor : null;
}
