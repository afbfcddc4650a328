/** One whole event. */
export interface SseEvent {
  /** With its blank line, as it came. */
  readonly bytes: Buffer;
  /** End of its only line, without the terminator; -1 where it has none or several. */
  readonly lineEnd: number;
}

/** Cuts a stream of server-sent events (HTML standard, 9.2.6) into events without touching a byte. */
export interface SseScanner {
  /**
   * The whole events that these bytes complete, in order; a lone blank line is one of its own. null: an event is larger
   * than the cap, and nothing more is read. Events share memory with what was pushed.
   */
  push(chunk: Uint8Array): SseEvent[] | null;
  /** The last event where the stream ends in a CR that might have been half a CRLF. What is no whole event is dropped. */
  end(): SseEvent | null;
}

interface Scan {
  /** The beginning of an event whose end has not come: the first `heldLength` bytes. */
  held: Buffer;
  heldLength: number;
  /** Next byte to look at, and the start of its line, from the event's start. */
  at: number;
  lineStart: number;
  /** Lines of the event that have ended, and where the first did. */
  lines: number;
  lineEnd: number;
  lastWasCrLf: boolean;
  /** A byte order mark may still come. */
  atStart: boolean;
}

const lf = 10;
const cr = 13;
const nothing = Buffer.alloc(0);
const byteOrderMark = [0xef, 0xbb, 0xbf];

/** `maxEventBytes` bounds what is held of one event. */
export function createSseScanner(maxEventBytes: number): SseScanner {
  const scan: Scan = { held: nothing, heldLength: 0, at: 0, lineStart: 0, lines: 0, lineEnd: -1, lastWasCrLf: false, atStart: true };

  function push(chunk: Uint8Array): SseEvent[] | null {
    let data = scan.heldLength === 0 ? bufferOf(chunk) : appended(scan, chunk);
    if (scan.atStart) {
      const mark = leadingMark(data);
      if (mark === 'yes') data = data.subarray(byteOrderMark.length);
      scan.atStart = mark === 'perhaps';
    }
    const { events, rest } = scan.atStart ? { events: [], rest: 0 } : cut(scan, data);
    hold(scan, data, rest);
    return scan.heldLength > maxEventBytes ? null : events;
  }

  function end(): SseEvent | null {
    const { held, heldLength, at, lineStart } = scan;
    const isWhole = heldLength > 0 && at === heldLength - 1 && at === lineStart && held[at] === cr;
    return isWhole ? { bytes: held.subarray(0, heldLength), lineEnd: onlyLine(scan) } : null;
  }

  return { push, end };
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function cut(scan: Scan, data: Buffer): { events: SseEvent[]; rest: number } {
  const events: SseEvent[] = [];
  let start = 0;
  let at = scan.at;
  let nextCr = data.indexOf(cr, at);
  for (;;) {
    const i = terminator(data, at, nextCr);
    const blank = i === scan.lineStart + start;
    const next = behindLine(scan, data, i, blank);
    if (next === null) {
      scan.at = i - start;
      return { events, rest: start };
    }
    if (nextCr !== -1 && nextCr < next) nextCr = data.indexOf(cr, next);
    scan.lastWasCrLf = next - i === 2;
    noteLine(scan, blank, i - start);
    if (blank) {
      events.push({ bytes: start === 0 && next === data.length ? data : data.subarray(start, next), lineEnd: onlyLine(scan) });
      start = next;
    }
    at = next;
    scan.lineStart = next - start;
  }
}

function noteLine(scan: Scan, blank: boolean, end: number): void {
  if (!blank) scan.lines += 1;
  if (!blank && scan.lines === 1) scan.lineEnd = end;
}

/** End of the event's only line; the count starts over for the next event. */
function onlyLine(scan: Scan): number {
  const { lines, lineEnd } = scan;
  scan.lines = 0;
  return lines === 1 ? lineEnd : -1;
}

/** The next LF or CR; the end of the data where there is none. */
function terminator(data: Buffer, from: number, nextCr: number): number {
  const nextLf = data.indexOf(lf, from);
  const first = nextLf === -1 || (nextCr !== -1 && nextCr < nextLf) ? nextCr : nextLf;
  return first === -1 ? data.length : first;
}

/** Behind the LF, CR or CRLF at `i`; null: it has not come yet, or whether an LF belongs to it is worth waiting for. */
function behindLine({ lastWasCrLf }: Scan, data: Buffer, i: number, blank: boolean): number | null {
  if (i === data.length) return null;
  if (data[i] === lf) return i + 1;
  if (i + 1 < data.length) return data[i + 1] === lf ? i + 2 : i + 1;
  // Only a blank line completes an event, and its LF is on its way where the line before had one.
  return blank && !lastWasCrLf ? i + 1 : null;
}

/** Keeps `data` from `rest` on; the events that were cut from it keep its memory. */
function hold(scan: Scan, data: Buffer, rest: number): void {
  const length = data.length - rest;
  const isInPlace = rest === 0 && data.buffer === scan.held.buffer && data.byteOffset === scan.held.byteOffset;
  if (!isInPlace) {
    scan.held = length === 0 ? nothing : Buffer.alloc(Math.max(1024, length * 2));
    scan.held.set(data.subarray(rest));
  }
  scan.heldLength = length;
}

function appended(scan: Scan, chunk: Uint8Array): Buffer {
  const length = scan.heldLength + chunk.length;
  if (length > scan.held.length) {
    const larger = Buffer.alloc(length * 2);
    larger.set(scan.held.subarray(0, scan.heldLength));
    scan.held = larger;
  }
  scan.held.set(chunk, scan.heldLength);
  return scan.held.subarray(0, length);
}

function leadingMark(data: Buffer): 'yes' | 'no' | 'perhaps' {
  const length = Math.min(data.length, byteOrderMark.length);
  for (let i = 0; i < length; i++) if (data[i] !== byteOrderMark[i]) return 'no';
  return length === byteOrderMark.length ? 'yes' : 'perhaps';
}
