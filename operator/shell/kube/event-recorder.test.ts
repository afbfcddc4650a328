import { expect, test } from '@jest/globals';
import { passTime } from '../../../test/kube/pass-time.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { createEventRecorder } from './event-recorder.ts';
import type { KubeClient } from './kube-client.ts';
import { kubeErrorOf } from './kube-error.ts';
import type { KubeObject } from './kube-object.ts';

interface Written { readonly message: string; readonly count: number; readonly reason: string; readonly metadata: { readonly name: string; readonly namespace: string } }

const chain: KubeObject = { apiVersion: 'example.org/v1', kind: 'Chain', metadata: { namespace: 'shop', name: 'support', uid: 'u1' } };

function recorderOf({ fail = () => undefined }: { readonly fail?: (call: number) => Error | undefined } = {}) {
  const clock = new ManualClock();
  const events = new Map<string, Written>();
  const problems: string[] = [];
  let calls = 0;
  const attempt = async (): Promise<void> => {
    const error = fail(++calls);
    if (error !== undefined) throw error;
  };
  const refuse = (): Promise<never> => Promise.reject(new Error('not used'));
  const client: KubeClient = {
    list: refuse, watch: refuse, get: refuse, replace: refuse, apply: refuse, delete: refuse,
    create: async <T extends KubeObject>(_place: unknown, object: unknown) => {
      await attempt();
      const event = object as Written;
      if (events.has(event.metadata.name)) throw kubeErrorOf('create', 409, undefined);
      events.set(event.metadata.name, event);
      return event as KubeObject as T;
    },
    patch: async <T extends KubeObject>({ name }: { readonly name: string }, patch: unknown) => {
      await attempt();
      const before = events.get(name);
      if (before === undefined) throw kubeErrorOf('patch', 404, undefined);
      events.set(name, { ...before, ...(patch as Written) });
      return before as KubeObject as T;
    },
  };
  let chance = 0;
  const recorder = createEventRecorder({ client, clock, wallClock: () => 1_790_000_000_000, random: () => (chance = (chance + 0.001) % 1), component: 'tester', onProblem: (message) => problems.push(message) });
  const warn = (message: string, object = chain): void => recorder.record(object, { type: 'Warning', reason: 'FallbackActive', message });
  return { clock, recorder, warn, events, problems, calls: () => calls, told: () => [...events.values()].map(({ message, count }) => `${count} ${message}`) };
}

test('an Event says what it is about, in the shape that the API server wants', async () => {
  const { clock, warn, events } = recorderOf();
  warn('the second target serves');
  await passTime(clock, 0);
  expect([...events.values()]).toEqual([{
    apiVersion: 'v1', kind: 'Event', metadata: { namespace: 'shop', name: expect.stringMatching(/^support\.[0-9a-f]+$/) },
    involvedObject: { apiVersion: 'example.org/v1', kind: 'Chain', name: 'support', namespace: 'shop', uid: 'u1', resourceVersion: undefined },
    type: 'Warning', reason: 'FallbackActive', message: 'the second target serves', count: 1,
    firstTimestamp: '2026-09-21T14:13:20Z', lastTimestamp: '2026-09-21T14:13:20Z',
    source: { component: 'tester' }, reportingComponent: 'tester', reportingInstance: '',
  }]);
});

test.each(['long-name.'.repeat(25), 'name.long-'.repeat(25), 'b'.repeat(253), 'a.b-c'])('the Event of an object with a long name has a name that the API server takes: %s', async (start) => {
  const { clock, warn, events } = recorderOf();
  warn('told', { ...chain, metadata: { ...chain.metadata, name: `${start}end`.slice(0, 253) } });
  await passTime(clock, 0);
  expect([...events.keys()]).toEqual([expect.stringMatching(/^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/)]);
});

test('repeats are counted on one Event', async () => {
  const { clock, warn, told } = recorderOf();
  for (let n = 0; n < 3; n++) warn('same');
  warn('same', { ...chain, metadata: { ...chain.metadata, name: 'other', uid: 'u2' } });
  await passTime(clock, 0);
  expect(told()).toEqual(['3 same', '1 same']);
});

test('after ten messages of one reason the others are one Event, the last of them its message', async () => {
  const { clock, warn, told } = recorderOf();
  for (let n = 1; n <= 14; n++) warn(`message ${n}`);
  await passTime(clock, 0);
  expect([told().length, told()[10]]).toEqual([11, '4 (combined from similar events): message 14']);
});

test('of a flood 25 Events pass, then one every five minutes', async () => {
  const { clock, warn, calls } = recorderOf();
  for (let n = 0; n < 100; n++) warn('same');
  await passTime(clock, 0);
  expect(calls()).toBe(25);
  await passTime(clock, 300_000);
  for (let n = 0; n < 100; n++) warn('same');
  await passTime(clock, 0);
  expect(calls()).toBe(26);
});

test('an Event that the server has forgotten begins anew', async () => {
  const { clock, warn, events, told } = recorderOf();
  warn('same');
  await passTime(clock, 0);
  events.clear();
  warn('same');
  await passTime(clock, 0);
  expect(told()).toEqual(['2 same']);
});

test.each<[string, (call: number) => Error | undefined, string[], number]>([
  ['tried again after a 500', (call) => (call === 1 ? kubeErrorOf('create', 500, undefined) : undefined), ['1 m'], 0],
  ['tried again after a broken connection', (call) => (call <= 3 ? new Error('reset') : undefined), ['1 m'], 0],
  ['given up and told about where it is refused', () => kubeErrorOf('create', 403, undefined), [], 1],
  ['given up after twelve tries', () => new Error('reset'), [], 1],
])('an Event is %s', async (_sentence, fail, told, problems) => {
  const recorder = recorderOf({ fail });
  recorder.warn('m');
  await passTime(recorder.clock, 150_000);
  expect([recorder.told(), recorder.problems.length]).toEqual([told, problems]);
  expect(recorder.calls()).toBeLessThanOrEqual(12);
});

test('a namespace that is being deleted takes no Event, and nothing is said of it', async () => {
  const terminating = kubeErrorOf('create', 403, { reason: 'Forbidden', details: { causes: [{ reason: 'NamespaceTerminating' }] } });
  const { clock, warn, problems, calls } = recorderOf({ fail: () => terminating });
  warn('a');
  await passTime(clock, 60_000);
  expect([calls(), problems]).toEqual([1, []]);
});

test('closing sends what waits, leaves no timer and takes nothing more', async () => {
  const { clock, recorder, warn, told } = recorderOf({ fail: (call) => (call === 1 ? new Error('reset') : undefined) });
  warn('one');
  warn('two');
  await passTime(clock, 0);
  await recorder.close();
  warn('three');
  await passTime(clock, 0);
  expect([told(), clock.armed]).toEqual([['1 one', '1 two'], 0]);
});
