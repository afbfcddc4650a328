import { createParser } from 'eventsource-parser';

/** What one event carries; `data` is null where it has no data field: a comment, a blank line, an id. */
export interface EventData {
  readonly name: string | null;
  readonly data: string | null;
}

const dataPrefix = 'data:';
const space = 0x20;
const lf = 10;
const cr = 13;

/**
 * The data of a whole event. The usual form, one `data:` line, is sliced out of its bytes; any other (several lines,
 * other fields, comments) goes through the parser. UTF-8; broken sequences become U+FFFD.
 */
export function readEvent(bytes: Uint8Array): EventData {
  const range = singleDataRange(bytes);
  return range === null ? parseEvent(bytes) : { name: null, data: bufferOf(bytes).toString('utf8', range.start, range.end) };
}

/** Bytes of the data as Latin-1, for looking at JSON's ASCII without decoding it; null: not of the usual form. */
export function scanEvent(bytes: Uint8Array): string | null {
  const range = singleDataRange(bytes);
  return range === null ? null : bufferOf(bytes).toString('latin1', range.start, range.end);
}

function singleDataRange(bytes: Uint8Array): { start: number; end: number } | null {
  for (let i = 0; i < dataPrefix.length; i++) if (bytes[i] !== dataPrefix.charCodeAt(i)) return null;
  const start = bytes[dataPrefix.length] === space ? dataPrefix.length + 1 : dataPrefix.length;
  let end = bytes.length;
  while (end > start && (bytes[end - 1] === lf || bytes[end - 1] === cr)) end--;
  const firstLf = bytes.indexOf(lf, start);
  const firstCr = bytes.indexOf(cr, start);
  return (firstLf === -1 || firstLf >= end) && (firstCr === -1 || firstCr >= end) ? { start, end } : null;
}

function parseEvent(bytes: Uint8Array): EventData {
  let found: EventData = { name: null, data: null };
  const parser = createParser({ onEvent: ({ event, data }) => { found = { name: event ?? null, data }; } });
  // The parser keeps a last CR back, as it may be half a CRLF; one more blank line ends that doubt.
  parser.feed(`${bufferOf(bytes).toString('utf8')}\n`);
  return found;
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
