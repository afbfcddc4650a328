import { expect, test } from '@jest/globals';
import { passTime } from '../../../test/kube/pass-time.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import type { KubeClient } from './kube-client.ts';
import { kubeErrorOf } from './kube-error.ts';
import type { KubeObject } from './kube-object.ts';
import { createLease } from './lease.ts';

interface Stored extends KubeObject { readonly spec: { readonly holderIdentity: string; readonly leaseTransitions: number; readonly leaseDurationSeconds: number } }

/** One Lease with the API server's optimistic concurrency; `cut` names candidates that cannot reach it, `deaf` those that its answers to a renewal do not reach. */
function leaseServer() {
  const state = { lease: null as Stored | null, version: 0, cut: new Set<string>(), deaf: new Set<string>(), writes: 0 };
  const store = (object: unknown): Stored => {
    const lease = structuredClone(object) as Stored;
    state.version++;
    state.writes++;
    state.lease = { ...lease, metadata: { ...lease.metadata, resourceVersion: String(state.version) } };
    return state.lease;
  };
  const clientOf = (identity: string): KubeClient => {
    const reach = (signal?: AbortSignal): Promise<void> => (state.cut.has(identity) ? new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(new Error('aborted')))) : Promise.resolve());
    const refuse = (): Promise<never> => Promise.reject(new Error('not used'));
    return {
      list: refuse, watch: refuse, patch: refuse, apply: refuse, delete: refuse,
      get: async <T extends KubeObject>(_place: unknown, signal?: AbortSignal) => {
        await reach(signal);
        if (state.lease === null) throw kubeErrorOf('get', 404, undefined);
        return state.lease as KubeObject as T;
      },
      create: async <T extends KubeObject>(_place: unknown, object: unknown, signal?: AbortSignal) => {
        await reach(signal);
        if (state.lease !== null) throw kubeErrorOf('create', 409, undefined);
        return store(object) as KubeObject as T;
      },
      replace: async <T extends KubeObject>(_place: unknown, object: unknown, signal?: AbortSignal) => {
        await reach(signal);
        if ((object as KubeObject).metadata.resourceVersion !== state.lease?.metadata.resourceVersion) throw kubeErrorOf('replace', 409, undefined);
        const stored = store(object) as KubeObject as T;
        if (state.deaf.has(identity)) await new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(new Error('aborted'))));
        return stored;
      },
    };
  };
  return { state, clientOf };
}

function election(random = () => 0) {
  const clock = new ManualClock();
  const server = leaseServer();
  const terms: string[] = [];
  const join = (identity: string, wallMs = 0) => createLease({
    client: server.clientOf(identity), clock, wallClock: () => wallMs, random, namespace: 'belay', name: 'controller', identity,
    onHeld: (signal) => {
      terms.push(`${identity} holds @${clock.nowMs()}`);
      signal.addEventListener('abort', () => terms.push(`${identity} stops @${clock.nowMs()}`));
    },
  });
  return { clock, ...server, terms, join };
}

test('the first takes it, the second waits, and the first renews every two seconds', async () => {
  const { clock, state, terms, join } = election();
  const first = join('first');
  const second = join('second');
  await passTime(clock, 20_050);
  expect([terms, first.holds(), second.holds(), state.writes]).toEqual([['first holds @0'], true, false, 11]);
});

test('a holder that closes hands it back, and the next has it at its next try', async () => {
  const { clock, state, terms, join } = election();
  const first = join('first');
  const second = join('second');
  await passTime(clock, 5_000);
  await first.close();
  expect([state.lease?.spec, first.holds()]).toMatchObject([{ holderIdentity: '', leaseDurationSeconds: 1 }, false]);
  await passTime(clock, 2_000);
  expect([terms, second.holds(), state.lease?.spec.leaseTransitions]).toEqual([['first holds @0', 'first stops @5000', 'second holds @6000'], true, 1]);
});

test('a holder that is cut off stops ten seconds after its last renewal, five before another may take it, whatever the wall clocks say', async () => {
  const { clock, state, terms, join } = election();
  const first = join('first', 9e12);
  const second = join('second', 1);
  await passTime(clock, 4_050);
  state.cut.add('first');
  await passTime(clock, 30_000);
  expect(terms).toEqual(['first holds @0', 'first stops @14000', 'second holds @20000']);
  expect([first.holds(), second.holds()]).toEqual([false, true]);
  state.cut.delete('first');
  await passTime(clock, 30_000);
  expect([first.holds(), second.holds()]).toEqual([false, true]);
});

test('a holder that finds the name of another on the lease stops at once', async () => {
  const { clock, state, terms, join } = election();
  const first = join('first');
  await passTime(clock, 3_000);
  state.lease = { ...state.lease!, spec: { ...state.lease!.spec, holderIdentity: 'thief' }, metadata: { ...state.lease!.metadata, resourceVersion: 'stolen' } };
  await passTime(clock, 1_050);
  expect([terms, first.holds()]).toEqual([['first holds @0', 'first stops @4000'], false]);
});

test('one that was lost is taken again when it is free', async () => {
  const { clock, state, terms, join } = election();
  join('only');
  await passTime(clock, 1_000);
  state.cut.add('only');
  await passTime(clock, 15_000);
  state.cut.delete('only');
  await passTime(clock, 60_000);
  expect(terms.slice(0, 2)).toEqual(['only holds @0', 'only stops @10000']);
  expect([terms.length, state.lease?.spec.leaseTransitions]).toEqual([3, 0]);
});

test('it is handed back also where the last renewal was taken and its answer broken off', async () => {
  const { clock, state, join } = election();
  const first = join('first');
  await passTime(clock, 1_900);
  state.deaf.add('first');
  await passTime(clock, 1_000);
  const closed = first.close();
  state.deaf.delete('first');
  await closed;
  expect(state.lease?.spec).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1 });
});

test('closing leaves no timer', async () => {
  const { clock, join } = election();
  const first = join('first');
  await passTime(clock, 3_000);
  await first.close();
  expect(clock.armed).toBe(0);
});

test('one request that hangs does not cost the lease', async () => {
  const { clock, state, terms, join } = election();
  const first = join('first');
  await passTime(clock, 1_000);
  state.cut.add('first');
  await passTime(clock, 2_000);
  state.cut.delete('first');
  await passTime(clock, 20_000);
  expect([terms, first.holds()]).toEqual([['first holds @0'], true]);
});
