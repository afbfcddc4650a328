import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readEvent, type EventData } from './event-data.ts';
import { createSseScanner, type SseEvent } from './sse-scanner.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = ({ bytes: data }: SseEvent): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(data);
/** The event that a text is, its data read; a blank line is no event of its own here. */
const readText = (event: string): EventData => {
  const scanner = createSseScanner(1_000);
  const [first] = [...(scanner.push(bytes(event)) ?? []), scanner.end()];
  if (first === null || first === undefined) throw new Error(`no event: ${event}`);
  return readEvent(first);
};

function scan(chunks: readonly Uint8Array[], max = 1_000): string[] | null {
  const scanner = createSseScanner(max);
  const events: string[] = [];
  for (const chunk of chunks) {
    const found = scanner.push(chunk);
    if (found === null) return null;
    events.push(...found.map(text));
  }
  const last = scanner.end();
  return last === null ? events : [...events, text(last)];
}

const singly = (data: Uint8Array): Uint8Array[] => Array.from(data, (byte) => Uint8Array.of(byte));

describe('a stream is cut into events', () => {
  test.each<[string, string, string[]]>([
    ['ended by LF', 'data: a\n\ndata: b\n\n', ['data: a\n\n', 'data: b\n\n']],
    ['ended by CRLF', 'data: a\r\n\r\ndata: b\r\n\r\n', ['data: a\r\n\r\n', 'data: b\r\n\r\n']],
    ['ended by CR', 'data: a\r\rdata: b\r\r', ['data: a\r\r', 'data: b\r\r']],
    ['of several lines', 'event: error\ndata: a\ndata: b\n\n', ['event: error\ndata: a\ndata: b\n\n']],
    ['that are comments', ': ping\n\n:\n\n', [': ping\n\n', ':\n\n']],
    ['after lone blank lines', '\n\ndata: a\n\n\n', ['\n', '\n', 'data: a\n\n', '\n']],
    ['without a byte order mark before them', '\ufeffdata: a\n\n', ['data: a\n\n']],
    ['with one that is content', 'data: \ufeff\n\n', ['data: \ufeff\n\n']],
    ['and what is no whole event is dropped', 'data: a\n\ndata: b\n', ['data: a\n\n']],
  ])('%s', (_, stream, expected) => {
    expect(scan([bytes(stream)])).toEqual(expected);
    expect(scan(singly(bytes(stream)))).toEqual(expected);
  });

  test('ended by a mixture: a CR after an LF ends one at once, and an LF that follows is a blank line', () => {
    expect(scan([bytes('data: a\r\n\ndata: b\n\r\n')])).toEqual(['data: a\r\n\n', 'data: b\n\r\n']);
    expect(scan(singly(bytes('data: b\n\r\n')))).toEqual(['data: b\n\r', '\n']);
  });

  test('however it is chunked, and none of its bytes is lost', () => {
    const piece = fc.constantFrom('data: ä€😀', ': c', 'event: x', '\n', '\r', '\r\n', '\n\n', 'data:', '\ufeff');
    fc.assert(fc.property(fc.array(piece, { maxLength: 30 }), fc.array(fc.nat({ max: 7 }), { minLength: 1, maxLength: 40 }), (pieces, sizes) => {
      const stream = bytes(pieces.join(''));
      const chunks: Uint8Array[] = [];
      for (let at = 0, turn = 0; at < stream.length; turn++) {
        const size = sizes[turn % sizes.length] ?? 1;
        chunks.push(stream.slice(at, at + size));
        at += Math.max(size, turn % 5 === 4 ? 1 : size === 0 ? 0 : size);
        if (sizes.every((one) => one === 0)) break;
      }
      if (sizes.every((one) => one === 0)) return;
      const whole = Uint8Array.from(chunks.flatMap((chunk) => [...chunk]));
      const together = scan([whole]);
      const apart = scan(chunks);
      // A CR at the end of a chunk is taken as a line's end where nothing says CRLF: the LF then is a blank line of its own.
      expect(apart?.join('')).toBe(together?.join(''));
      const datas = (events: string[] | null): (string | null)[] => (events ?? []).map((event) => readText(event).data).filter((data) => data !== null);
      expect(datas(apart)).toEqual(datas(together));
    }));
  });

  test('whose byte order mark comes in pieces', () => {
    const stream = bytes('\ufeffdata: abc\n\ndata: d\n\n');
    for (const at of [1, 2, 3, 4, 7]) for (const next of [8, 9, 12]) {
      expect(scan([stream.slice(0, at), stream.slice(at, next), stream.slice(next)])).toEqual(['data: abc\n\n', 'data: d\n\n']);
    }
  });

  test('at once where a CR ends them, without waiting for what comes', () => {
    const scanner = createSseScanner(1_000);
    expect(scanner.push(bytes('data: a\r\r'))?.map(text)).toEqual(['data: a\r\r']);
  });

  test('of which one that is too large ends it', () => {
    expect(scan([bytes('data: 0123456789')], 10)).toBeNull();
    expect(scan([bytes(`data: ${'x'.repeat(50)}\n\ndata: a`)], 10)).toEqual([`data: ${'x'.repeat(50)}\n\n`]);
  });
});

describe('the data of an event', () => {
  test.each<[string, string, string | null, string | null]>([
    ['after a space', 'data: {"a":1}\n\n', null, '{"a":1}'],
    ['without a space', 'data:{"a":1}\r\n\r\n', null, '{"a":1}'],
    ['after two spaces keeps one', 'data:  a\n\n', null, ' a'],
    ['on several lines is joined', 'data: {\ndata: }\n\n', null, '{\n}'],
    ['of a named event', 'event: error\ndata: {}\n\n', 'error', '{}'],
    ['beside a comment', ': ping\ndata: a\n\n', null, 'a'],
    ['on several CR lines', 'data: a\rdata: b\r\r', null, 'a\nb'],
    ['of CR lines', 'event: x\rdata: a\rdata: b\r\r', 'x', 'a\nb'],
    ['that is empty', 'data:\n\n', null, ''],
    ['of a comment is none', ': ping\n\n', null, null],
    ['of a blank line is none', '\n', null, null],
    ['of an id is none', 'id: 7\n\n', null, null],
    ['under another name is none', 'database: a\n\n', null, null],
  ])('%s', (_, event, name, data) => {
    expect(readText(event)).toEqual({ name, data });
  });
});
