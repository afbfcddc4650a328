import { expect, test } from '@jest/globals';
import { nodeTools, snapshotOf } from '../../../test/golden/compile/snapshot-of.ts';
import { compileNamespace } from '../compile/compile-namespace.ts';
import type { Snapshot } from '../compile/snapshot.ts';
import { providerStatus, type ProviderStatusInput } from './provider-status.ts';

const wallMs = Date.parse('2026-11-24T02:53:01.234Z');
const local = '{ local: { engine: LlamaCpp, model: { persistentVolumeClaim: { claimName: m, path: a.gguf } } } }';
const keyed = '{ preset: OpenAI, credentials: { secretKeyRef: { name: s, key: k } } }';

function statusOf(spec: string, more: Partial<ProviderStatusInput> = {}, facts: Partial<Snapshot> = {}) {
  const { conditions } = compileNamespace(snapshotOf(`kind: ModelProvider\nmetadata: { name: p }\nspec: ${spec}\n`, facts), nodeTools);
  return providerStatus({ conditions: conditions[0]?.conditions ?? [], observedGeneration: 2, localReady: null, suspended: false, before: undefined, wallMs, ...more });
}

test.each<[string, string, Partial<ProviderStatusInput>, Partial<Snapshot>, readonly (readonly [string, string, string])[]]>([
  ['can be used', '{ preset: OpenAI }', {}, {}, [['Accepted', 'True', 'Accepted'], ['ResolvedRefs', 'True', 'ResolvedRefs'], ['Ready', 'True', 'Ready']]],
  ['has no Secret', keyed, {}, { secrets: [{ namespace: 'default', name: 's', state: 'missing' }] }, [['Accepted', 'True', 'Accepted'], ['ResolvedRefs', 'False', 'SecretNotFound'], ['Ready', 'False', 'SecretNotFound']]],
  ['has a Secret that may not be read', keyed, {}, { secrets: [{ namespace: 'default', name: 's', state: 'denied', message: 'secrets "s" is forbidden' }] }, [['Accepted', 'True', 'Accepted'], ['ResolvedRefs', 'False', 'SecretAccessDenied'], ['Ready', 'False', 'SecretAccessDenied']]],
  ['has a key that no header can carry', keyed, {}, { secrets: [{ namespace: 'default', name: 's', state: 'found', keys: { k: 'invalid' } }] }, [['Accepted', 'True', 'Accepted'], ['ResolvedRefs', 'False', 'SecretKeyInvalid'], ['Ready', 'False', 'SecretKeyInvalid']]],
  ['is refused', '{ dialect: OpenAI, baseURL: "http://llm.example/v1" }', {}, {}, [['Accepted', 'False', 'InsecureURL'], ['ResolvedRefs', 'True', 'ResolvedRefs'], ['Ready', 'False', 'InsecureURL']]],
  ['is a local model that loads', local, { localReady: { state: 'Loading', reason: 'Loading', message: 'The model is loading.' } }, {}, [['Accepted', 'True', 'Accepted'], ['ResolvedRefs', 'True', 'ResolvedRefs'], ['Ready', 'False', 'Loading']]],
  ['is a local model whose file is gone', local, { localReady: { state: 'Absent', reason: 'CrashLoopBackOff', message: 'The server does not start.' } }, {}, [['Accepted', 'True', 'Accepted'], ['ResolvedRefs', 'True', 'ResolvedRefs'], ['Ready', 'False', 'CrashLoopBackOff']]],
  ['is a local model that answers', local, { localReady: { state: 'Ready', reason: 'Ready', message: 'The model answers.' } }, {}, [['Accepted', 'True', 'Accepted'], ['ResolvedRefs', 'True', 'ResolvedRefs'], ['Ready', 'True', 'Ready']]],
])('a provider that %s', (_, spec, more, facts, expected) => {
  const { conditions, observedGeneration } = statusOf(spec, more, facts);
  expect(conditions.map(({ type, status, reason }) => [type, status, reason])).toEqual(expected);
  expect(observedGeneration).toBe(2);
});

test('Ready repeats what stands in the way, so that one condition is enough to read', () => {
  const { conditions } = statusOf(keyed, {}, { secrets: [{ namespace: 'default', name: 's', state: 'missing' }] });
  expect(conditions.at(-1)?.message).toBe('spec.credentials.secretKeyRef.name: there is no Secret "s" in namespace default: create it with the key k.');
});

test.each([['{ preset: OpenAI, suspend: true }', null], [local, { state: 'Ready', reason: 'Ready', message: 'The model answers.' } as const]])('one that a person took out says so: %s', (spec, localReady) => {
  const { conditions } = statusOf(spec, { suspended: true, localReady });
  expect(conditions.at(-1)).toMatchObject({ status: 'True', message: 'Chains could use this provider, but spec.suspend keeps it out of all of them until it is set back.' });
});

test('the time of a transition stays while the status of its condition does', () => {
  const before = statusOf(local, { wallMs: wallMs - 60_000, localReady: { state: 'Loading', reason: 'Loading', message: '' } });
  const { conditions } = statusOf(local, { before, localReady: { state: 'Ready', reason: 'Ready', message: '' } });
  expect(conditions.map(({ lastTransitionTime }) => lastTransitionTime)).toEqual(['2026-11-24T02:52:01Z', '2026-11-24T02:52:01Z', '2026-11-24T02:53:01Z']);
});
