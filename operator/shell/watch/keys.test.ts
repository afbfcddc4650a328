import { describe, expect, test } from '@jest/globals';
import type { RequiredKey } from '../../core/compile/required-keys.ts';
import { keysOf } from './keys.ts';
import type { NamedObject, ObjectState } from './named-objects.ts';

const required = (more: Partial<RequiredKey> = {}): RequiredKey => ({ provider: 'openai', namespace: 'shop', secretName: 'openai', secretKey: 'apiKey', origin: 'https://api.openai.com', keyVariable: null, ...more });
const found = (values: Readonly<Record<string, string | Buffer>>, resourceVersion = '1'): ObjectState => {
  const data = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Buffer.from(value as string).toString('base64')]));
  return { kind: 'found', object: { metadata: { namespace: 'shop', name: 'openai', uid: 'u', resourceVersion }, data } };
};
const one = (state: ObjectState) => keysOf([required()], () => state);
const revealed = (state: ObjectState) => one(state).keys.map(({ secret }) => secret.reveal());

test('a key goes to its provider\'s origin alone, and prints nothing', () => {
  const { keys, secrets } = one(found({ apiKey: 'sk-1', other: 'x' }));
  expect(keys).toMatchObject([{ provider: 'openai', origin: 'https://api.openai.com' }]);
  expect(JSON.stringify([keys, secrets])).not.toContain('sk-1');
  expect(secrets).toEqual([{ namespace: 'shop', name: 'openai', state: 'found', keys: { apiKey: 'present', other: 'present' } }]);
});

test.each([['a newline at its end', 'sk-1\n'], ['Windows lines', '\r\nsk-1\r\n'], ['blanks around', ' \tsk-1 ']])('a key with %s is trimmed', (_, value) => {
  expect(revealed(found({ apiKey: value }))).toEqual(['sk-1']);
});

describe('a key that no header can carry is left out and said:', () => {
  test.each<[string, string | Buffer]>([
    ['a newline inside', 'sk\n1'], ['a control character', 'sk\u00001'], ['an umlaut', 'sk-ü'], ['a byte that is no UTF-8', Buffer.from([0x73, 0xff])],
    ['nothing', ''], ['blanks alone', ' \n'], ['a no-break space at its end', 'sk-1\u00a0'],
  ])('%s', (_, value) => {
    expect(one(found({ apiKey: value }))).toEqual({ keys: [], secrets: [{ namespace: 'shop', name: 'openai', state: 'found', keys: { apiKey: 'invalid' } }] });
  });
});

test.each<[string, ObjectState, unknown]>([
  ['missing is said to be', { kind: 'missing' }, [{ namespace: 'shop', name: 'openai', state: 'missing' }]],
  ['denied is said to be', { kind: 'denied', message: 'no' }, [{ namespace: 'shop', name: 'openai', state: 'denied', message: 'no' }]],
  ['not answered for yet is not judged', { kind: 'unknown' }, []],
  ['without the key has others', found({ token: 'x' }), [{ namespace: 'shop', name: 'openai', state: 'found', keys: { token: 'present' } }]],
])('a Secret that is %s', (_, state, secrets) => {
  expect(one(state)).toEqual({ keys: [], secrets });
});

test('a Secret that two providers share is one fact', () => {
  const both = keysOf([required({ provider: 'a', secretKey: 'x' }), required({ provider: 'b', secretKey: 'y' })], () => found({ x: 'ü', y: 'ö', z: '1' }));
  expect(both.secrets).toEqual([{ namespace: 'shop', name: 'openai', state: 'found', keys: { x: 'invalid', y: 'invalid', z: 'present' } }]);
});

test('a version changes with the Secret and the name of the key, and is not made of the key', () => {
  const version = (state: ObjectState, secretKey = 'apiKey') => keysOf([required({ secretKey })], () => state).keys[0]?.version;
  const first = version(found({ apiKey: 'sk-1' }));
  expect(version(found({ apiKey: 'sk-2' }))).toBe(first);
  expect(version(found({ apiKey: 'sk-1' }, '2'))).not.toBe(first);
  expect(version(found({ apiKey: 'sk-1', second: 'sk-1' }), 'second')).not.toBe(first);
  expect(version({ kind: 'found', object: { ...(found({ apiKey: 'sk-1' }) as { object: NamedObject }).object, metadata: { name: 'openai', namespace: 'shop', uid: 'reborn', resourceVersion: '1' } } })).not.toBe(first);
});

test('Secrets of one name in two namespaces are two', () => {
  const { secrets } = keysOf([required(), required({ provider: 'models/openai', namespace: 'models' })], ({ namespace }) => (namespace === 'shop' ? { kind: 'denied', message: 'no' } : { kind: 'missing' }));
  expect(secrets).toEqual([{ namespace: 'shop', name: 'openai', state: 'denied', message: 'no' }, { namespace: 'models', name: 'openai', state: 'missing' }]);
});
