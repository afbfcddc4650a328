import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createSseReader, type ServerEvent } from './sse-reader.ts';

const read = (text: string, cut = text.length): readonly ServerEvent[] => {
  const reader = createSseReader();
  const bytes = new TextEncoder().encode(text);
  return [...reader.push(bytes.subarray(0, cut)), ...reader.push(bytes.subarray(cut))];
};

test.each<[string, string, readonly ServerEvent[]]>([
  ['a line without a space after the colon is the same event', 'data:x\n\ndata: y\n\n', [{ type: 'message', data: 'x' }, { type: 'message', data: 'y' }]],
  ['only one space belongs to the colon', 'data:  x\n\n', [{ type: 'message', data: ' x' }]],
  ['lines may end in CRLF or CR', 'data: a\r\n\r\ndata: b\r\rdata: c\n\n', ['a', 'b', 'c'].map((data) => ({ type: 'message', data }))],
  ['a byte order mark is skipped', '\uFEFFdata: x\n\n', [{ type: 'message', data: 'x' }]],
  ['two data lines are one event', 'data: a\ndata: b\n\n', [{ type: 'message', data: 'a\nb' }]],
  ['a comment is no event', ': ping\n\ndata: x\n\n', [{ type: 'message', data: 'x' }]],
  ['an event without data is none', 'event: ping\n\n', []],
  ['a name is kept', 'event: error\ndata: x\n\n', [{ type: 'error', data: 'x' }]],
  ['an event that the end cuts off is dropped', 'data: x\n\ndata: y\n', [{ type: 'message', data: 'x' }]],
])('%s', (_title, text, events) => {
  expect(read(text)).toEqual(events);
});

test('wherever the bytes are cut, the events are the same', () => {
  const line = fc.constantFrom('data: x', 'data:ü€', ': c', 'event: e', 'data', 'id: 1');
  const end = fc.constantFrom('\n', '\r', '\r\n');
  fc.assert(fc.property(fc.array(fc.tuple(line, end, end)), fc.nat(), (lines, where) => {
    const text = lines.map(([content, once, twice]) => `${content}${once}${twice}`).join('');
    const length = new TextEncoder().encode(text).length;
    expect(read(text, where % (length + 1))).toEqual(read(text));
  }));
});
