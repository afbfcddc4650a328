/** One member of a JSON object, as ranges of the text it stands in. */
export interface JsonMember {
  /** Decoded name. */
  readonly name: string;
  /** After the `{` or `,` before it: white space and the name belong to the member. */
  readonly start: number;
  readonly valueStart: number;
  readonly valueEnd: number;
  /** At the `,` or `}` behind it. */
  readonly end: number;
}

/**
 * The top-level members of a JSON object in their order, duplicates included. The text must be valid JSON that is an
 * object (RFC 8259): it is only walked, not checked again, so that numbers and nested values keep their bytes.
 */
export function jsonMembers(text: string): JsonMember[] {
  const members: JsonMember[] = [];
  let start = skipSpace(text, 0) + 1;
  let at = skipSpace(text, start);
  while (text.charCodeAt(at) === quote) {
    const nameEnd = endOfString(text, at);
    const name = JSON.parse(text.slice(at, nameEnd)) as string;
    const valueStart = skipSpace(text, skipSpace(text, nameEnd) + 1);
    const valueEnd = endOfValue(text, valueStart);
    const end = skipSpace(text, valueEnd);
    members.push({ name, start, valueStart, valueEnd, end });
    start = end + 1;
    at = text.charCodeAt(end) === comma ? skipSpace(text, start) : text.length;
  }
  return members;
}

/** What becomes of a member: its new value as JSON text, `null` to take it out, `undefined` to leave it as it is. */
export type MemberEdit = (member: JsonMember) => string | null | undefined;

/** The object's text with members changed and new ones put behind them; everything else keeps its bytes. */
export function editMembers(text: string, edit: MemberEdit, added: readonly string[] = []): string {
  const open = skipSpace(text, 0) + 1;
  const kept: string[] = [];
  let close = open;
  for (const member of jsonMembers(text)) {
    close = member.end;
    const value = edit(member);
    if (value === null) continue;
    kept.push(value === undefined
      ? text.slice(member.start, member.end)
      : text.slice(member.start, member.valueStart) + value + text.slice(member.valueEnd, member.end));
  }
  if (close === open) close = skipSpace(text, open);
  return text.slice(0, open) + [...kept, ...added].join(',') + text.slice(close);
}

const quote = 0x22;
const comma = 0x2c;
const backslash = 0x5c;

function skipSpace(text: string, from: number): number {
  let at = from;
  for (let code = text.charCodeAt(at); code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09; code = text.charCodeAt(at)) at++;
  return at;
}

/** Behind the closing quote of the string that opens at `from`. */
function endOfString(text: string, from: number): number {
  let close = text.indexOf('"', from + 1);
  while (isEscaped(text, close)) close = text.indexOf('"', close + 1);
  return close + 1;
}

function isEscaped(text: string, at: number): boolean {
  let slashes = 0;
  while (text.charCodeAt(at - 1 - slashes) === backslash) slashes++;
  return slashes % 2 === 1;
}

function endOfValue(text: string, from: number): number {
  const first = text[from];
  if (first === '"') return endOfString(text, from);
  if (first === '{' || first === '[') return endOfNested(text, from);
  let at = from;
  while (at < text.length && !' \n\r\t,]}'.includes(text[at] ?? '')) at++;
  return at;
}

const structural = /["[\]{}]/g;

function endOfNested(text: string, from: number): number {
  let depth = 0;
  let at = from;
  for (;;) {
    structural.lastIndex = at;
    const found = structural.exec(text);
    if (found === null) return text.length;
    at = found.index + 1;
    if (found[0] === '"') at = endOfString(text, found.index);
    else if (found[0] === '{' || found[0] === '[') depth++;
    else if (--depth === 0) return at;
  }
}
