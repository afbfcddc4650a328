import { expect, test } from '@jest/globals';
import { applyDefaults } from './apply-defaults.ts';

const schema = {
  properties: {
    retries: { default: 1 },
    race: { properties: { prefer: { default: 'Primary' } } },
    status: { default: { ready: 'Unknown' }, properties: { ready: {}, reason: { default: 'Pending' } } },
    targets: { items: { properties: { suspend: { default: false } } } },
    free: {},
  },
};

test.each([
  ['a missing member takes its default, and a default takes its own', {}, { retries: 1, status: { ready: 'Unknown', reason: 'Pending' } }],
  ['null counts as missing, with a default or without', { retries: null, race: null }, { retries: 1, status: { ready: 'Unknown', reason: 'Pending' } }],
  ['what is given stays, also where it is false or zero', { retries: 0, status: { ready: false } }, { retries: 0, status: { ready: false, reason: 'Pending' } }],
  ['an object that is missing is not made', { race: {} }, { retries: 1, race: { prefer: 'Primary' }, status: { ready: 'Unknown', reason: 'Pending' } }],
  ['each item of a list takes defaults', { targets: [{}, { suspend: true }] }, { retries: 1, status: { ready: 'Unknown', reason: 'Pending' }, targets: [{ suspend: false }, { suspend: true }] }],
  ['members without a schema pass', { other: { a: null } }, { retries: 1, status: { ready: 'Unknown', reason: 'Pending' }, other: { a: null } }],
])('%s', (_, given, expected) => {
  const before = structuredClone(given);
  expect(applyDefaults(schema, given)).toEqual(expected);
  expect(given).toEqual(before);
});

test.each([['a text', 'text'], ['a number', 7], ['null', null], ['a list without a schema', [1]]])('%s where an object should be is left as it is', (_, value) => {
  expect(applyDefaults(schema, value)).toBe(value);
});
