import { describe, expect, test } from '@jest/globals';
import type { ChainEntry } from '@belay/contract';
import { nodeTools, snapshotOf } from '../../../test/golden/compile/snapshot-of.ts';
import { compileNamespace } from '../compile/compile-namespace.ts';
import { chainStatus, type ChainStatusInput } from './chain-status.ts';

const wallMs = Date.parse('2026-11-24T02:53:01.234Z');
const providers = 'kind: ModelProvider\nmetadata: { name: opus }\nspec: { preset: OpenAI }\n---\nkind: ModelProvider\nmetadata: { name: gemini }\nspec: { preset: Groq }\n';
const chainNamed = (names: readonly string[]) => `---\nkind: FallbackChain\nmetadata: { name: chat, generation: 3 }\nspec: { targets: [ ${names.map((name) => `{ providerRef: { name: ${name} }, model: m }`).join(', ')} ] }\n`;

function statusOf(more: Partial<ChainStatusInput> = {}, yaml = providers + chainNamed(['opus', 'gemini'])) {
  const { table, conditions } = compileNamespace(snapshotOf(yaml), nodeTools);
  return chainStatus({
    entry: table.chains[0] as ChainEntry, conditions: conditions.at(-1)?.conditions ?? [], observedGeneration: 3, tableVersion: table.version, published: true,
    counts: { connected: 12, current: 12, rejected: 0, lastError: '' }, serving: { text: 'opus', targets: [{ name: 'opus', tier: 'Primary', health: 'Healthy' }] }, before: undefined, wallMs, ...more,
  });
}

const condition = (status: ReturnType<typeof statusOf>, type: string) => status.conditions.find((one) => one.type === type);

test('a chain that is served says so in full', () => {
  const status = statusOf();
  const stamp = { observedGeneration: 3, lastTransitionTime: '2026-11-24T02:53:01Z' };
  expect(status).toEqual({
    observedGeneration: 3,
    conditions: [
      { type: 'Accepted', status: 'True', reason: 'Accepted', message: 'The chain can be served.', ...stamp },
      { type: 'ResolvedRefs', status: 'True', reason: 'ResolvedRefs', message: 'Everything that is referred to exists.', ...stamp },
      { type: 'Programmed', status: 'True', reason: 'Programmed', message: 'This version is published to every sidecar that asks for the chain.', ...stamp },
      { type: 'Ready', status: 'True', reason: 'Ready', message: 'At least one target can answer.', ...stamp },
    ],
    summary: 'opus > gemini',
    serving: 'opus',
    tableVersion: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
    sidecars: { connected: 12, current: 12, rejected: 0, lastError: '' },
    targets: [{ name: 'opus', tier: 'Primary', health: 'Healthy' }],
  });
});

describe('Programmed', () => {
  test.each<[string, Partial<ChainStatusInput>, string, string, string]>([
    ['waits until the version is published', { published: false }, 'False', 'Pending', 'This version has not been published yet.'],
    ['waits for a first version', { tableVersion: null }, 'False', 'Pending', 'This version has not been published yet.'],
    ['says in the words of a sidecar why it was refused', { counts: { connected: 12, current: 10, rejected: 2, lastError: 'chains[0].retries must be a whole number from 0 to 3, not 9' } }, 'False', 'Rejected',
      '2 of 12 sidecars refused this version and serve on what they had: chains[0].retries must be a whole number from 0 to 3, not 9.'],
    ['is false where a single one refused, whose sentence is not ended twice', { counts: { connected: 1, current: 0, rejected: 1, lastError: 'Never!' } }, 'False', 'Rejected', '1 of 1 sidecars refused this version and serve on what they had: Never!'],
    ['is not held up by a sidecar that is slow', { counts: { connected: 12, current: 1, rejected: 0, lastError: '' } }, 'True', 'Programmed', expect.any(String) as unknown as string],
    ['is true without any sidecar', { counts: { connected: 0, current: 0, rejected: 0, lastError: '' } }, 'True', 'Programmed', expect.any(String) as unknown as string],
  ])('%s', (_, more, status, reason, message) => {
    expect(condition(statusOf(more), 'Programmed')).toMatchObject({ status, reason, message });
  });

  test('is false for a chain that is not accepted', () => {
    const status = statusOf({}, providers + chainNamed(['nobody']));
    expect(condition(status, 'Accepted')).toMatchObject({ status: 'False', reason: 'NoUsableTarget', message: 'Chain chat cannot be served: target nobody: there is no ModelProvider "nobody" in namespace default.' });
    expect(condition(status, 'Programmed')).toMatchObject({ status: 'False', reason: 'NotAccepted' });
    expect(condition(status, 'Ready')).toMatchObject({ status: 'False', reason: 'NotAccepted' });
  });
});

