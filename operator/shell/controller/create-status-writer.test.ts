import { expect, test } from '@jest/globals';
import { passTime } from '../../../test/kube/pass-time.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import type { ResourceStatus } from '../../core/status-writes/status-delay.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { kubeErrorOf } from '../kube/kube-error.ts';
import { resources } from '../watch/belay-objects.ts';
import { createStatusWriter, type StatusObject } from './create-status-writer.ts';

const chain = (more: { readonly resourceVersion?: string; readonly uid?: string; readonly status?: ResourceStatus } = {}): StatusObject => ({
  apiVersion: 'belay.dev/v1alpha1', kind: 'FallbackChain', metadata: { namespace: 'shop', name: 'chat', uid: more.uid ?? 'u', resourceVersion: more.resourceVersion ?? '1' },
  ...(more.status === undefined ? {} : { status: more.status }),
});
const status = (connected: number, value: 'True' | 'False' = 'True'): ResourceStatus =>
  ({ observedGeneration: 1, conditions: [{ type: 'Ready', status: value, reason: value, message: '', lastTransitionTime: '2026-01-01T00:00:00Z' }], sidecars: { connected } }) as ResourceStatus;

function writing() {
  const clock = new ManualClock();
  const state = { refusal: null as Error | null, holds: true, hangs: false };
  const writes: string[] = [];
  const written: (readonly [ResourceStatus | null, ResourceStatus])[] = [];
  const problems: string[] = [];
  const apply = (place: object, object: unknown, options: { readonly signal?: AbortSignal }): Promise<never> => {
    writes.push(`${(object as { status: { sidecars: { connected: number } } }).status.sidecars.connected} @${clock.nowMs()}`);
    expect([place, object]).toMatchObject([{ subresource: 'status', namespace: 'shop', name: 'chat' }, { metadata: { uid: expect.any(String) } }]);
    if (state.hangs) return new Promise((_resolve, reject) => options.signal?.addEventListener('abort', () => reject(new Error('aborted'))));
    return state.refusal === null ? Promise.resolve({} as never) : Promise.reject(state.refusal);
  };
  const writer = createStatusWriter({
    client: { apply } as unknown as KubeClient, clock, mayWrite: () => state.holds,
    log: ({ message }) => problems.push(message), onWritten: (_object, before, after) => written.push([before, after]),
  });
  const want = (object: StatusObject, wanted: ResourceStatus): void => writer.want(resources.chains, object, wanted);
  return { clock, state, writer, writes, written, problems, want };
}

test('counters are written every 10 s at most, the latest alone', async () => {
  const { clock, writes, want, writer } = writing();
  for (let second = 0; second < 25; second++) {
    want(chain(), status(second));
    await passTime(clock, 1_000);
  }
  expect(writes).toEqual(['0 @0', '9 @10000', '19 @20000']);
  await writer.close();
  expect(clock.armed).toBe(0);
});

test('a condition that turns is written at once, whatever the counters wait for', async () => {
  const { clock, writes, want } = writing();
  want(chain(), status(1));
  await passTime(clock, 100);
  want(chain(), status(2));
  await passTime(clock, 100);
  want(chain(), status(3, 'False'));
  await passTime(clock, 100);
  expect(writes).toEqual(['1 @0', '3 @200']);
});

test('who overwrites every status at once is answered every 10 s, and not at once for ever', async () => {
  const { clock, writes, want } = writing();
  let version = 1;
  want(chain(), status(1));
  for (let tenth = 0; tenth < 300; tenth++) {
    await passTime(clock, 100);
    want(chain({ resourceVersion: String(++version), status: status(1, 'False') }), status(1));
  }
  expect(writes).toEqual(['1 @0', '1 @10000', '1 @20000', '1 @30000']);
});

test('nothing is written without a change, by this process or the one before it', async () => {
  const { clock, writes, want } = writing();
  want(chain({ status: status(1) }), status(1));
  await passTime(clock, 60_000);
  want(chain({ status: status(1), resourceVersion: '2' }), status(1));
  await passTime(clock, 60_000);
  expect(writes).toEqual([]);
});

test('what was written counts until the cache has seen something newer', async () => {
  const { clock, writer, want } = writing();
  want(chain(), status(1));
  await passTime(clock, 100);
  expect(writer.current(resources.chains, chain())).toEqual(status(1));
  expect(writer.current(resources.chains, chain({ resourceVersion: '2', status: status(7) }))).toEqual(status(7));
  expect(writer.current(resources.chains, chain({ uid: 'reborn' }))).toBe(null);
});

test('a status that a restored etcd has lost is written again', async () => {
  const { clock, writes, want } = writing();
  want(chain({ status: status(0) }), status(1));
  await passTime(clock, 100);
  want(chain({ resourceVersion: '2', status: status(1) }), status(1));
  await passTime(clock, 60_000);
  want(chain({ status: status(0) }), status(1));
  await passTime(clock, 20_000);
  expect(writes).toEqual(['1 @0', '1 @60100']);
});

test('without the lease nothing is written, and what is on its way is broken off at the end of the term', async () => {
  const { clock, state, writer, writes, written, want } = writing();
  state.holds = false;
  want(chain(), status(1));
  await passTime(clock, 30_000);
  expect(writes).toEqual([]);
  state.holds = true;
  state.hangs = true;
  want(chain(), status(1));
  await passTime(clock, 100);
  await writer.close();
  want(chain(), status(2));
  await passTime(clock, 30_000);
  expect([writes, written]).toEqual([['1 @30000'], []]);
});

test.each([[404, 'gone'], [409, 'another of its name']])('a resource that answers %i (%s) is let be', async (code) => {
  const { clock, state, writes, problems, want } = writing();
  state.refusal = kubeErrorOf('apply', code, undefined);
  want(chain(), status(1));
  await passTime(clock, 120_000);
  expect([writes, problems]).toEqual([['1 @0'], []]);
});

test('any other refusal is tried again with longer and longer waits, and told', async () => {
  const { clock, state, writes, written, problems, want } = writing();
  state.refusal = kubeErrorOf('apply', 403, { kind: 'Status', message: 'forbidden' });
  want(chain(), status(1));
  await passTime(clock, 4_000);
  expect(writes).toEqual(['1 @0', '1 @500', '1 @1500', '1 @3500']);
  state.refusal = null;
  await passTime(clock, 4_000);
  expect([writes.at(-1), written, problems[0]]).toEqual(['1 @7500', [[null, status(1)]], 'apply: the API server answered 403: forbidden']);
});
