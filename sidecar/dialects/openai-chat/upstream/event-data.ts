import { createParser } from 'eventsource-parser';
import type { SseEvent } from './sse-scanner.ts';

/** What one event carries; `data` is null where it has no data field: a comment, a blank line, an id. */
export interface EventData {
  readonly name: string | null;
  readonly data: string | null;
}

const dataPrefix = Buffer.from('data:');
const space = 0x20;

/**
 * The data of a whole event. The usual form, one `data:` line, is sliced out of its bytes; any other (several lines,
 * other fields, comments) goes through the parser. UTF-8; broken sequences become U+FFFD.
 */
export function readEvent(event: SseEvent): EventData {
  const start = dataStart(event);
  return start === -1 ? parseEvent(event.bytes) : { name: null, data: event.bytes.toString('utf8', start, event.lineEnd) };
}

/** Bytes of the data as Latin-1, for looking at JSON's ASCII without decoding it; null: not of the usual form. */
export function scanEvent(event: SseEvent): string | null {
  const start = dataStart(event);
  return start === -1 ? null : event.bytes.toString('latin1', start, event.lineEnd);
}

/** -1 where the event is more or less than one `data:` line. */
function dataStart({ bytes, lineEnd }: SseEvent): number {
  if (lineEnd < dataPrefix.length) return -1;
  for (let i = 0; i < dataPrefix.length; i++) if (bytes[i] !== dataPrefix[i]) return -1;
  return bytes[dataPrefix.length] === space ? dataPrefix.length + 1 : dataPrefix.length;
}

function parseEvent(bytes: Buffer): EventData {
  let found: EventData = { name: null, data: null };
  const parser = createParser({ onEvent: ({ event, data }) => { found = { name: event ?? null, data }; } });
  // The parser keeps a last CR back, as it may be half a CRLF; one more blank line ends that doubt.
  parser.feed(`${bytes.toString('utf8')}\n`);
  return found;
}
