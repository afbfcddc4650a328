/** Where a JSON text stops being one: a character offset, and what stands there. */
export interface JsonError {
  readonly line: number;
  readonly column: number;
  /** `}`, `the end`: what was found. */
  readonly found: string;
}

/** Finds the first place at which `text` cannot be JSON any more (RFC 8259). Only for a text that JSON.parse refused. */
export function findJsonError(text: string): JsonError {
  const at = firstBadOffset(text);
  const before = text.slice(0, at);
  const line = before.split('\n').length;
  const column = at - before.lastIndexOf('\n');
  return { line, column, found: at >= text.length ? 'the end' : JSON.stringify(text[at]) };
}

type Expected = 'value' | 'value-or-close' | 'name' | 'name-or-close' | 'colon' | 'comma-or-close' | 'end';

const token = /[ \n\r\t]*(?:("(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null)|([{}[\],:]))/y;

function firstBadOffset(text: string): number {
  const open: string[] = [];
  let expected: Expected = 'value';
  let at = 0;
  for (;;) {
    token.lastIndex = at;
    const found = token.exec(text);
    const start = skipSpace(text, at);
    if (found === null) return badToken(text, start);
    const next = follow(expected, kindOf(found), open);
    if (next === null) return start;
    expected = next;
    at = token.lastIndex;
  }
}

function kindOf(found: RegExpExecArray): string {
  return found[1] !== undefined ? 'string' : found[2] !== undefined ? 'scalar' : (found[3] ?? '');
}

/** What may come behind a token; null: the token may not stand here. Keeps `open`, the brackets that are. */
function follow(expected: Expected, kind: string, open: string[]): Expected | null {
  if (kind === '}' || kind === ']') return close(expected, kind, open);
  switch (expected) {
    case 'name': case 'name-or-close': return kind === 'string' ? 'colon' : null;
    case 'colon': return kind === ':' ? 'value' : null;
    case 'comma-or-close': return kind === ',' ? (open.at(-1) === '{' ? 'name' : 'value') : null;
    case 'value': case 'value-or-close': return value(kind, open);
    case 'end': return null;
  }
}

function close(expected: Expected, kind: '}' | ']', open: string[]): Expected | null {
  if (!expected.endsWith('close') || open.at(-1) !== (kind === '}' ? '{' : '[')) return null;
  open.pop();
  return behindValue(open);
}

function value(kind: string, open: string[]): Expected | null {
  if (kind === 'string' || kind === 'scalar') return behindValue(open);
  if (kind !== '{' && kind !== '[') return null;
  open.push(kind);
  return kind === '{' ? 'name-or-close' : 'value-or-close';
}

function behindValue(open: readonly string[]): Expected {
  return open.length === 0 ? 'end' : 'comma-or-close';
}

/** A string that never ends, or holds a bad escape, is bad where it stops being one; anything else where it starts. */
function badToken(text: string, start: number): number {
  if (text[start] !== '"') return start;
  const good = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*/y;
  good.lastIndex = start;
  good.exec(text);
  return good.lastIndex;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && ' \n\r\t'.includes(text[at] ?? '')) at++;
  return at;
}
