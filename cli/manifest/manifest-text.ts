/** Where something stands: line and column count from 1, in UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** One document of a stream, with the offset of its first character in the whole text. */
export interface TextPart {
  readonly text: string;
  readonly offset: number;
  readonly form: 'yaml' | 'json';
}

/** A stream cut into documents; `fault` where kubectl would refuse a separator. */
export interface TextParts {
  readonly parts: readonly TextPart[];
  readonly fault: { readonly offset: number; readonly message: string } | null;
}

/** Turns offsets into positions. */
export function createLineTable(text: string): (offset: number) => Position {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  };
}

/**
 * Cuts a stream as kubectl does (apimachinery's YAMLOrJSONDecoder): at every line that begins with `---`, even inside a
 * block of text; a text that begins with `{` is first tried as JSON objects one after the other.
 */
export function splitDocuments(text: string): TextParts {
  if (/^\s*\{/.test(text)) {
    const objects = splitJson(text);
    if (objects !== null) return { parts: objects, fault: null };
  }
  return splitYaml(text);
}

function splitYaml(text: string): TextParts {
  const parts: TextPart[] = [];
  let start = 0;
  let at = 0;
  while (at < text.length) {
    const end = text.indexOf('\n', at);
    const next = end === -1 ? text.length : end + 1;
    if (text.startsWith('---', at)) {
      const rest = text.slice(at + 3, next).trim();
      if (at > start) parts.push({ text: text.slice(start, at), offset: start, form: 'yaml' });
      if (rest !== '' && !rest.startsWith('#')) {
        return { parts, fault: { offset: at + 3, message: `a document separator must stand alone on its line, as ---; found ${JSON.stringify(rest.slice(0, 40))} after it` } };
      }
      start = next;
    }
    at = next;
  }
  if (start < text.length) parts.push({ text: text.slice(start), offset: start, form: 'yaml' });
  return { parts, fault: null };
}

/** Every object of a JSON stream; null where the text is not one. */
function splitJson(text: string): readonly TextPart[] | null {
  const parts: TextPart[] = [];
  let at = 0;
  while (at < text.length) {
    if (/\s/.test(text.charAt(at))) {
      at += 1;
      continue;
    }
    const end = endOfObject(text, at);
    if (end === null) return null;
    const object = text.slice(at, end);
    if (!isJson(object)) return null;
    parts.push({ text: object, offset: at, form: 'json' });
    at = end;
  }
  return parts;
}

function endOfObject(text: string, start: number): number | null {
  const token = /"(?:[^"\\]|\\.)*"|[{}]/gs;
  token.lastIndex = start;
  let depth = 0;
  for (let found = token.exec(text); found !== null; found = token.exec(text)) {
    if (found[0] === '{') depth += 1;
    if (found[0] === '}') depth -= 1;
    if (depth <= 0) return token.lastIndex;
  }
  return null;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}
