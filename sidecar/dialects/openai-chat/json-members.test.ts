import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { editMembers, jsonMembers } from './json-members.ts';

const values = (text: string): [string, string][] => jsonMembers(text).map(({ name, valueStart, valueEnd }) => [name, text.slice(valueStart, valueEnd)]);

describe('members of a JSON object', () => {
  test.each<[string, string, [string, string][]]>([
    ['nothing in an empty object', ' { } ', []],
    ['plain values', '{"a":1,"b":true,"c":null,"d":-1.5e+3}', [['a', '1'], ['b', 'true'], ['c', 'null'], ['d', '-1.5e+3']]],
    ['white space anywhere', ' {\n "a" :\t1 ,\r\n"b": [ 1 , 2 ] }\n', [['a', '1'], ['b', '[ 1 , 2 ]']]],
    ['braces and quotes inside strings', '{"a":"}],{\\"","b":{"c":"\\\\"},"d":[{"e":"]"}]}', [['a', '"}],{\\""'], ['b', '{"c":"\\\\"}'], ['d', '[{"e":"]"}]']]],
    ['escaped names, decoded', '{"m\\u006fdel":1,"a\\"b":2}', [['model', '1'], ['a"b', '2']]],
    ['every one of a repeated name', '{"a":1,"a":2}', [['a', '1'], ['a', '2']]],
    ['numbers with all their digits', '{"seed":12345678901234567890}', [['seed', '12345678901234567890']]],
  ])('finds %s', (_, text, expected) => {
    expect(values(text)).toEqual(expected);
  });

  const jsonText = fc.tuple(fc.dictionary(fc.string(), fc.jsonValue()), fc.constantFrom(undefined, 1, '\t')).map(([value, indent]) => JSON.stringify(value, null, indent));

  test('agrees with JSON.parse on any object', () => {
    fc.assert(fc.property(jsonText, (text) => {
      const found = Object.fromEntries(values(text).map(([name, value]) => [name, JSON.parse(value) as unknown]));
      expect(JSON.stringify(found)).toBe(JSON.stringify(JSON.parse(text)));
    }));
  });

  test('an edit that changes nothing keeps every byte', () => {
    fc.assert(fc.property(jsonText, (text) => {
      expect(editMembers(text, () => undefined)).toBe(text);
    }));
  });

  test('what is taken out is gone, what is changed is changed, the rest is as it was, in any order', () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.constantFrom('out', 'change', 'keep', 'o\\u0075t'), fc.jsonValue())), fc.boolean(), (members, adds) => {
      const text = `{ ${members.map(([name, value]) => `"${name}" : ${JSON.stringify(value)}`).join(' , ')} }`;
      const edited = editMembers(text, ({ name }) => (name === 'out' ? null : name === 'change' ? '"new"' : undefined), adds ? ['"added":1'] : []);
      const kept = members.filter(([name]) => name === 'keep' || name === 'change').map(([name, value]) => [name, name === 'keep' ? JSON.stringify(value) : '"new"']);
      expect(values(edited)).toEqual(adds ? [...kept, ['added', '1']] : kept);
      expect(() => JSON.parse(edited) as unknown).not.toThrow();
    }));
  });
});