test('the time of a transition stays while the status of its condition does', () => {
  const before = statusOf({ wallMs: wallMs - 3_600_000 });
  const status = statusOf({ before, published: false, observedGeneration: 4 });
  expect(status.conditions.map(({ type, lastTransitionTime, observedGeneration }) => [type, lastTransitionTime, observedGeneration])).toEqual([
    ['Accepted', '2026-11-24T01:53:01Z', 4], ['ResolvedRefs', '2026-11-24T01:53:01Z', 4], ['Programmed', '2026-11-24T02:53:01Z', 4], ['Ready', '2026-11-24T01:53:01Z', 4],
  ]);
});

test('a condition of the CRD\'s defaults makes way', () => {
  const pending = { conditions: [{ type: 'Ready', status: 'Unknown' as const, reason: 'Pending', message: 'Waiting for the operator.', lastTransitionTime: '1970-01-01T00:00:00Z' }] };
  expect(condition(statusOf({ before: pending }), 'Ready')).toMatchObject({ status: 'True', lastTransitionTime: '2026-11-24T02:53:01Z' });
});

describe('serving', () => {
  test('says that there were no requests yet', () => {
    expect(statusOf({ serving: { text: null, targets: [] } }).serving).toBe('no requests yet');
  });

  test('stays as it was until sidecars tell a restarted operator', () => {
    expect(statusOf({ serving: { text: null, targets: [] }, before: statusOf({ serving: { text: 'gemini 94% since 02:51 (opus: Overload)', targets: [] } }) }).serving).toBe('gemini 94% since 02:51 (opus: Overload)');
  });
});

test('targets without a reference are left out of the summary and stand in PartiallyInvalid', () => {
  const status = statusOf({}, providers + chainNamed(['nobody', 'gemini']));
  expect(status.summary).toBe('gemini');
  expect(status.conditions.map(({ type }) => type)).toEqual(['Accepted', 'ResolvedRefs', 'Programmed', 'PartiallyInvalid', 'Ready']);
});

test('every text of names at the length limit fits the schema', () => {
  const name = (letter: string) => letter.repeat(253);
  const targets = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((letter) => ({ name: name(letter), provider: name(letter), model: 'm', tier: 'Primary' as const, contextTokens: null, suspended: false }));
  const { table } = compileNamespace(snapshotOf(providers + chainNamed(['opus'])), nodeTools);
  const status = statusOf({
    entry: { ...(table.chains[0] as ChainEntry), targets }, counts: { connected: 1, current: 0, rejected: 1, lastError: 'x'.repeat(5_000) },
    serving: { text: 'y'.repeat(9_000), targets: [] }, conditions: [{ type: 'Accepted', status: 'False', reason: 'NameTaken', message: 'z'.repeat(50_000) }],
  });
  expect(status.summary?.length).toBeLessThanOrEqual(4_096);
  expect(status.serving?.length).toBe(4_096);
  expect(status.sidecars?.lastError.length).toBe(1_024);
  for (const { message } of status.conditions) expect(message.length).toBeLessThanOrEqual(32_768);
});
