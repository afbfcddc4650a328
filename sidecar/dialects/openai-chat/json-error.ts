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

function follow(expected: Expected, kind: string, open: string[]): Expected | null {
  const canClose = expected.endsWith('close');
  if ((kind === '}' || kind === ']') && canClose && open.at(-1) === (kind === '}' ? '{' : '[')) {
    open.pop();
    return open.length === 0 ? 'end' : 'comma-or-close';
  }
  if (expected === 'name' || expected === 'name-or-close') return kind === 'string' ? 'colon' : null;
  if (expected === 'colon') return kind === ':' ? 'value' : null;
  if (expected === 'comma-or-close') return kind === ',' ? (open.at(-1) === '{' ? 'name' : 'value') : null;
  if (expected === 'end') return null;
  if (kind === '{' || kind === '[') {
    open.push(kind);
    return kind === '{' ? 'name-or-close' : 'value-or-close';
  }
  if (kind !== 'string' && kind !== 'scalar') return null;
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
