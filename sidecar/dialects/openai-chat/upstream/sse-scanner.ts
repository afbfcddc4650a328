/** Cuts a stream of server-sent events (HTML standard, 9.2.6) into events without touching a byte. */
export interface SseScanner {
  /**
   * The whole events that these bytes complete, each with its blank line, in order; a lone blank line is one of its
   * own. null: an event is larger than the cap, and nothing more is read. Events share memory with what was pushed.
   */
  push(chunk: Uint8Array): Uint8Array[] | null;
  /** The last event where the stream ends in a CR that might have been half a CRLF. What is no whole event is dropped. */
  end(): Uint8Array | null;
}

interface Scan {
  /** The beginning of an event whose end has not come: the first `heldLength` bytes. */
  held: Uint8Array;
  heldLength: number;
  /** Next byte to look at, and the start of its line, from the event's start. */
  at: number;
  lineStart: number;
  lastWasCrLf: boolean;
  /** A byte order mark may still come. */
  atStart: boolean;
}

const lf = 10;
const cr = 13;
const nothing = new Uint8Array(0);
const byteOrderMark = [0xef, 0xbb, 0xbf];

/** `maxEventBytes` bounds what is held of one event. */
export function createSseScanner(maxEventBytes: number): SseScanner {
  const scan: Scan = { held: nothing, heldLength: 0, at: 0, lineStart: 0, lastWasCrLf: false, atStart: true };

  function push(chunk: Uint8Array): Uint8Array[] | null {
    let data = scan.heldLength === 0 ? chunk : appended(scan, chunk);
    if (scan.atStart) {
      const mark = leadingMark(data);
      if (mark === 'yes') data = data.subarray(byteOrderMark.length);
      scan.atStart = mark === 'perhaps';
    }
    const { events, rest } = scan.atStart ? { events: [], rest: 0 } : cut(scan, data);
    hold(scan, data, rest);
    return scan.heldLength > maxEventBytes ? null : events;
  }

  function end(): Uint8Array | null {
    const { held, heldLength, at, lineStart } = scan;
    return heldLength > 0 && at === heldLength - 1 && at === lineStart && held[at] === cr ? held.slice(0, heldLength) : null;
  }

  return { push, end };
}

function cut(scan: Scan, data: Uint8Array): { events: Uint8Array[]; rest: number } {
  const events: Uint8Array[] = [];
  const length = data.length;
  let start = 0;
  let lineStart = scan.lineStart;
  let i = scan.at;
  while (i < length) {
    const byte = data[i];
    if (byte !== lf && byte !== cr) {
      i++;
      continue;
    }
    const next = byte === lf ? i + 1 : behindCr(scan, data, i, i === lineStart);
    if (next === null) break;
    scan.lastWasCrLf = next - i === 2;
    if (i === lineStart) {
      events.push(data.subarray(start, next));
      start = next;
    }
    lineStart = next;
    i = next;
  }
  scan.at = i - start;
  scan.lineStart = lineStart - start;
  return { events, rest: start };
}

/** Behind the CR or CRLF at `i`; null: whether its LF comes is not known yet, and worth waiting for. */
function behindCr({ lastWasCrLf }: Scan, data: Uint8Array, i: number, blank: boolean): number | null {
  if (i + 1 < data.length) return data[i + 1] === lf ? i + 2 : i + 1;
  // Only a blank line completes an event, and its LF is on its way where the line before had one.
  return blank && !lastWasCrLf ? i + 1 : null;
}

/** Keeps `data` from `rest` on; the events that were cut from it keep its memory. */
function hold(scan: Scan, data: Uint8Array, rest: number): void {
  const length = data.length - rest;
  const isInPlace = rest === 0 && data.buffer === scan.held.buffer && data.byteOffset === scan.held.byteOffset;
  if (!isInPlace) {
    scan.held = length === 0 ? nothing : new Uint8Array(Math.max(1024, length * 2));
    scan.held.set(data.subarray(rest));
  }
  scan.heldLength = length;
}

function appended(scan: Scan, chunk: Uint8Array): Uint8Array {
  const length = scan.heldLength + chunk.length;
  if (length > scan.held.length) {
    const larger = new Uint8Array(length * 2);
    larger.set(scan.held.subarray(0, scan.heldLength));
    scan.held = larger;
  }
  scan.held.set(chunk, scan.heldLength);
  return scan.held.subarray(0, length);
}

function leadingMark(data: Uint8Array): 'yes' | 'no' | 'perhaps' {
  const length = Math.min(data.length, byteOrderMark.length);
  for (let i = 0; i < length; i++) if (data[i] !== byteOrderMark[i]) return 'no';
  return length === byteOrderMark.length ? 'yes' : 'perhaps';
}
