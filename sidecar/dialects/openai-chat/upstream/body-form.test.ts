import { describe, expect, test } from '@jest/globals';
import { bodyForm } from './body-form.ts';

const of = (text: string): ReturnType<typeof bodyForm> => bodyForm(new TextEncoder().encode(text));

describe('the form of a body is known by its first byte that is not white space', () => {
  test.each([
    ['an object', '{"id":1}', 'json'],
    ['a list, behind white space', ' \r\n\t[{', 'json'],
    ['a data line', 'data: {}', 'events'],
    ['half a data line', 'd', 'events'],
    ['a comment', ': ping\n\n', 'events'],
    ['other fields of an event', '\nevent: error\n', 'events'],
    ['an id', 'id: 4\n', 'events'],
    ['a retry', 'retry: 300\n', 'events'],
    ['a page', '<!DOCTYPE html>', 'unclear'],
    ['a byte order mark', '\uFEFFdata: x', 'unclear'],
    ['white space', ' \r\n\n\t', null],
    ['nothing', '', null],
  ] as const)('%s', (_what, text, form) => {
    expect(of(text)).toBe(form);
  });
});
