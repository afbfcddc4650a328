import { expect, test } from '@jest/globals';
import type { Bootstrap, RoutingTable } from '@belay/contract';
import { passTime } from '../../../test/kube/pass-time.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { kubeErrorOf } from '../kube/kube-error.ts';
import { keepConfigMap, type KeptConfigMap } from '../watch/kept-objects.ts';
import { createBootstrapWriter } from './create-bootstrap-writer.ts';

const bootstrap = (certificates: string): Bootstrap => ({ table: { schemaVersion: 1, version: 'sha256:0', namespace: 'shop', providers: [], chains: [] } satisfies RoutingTable, endpoints: [], certificates });

/** An API server that keeps the one ConfigMap, and a cache that sees it at once. */
function writing() {
  const clock = new ManualClock();
  const state = { wanted: bootstrap('one') as Bootstrap | 'absent' | 'unknown', holds: true, refusal: null as Error | null, kept: undefined as KeptConfigMap | undefined };
  const writes: string[] = [];
  const tooLarge: (string | null)[] = [];
  const problems: string[] = [];
  const client = {
    apply: async (_place: object, object: unknown) => {
      writes.push(`apply @${clock.nowMs()}`);
      if (state.refusal !== null) throw state.refusal;
      state.kept = keepConfigMap(object as KeptConfigMap);
      return object;
    },
    delete: async () => {
      writes.push(`delete @${clock.nowMs()}`);
      state.kept = undefined;
    },
  } as unknown as KubeClient;
  const writer = createBootstrapWriter({
    client, clock, mayWrite: () => state.holds, wanted: () => state.wanted, existing: () => state.kept,
    log: ({ message }) => problems.push(message), onTooLarge: (_namespace, message) => tooLarge.push(message),
  });
  const note = async (): Promise<void> => {
    writer.note('shop');
    await passTime(clock, 1_000);
  };
  return { clock, state, writer, writes, tooLarge, problems, note };
}

test('it is written once for a change, and changes that come together are one', async () => {
  const { clock, state, writer, writes, note } = writing();
  for (let n = 0; n < 5; n++) writer.note('shop');
  await passTime(clock, 1_000);
  await note();
  state.wanted = bootstrap('two');
  await note();
  expect(writes).toEqual(['apply @300', 'apply @2300']);
  expect(state.kept?.metadata.labels).toEqual({ 'app.kubernetes.io/managed-by': 'belay' });
  await writer.close();
  expect(clock.armed).toBe(0);
});

test('one that somebody edited or deleted is written again', async () => {
  const { clock, state, writer, writes, note } = writing();
  await note();
  state.kept = undefined;
  writer.noteWritten('shop');
  await passTime(clock, 1_000);
  state.kept = { ...state.kept!, dataHash: 'another' };
  writer.noteWritten('shop');
  await passTime(clock, 1_000);
  expect(writes).toHaveLength(3);
});

test('one that somebody changes back at once, as another installation would, is put right every 10 s and not for ever at once', async () => {
  const { clock, state, writer, writes, note } = writing();
  await note();
  for (let second = 0; second < 25; second++) {
    state.kept = { ...state.kept!, dataHash: `of somebody else, ${second}` };
    writer.noteWritten('shop');
    await passTime(clock, 1_000);
  }
  expect(writes).toEqual(['apply @300', 'apply @1300', 'apply @2300', 'apply @3300', 'apply @13300', 'apply @23300']);
  state.wanted = bootstrap('two');
  await note();
  expect(writes.at(-1)).toBe('apply @26300');
  await writer.close();
  expect(clock.armed).toBe(0);
});

test('where nothing is wanted it is deleted, but nobody else\'s', async () => {
  const { state, writes, note } = writing();
  await note();
  state.wanted = 'absent';
  await note();
  state.kept = { metadata: { name: 'belay-bootstrap', namespace: 'shop' }, dataHash: '' };
  await note();
  expect(writes).toEqual(['apply @300', 'delete @1300']);
});

test('what does not fit is said once and leaves no old copy, and comes back when it fits', async () => {
  const { state, writes, tooLarge, problems, note } = writing();
  await note();
  state.wanted = bootstrap('x'.repeat(1024 * 1024));
  await note();
  await note();
  expect(tooLarge).toEqual([expect.stringContaining('the bootstrap copy of namespace shop must be less than 921600 bytes')]);
  state.wanted = bootstrap('two');
  await note();
  expect([writes, tooLarge.at(-1), problems]).toEqual([['apply @300', 'delete @1300', 'apply @3300'], null, []]);
});

test('without the lease, or where it is not known what is wanted, nothing happens', async () => {
  const { state, writes, note } = writing();
  state.holds = false;
  await note();
  state.holds = true;
  state.wanted = 'unknown';
  await note();
  expect(writes).toEqual([]);
});

test('a namespace that is gone is let be; another refusal is tried again, and told', async () => {
  const { clock, state, writes, problems, note } = writing();
  state.refusal = kubeErrorOf('apply', 404, undefined);
  await note();
  await passTime(clock, 60_000);
  expect([writes.length, problems]).toEqual([1, []]);
  state.refusal = kubeErrorOf('apply', 500, undefined);
  await note();
  await passTime(clock, 1_000);
  expect([writes.length, problems[0]]).toEqual([4, 'apply: the API server answered 500']);
});
