import { expect, test } from '@jest/globals';
import type { FallbackChain } from '../resources/fallback-chain.ts';
import { claimModelNames } from './model-names.ts';

const older = '2026-01-01T00:00:00Z';
const newer = '2026-01-02T00:00:00Z';

test.each([
  ['by default a chain is asked for by its name and its first model', [chain('chat', null, 'gpt-4o')], { chat: ['chat', 'gpt-4o'] }],
  ['a first model that is the chain\'s name counts once', [chain('gpt-4o', null, 'gpt-4o')], { 'gpt-4o': ['gpt-4o'] }],
  ['a wildcard model is no name', [chain('chat', null, '*')], { chat: ['chat'] }],
  ['a chain that lists names is not asked for by its own', [chain('chat', ['a', 'b'], 'gpt-4o')], { chat: ['a', 'b'] }],
  ['an explicit claim beats an older default one', [chain('a', null, 'gpt-4o', older), chain('b', ['gpt-4o'], 'm', newer)], { a: ['a'], b: ['gpt-4o'] }],
  ['of two explicit claims the older keeps the name', [chain('a', ['x', 'only-a'], 'm', newer), chain('b', ['x'], 'm', older)], { a: ['only-a'], b: ['x'] }],
  ['of two default claims the older keeps the name', [chain('a', null, 'm', newer), chain('b', null, 'm', older)], { a: ['a'], b: ['b', 'm'] }],
  ['equally old, the first by name keeps it', [chain('b', ['x'], 'm', older), chain('a', ['x'], 'm', older)], { a: ['x'], b: [] }],
  ['in files, the first by name keeps it', [chain('b', ['x'], 'm'), chain('a', ['x'], 'm')], { a: ['x'], b: [] }],
  ['the name for all others is claimed like any other', [chain('a', ['*'], 'm', newer), chain('b', ['*'], 'm', older)], { a: [], b: ['*'] }],
  ['a chain may list the name of another chain', [chain('a', null, 'm'), chain('b', ['a'], 'n')], { a: ['m'], b: ['a'] }],
])('%s', (_, chains, expected) => {
  const names = (order: readonly FallbackChain[]) => Object.fromEntries([...claimModelNames(order)].map(([name, claimed]) => [name, claimed.names]));
  expect(names(chains)).toEqual(expected);
  expect(names([...chains].reverse())).toEqual(expected);
});

test('a lost name says who serves it, and where it was listed', () => {
  const claimed = claimModelNames([chain('a', ['y', 'x'], 'm', newer), chain('b', ['x'], 'm', older), chain('c', null, 'x', older)]);
  expect(claimed.get('a')?.lost).toEqual([{ name: 'x', owner: 'b', index: 1 }]);
  expect(claimed.get('c')?.lost).toEqual([{ name: 'x', owner: 'b', index: null }]);
});

function chain(name: string, modelNames: readonly string[] | null, model: string, creationTimestamp?: string): FallbackChain {
  return {
    apiVersion: 'belay.dev/v1alpha1',
    kind: 'FallbackChain',
    metadata: { name, ...(creationTimestamp === undefined ? {} : { creationTimestamp }) },
    spec: {
      ...(modelNames === null ? {} : { modelNames }), fallbackMode: 'Sequential', deadline: '10m', retries: 1, egress: 'Any',
      targets: [{ providerRef: { name: 'p' }, model, suspend: false }],
    },
  };
}
