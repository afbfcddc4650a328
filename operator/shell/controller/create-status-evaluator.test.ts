import { expect, test } from '@jest/globals';
import type { ChainReport, TargetReport } from '@belay/contract';
import { chainEntry, providerEntry, routingTable, targetEntry } from '../../../test/support/made-up-table.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import type { ResourceStatus } from '../../core/status-writes/status-delay.ts';
import type { CompiledNamespace } from '../compile/create-compile-loop.ts';
import { newStore } from '../kube/store.ts';
import type { ChainObject, ProviderObject } from '../watch/belay-objects.ts';
import { createStatusEvaluator } from './create-status-evaluator.ts';

const target = (name: string, served: number, more: Partial<TargetReport> = {}): TargetReport => ({ name, served, attempts: served, failures: 0, lastFailure: null, breaker: 'closed', firstContentP50Ms: null, ...more });
const report = (...targets: readonly TargetReport[]): readonly ChainReport[] => [{ name: 'chat', requests: targets.reduce((total, { served }) => total + served, 0), failed: 0, targets }];

/** Two namespaces with a chain of the same name. */
function evaluating() {
  const clock = new ManualClock();
  const chains = newStore<ChainObject>();
  const table = routingTable([chainEntry('chat', [targetEntry('opus'), targetEntry('gemini')])], [providerEntry('opus'), providerEntry('gemini')]);
  for (const namespace of ['shop', 'bank']) chains.put({ metadata: { namespace, name: 'chat' }, spec: { targets: [{ providerRef: { name: 'opus' } }, { providerRef: { name: 'gemini' } }] } } as unknown as ChainObject);
  const statuses = new Map<string, { readonly serving?: string; readonly targets?: readonly { readonly name: string; readonly health: string }[] }>();
  const events: string[] = [];
  const evaluator = createStatusEvaluator({
    clock, wallClock: () => Date.UTC(2026, 0, 1) + clock.nowMs(), caches: { chains, providers: newStore<ProviderObject>() },
    compiled: () => ({ table, conditions: [{ kind: 'FallbackChain', name: 'chat', observedGeneration: 1, conditions: [], findings: [] }], content: { tables: [table], keys: [], endpoints: [], hints: [] } }) as unknown as CompiledNamespace,
    countSidecars: () => ({ connected: 1, current: 1, rejected: 0, lastError: '' }), readiness: () => ({ state: 'Absent', reason: 'Absent', message: '' }),
  });
  const evaluate = (namespace: string): void => evaluator.evaluate(namespace, {
    writer: { current: () => null, want: (_resource, { metadata }, status: ResourceStatus) => void statuses.set(metadata.namespace ?? '', status) },
    record: ({ metadata }, { reason }) => void events.push(`${metadata.namespace} ${reason}`),
  });
  return { clock, evaluator, evaluate, statuses, events };
}

test('what sidecars of one namespace report says nothing of a chain of the same name in another, whatever uid they give', async () => {
  const { clock, evaluator, evaluate, statuses, events } = evaluating();
  for (const namespace of ['shop', 'bank']) evaluator.noteReport({ uid: 'u', namespace }, report(target('opus', 0), target('gemini', 0)));
  await clock.advance(1_000);
  evaluator.noteReport({ uid: 'u', namespace: 'shop' }, report(target('opus', 0, { attempts: 9, failures: 9, lastFailure: 'Auth', breaker: 'open' }), target('gemini', 9)));
  evaluator.noteReport({ uid: 'u', namespace: 'bank' }, report(target('opus', 9), target('gemini', 0)));
  for (const namespace of ['shop', 'bank']) evaluate(namespace);
  expect([statuses.get('shop')?.serving, statuses.get('bank')?.serving, events]).toEqual(['gemini 100% since 00:00 (opus: Auth)', 'opus', ['shop FallbackActive']]);
});

test('who is gone keeps nothing open, in its own namespace alone', async () => {
  const { clock, evaluator, evaluate, statuses } = evaluating();
  const health = (namespace: string): string | undefined => statuses.get(namespace)?.targets?.[0]?.health;
  for (const namespace of ['shop', 'bank']) evaluator.noteReport({ uid: 'u', namespace }, report(target('opus', 0, { attempts: 1, failures: 1, lastFailure: 'Auth', breaker: 'open' }), target('gemini', 0)));
  expect(['shop', 'bank', 'nowhere'].map(evaluator.hears)).toEqual([true, true, false]);
  evaluator.noteGone({ uid: 'u', namespace: 'shop' });
  expect(['shop', 'bank', 'nowhere'].map(evaluator.hears)).toEqual([false, true, false]);
  await clock.advance(1_000);
  for (const namespace of ['shop', 'bank']) evaluate(namespace);
  expect([health('shop'), health('bank')]).toEqual(['Unknown', 'Unhealthy']);
});

test('chains that nobody knows are not remembered', () => {
  const { evaluator, evaluate, statuses } = evaluating();
  evaluator.noteReport({ uid: 'u', namespace: 'nowhere' }, report(target('opus', 9)));
  evaluator.noteGone({ uid: 'u', namespace: 'nowhere' });
  evaluate('nowhere');
  expect(statuses.get('nowhere')).toBeUndefined();
});
