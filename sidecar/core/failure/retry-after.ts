/** Lower-cased names, as HTTP/1.1 headers of an answer. */
export type AnswerHeaders = { readonly [name: string]: string | undefined };

/**
 * When an upstream may be asked again, from its headers, in milliseconds from now; null: not said. Retry-After in its
 * forms (seconds or an HTTP date of RFC 9110, 10.2.3; `retry-after-ms`) goes before reset headers, and those count only
 * for a limit of which nothing remains (routing rule 4). 0 and negatives say nothing.
 */
export function returnsInMs(headers: AnswerHeaders, wallNowMs: number): number | null {
  return retryAfterMs(headers, wallNowMs) ?? resetMs(headers, wallNowMs);
}

function retryAfterMs(headers: AnswerHeaders, wallNowMs: number): number | null {
  const milliseconds = number(headers['retry-after-ms']);
  if (milliseconds !== null && milliseconds > 0) return milliseconds;
  const text = headers['retry-after']?.trim();
  const seconds = number(text);
  if (seconds !== null) return seconds > 0 ? seconds * 1000 : null;
  return text !== undefined && /^[A-Za-z]{3}/.test(text) ? later(Date.parse(text), wallNowMs) : null;
}

/** The latest reset of all exhausted limits: before it, one of them still refuses. */
function resetMs(headers: AnswerHeaders, wallNowMs: number): number | null {
  let latest: number | null = null;
  for (const [name, value] of Object.entries(headers)) {
    if (!name.includes('ratelimit') || !name.includes('reset') || number(headers[name.replace('reset', 'remaining')]) !== 0) continue;
    const reset = value === undefined ? null : resetInMs(value.trim(), wallNowMs);
    if (reset !== null && (latest === null || reset > latest)) latest = reset;
  }
  return latest;
}

/** A Go duration (`6m0s`, `120ms`), seconds, seconds or milliseconds since the epoch, or an RFC 3339 instant. */
function resetInMs(text: string, wallNowMs: number): number | null {
  const value = number(text);
  if (value === null) return parseGoDuration(text) ?? (/^\d{4}-\d\d-\d\dT/.test(text) ? later(Date.parse(text), wallNowMs) : null);
  if (value > 1e11) return later(value, wallNowMs);
  if (value > 1e9) return later(value * 1000, wallNowMs);
  return value > 0 ? value * 1000 : null;
}

const durationParts = /(\d+(?:\.\d+)?)(ms|h|m|s)/g;
const unitMs: { readonly [unit: string]: number } = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };

/** `1h2m3.5s`, `120ms`, `34.4s` in milliseconds; null where it is none, or is 0. */
export function parseGoDuration(text: string): number | null {
  if (!/^(\d+(\.\d+)?(ms|h|m|s))+$/.test(text)) return null;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(durationParts)) total += Number(amount) * (unitMs[unit ?? ''] ?? 0);
  return total > 0 ? Math.ceil(total) : null;
}

function later(atMs: number, wallNowMs: number): number | null {
  return Number.isFinite(atMs) && atMs > wallNowMs ? atMs - wallNowMs : null;
}

function number(text: string | undefined): number | null {
  return text !== undefined && /^-?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : null;
}
