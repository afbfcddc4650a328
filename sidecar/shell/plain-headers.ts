import type { IncomingHttpHeaders } from 'node:http';

/** Headers as dialects read them: one text a name. */
export function plainHeaders(headers: IncomingHttpHeaders): { readonly [name: string]: string | undefined } {
  const plain: { [name: string]: string | undefined } = {};
  for (const [name, value] of Object.entries(headers)) plain[name] = Array.isArray(value) ? value.join(', ') : value;
  return plain;
}
