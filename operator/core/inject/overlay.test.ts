import { expect, test } from '@jest/globals';
import { overlay } from './overlay.ts';

test.each<[string, unknown, unknown, unknown]>([
  ['what is not there is added', { a: 1 }, { b: 2 }, { a: 1, b: 2 }],
  ['what is there otherwise is changed', { a: { b: 1, c: [1, 2] } }, { a: { b: 2, c: [3] } }, { a: { b: 2, c: [3] } }],
  ['members that the API server filled in stay', { probe: { path: '/live', scheme: 'HTTP' } }, { probe: { path: '/live' } }, { probe: { path: '/live', scheme: 'HTTP' } }],
  ['of a variable\'s two forms ours stands', [{ name: 'a', value: '1' }, { name: 'b', valueFrom: { ref: 1 } }], [{ name: 'a', valueFrom: { ref: 2 } }, { name: 'b', value: '2' }], [{ name: 'a', valueFrom: { ref: 2 } }, { name: 'b', value: '2' }]],
  ['of a probe\'s ways ours stands', { probe: { exec: { command: ['x'] }, periodSeconds: 9, initialDelaySeconds: 1 } }, { probe: { httpGet: { path: '/live' }, periodSeconds: 1 } }, { probe: { httpGet: { path: '/live' }, periodSeconds: 1, initialDelaySeconds: 1 } }],
  ['a list of texts is ours alone', { drop: ['ALL', 'KILL'] }, { drop: ['ALL'] }, { drop: ['ALL'] }],
  ['named elements are paired, ours first, others after them', [{ name: 'x' }, { name: 'b', more: 1 }, { name: 'a', v: 1 }], [{ name: 'a', v: 2 }, { name: 'b' }], [{ name: 'a', v: 2 }, { name: 'b', more: 1 }, { name: 'x' }]],
  ['mounts are paired by their path, for a volume may be mounted twice', [{ name: 'v', mountPath: '/b', recursive: 1 }, { name: 'v', mountPath: '/c' }], [{ name: 'v', mountPath: '/a' }, { name: 'v', mountPath: '/b' }],
    [{ name: 'v', mountPath: '/a' }, { name: 'v', mountPath: '/b', recursive: 1 }, { name: 'v', mountPath: '/c' }]],
  ['nameless elements are paired by place', [{ token: { mode: 1 } }], [{ token: { path: 'p' } }], [{ token: { mode: 1, path: 'p' } }]],
  ['nameless elements of another number are ours alone', [{ token: 1 }, { token: 2 }], [{ token: 3 }], [{ token: 3 }]],
  ['a list in place of something else is ours', { a: 'text' }, { a: [1] }, { a: [1] }],
])('%s', (_, present, ours, expected) => {
  expect(overlay(present, ours)).toEqual(expected);
});
