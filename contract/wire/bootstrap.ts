import { canonicalJson } from '../canonical-json.ts';
import { parseRoutingTable } from '../parse-routing-table.ts';
import { parsed, refused, type Parsed, type Problem } from '../problem.ts';
import type { EndpointEntry, RoutingTable } from '../routing-table.ts';
import { parseEndpoints } from './parse-server-frame.ts';
import { bootstrapKeys, maxBootstrapBytes } from './stream-names.ts';

/** What a pod starts from while the operator is down. No keys: whoever may read ConfigMaps may read it, and whoever may edit them may have. */
export interface Bootstrap {
  readonly table: RoutingTable;
  readonly endpoints: readonly EndpointEntry[];
  /** PEM text; empty: none. */
  readonly certificates: string;
}

/** `data` of the ConfigMap `belay-bootstrap`. Equal content gives equal bytes. Refused where it would not fit. */
export function encodeBootstrap({ table, endpoints, certificates }: Bootstrap): Parsed<{ readonly [key: string]: string }> {
  const data = {
    [bootstrapKeys.table]: canonicalJson(table),
    [bootstrapKeys.endpoints]: canonicalJson(endpoints),
    [bootstrapKeys.certificates]: certificates,
  };
  const bytes = Object.values(data).reduce((total, text) => total + utf8Length(text), 0);
  return bytes < maxBootstrapBytes ? parsed(data) : refused('', `the bootstrap copy of namespace ${table.namespace} must be less than ${maxBootstrapBytes} bytes, and is ${bytes}: pods can start only while the operator runs`);
}

/** `data` as a pod finds it; a missing endpoints or CA file counts as empty. Never throws. */
export function parseBootstrap(data: { readonly [key: string]: string | undefined }): Parsed<Bootstrap> {
  const table = within(bootstrapKeys.table, data[bootstrapKeys.table] ?? '', parseRoutingTable);
  const endpoints = within(bootstrapKeys.endpoints, data[bootstrapKeys.endpoints] ?? '[]', parseEndpoints);
  if (!table.ok) return table;
  if (!endpoints.ok) return endpoints;
  return parsed({ table: table.value, endpoints: endpoints.value, certificates: data[bootstrapKeys.certificates] ?? '' });
}

function within<T>(key: string, text: string, parse: (value: unknown) => Parsed<T>): Parsed<T> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refused(key, 'must be JSON as the operator writes it');
  }
  const result = parse(value);
  return result.ok ? result : { ok: false, problems: result.problems.map(({ path, message }): Problem => ({ path: path === '' ? key : `${key}: ${path}`, message })) };
}

/** Bytes of a text in UTF-8 (RFC 3629); a lone surrogate counts as U+FFFD. */
function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}
