import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseServerFrame, Secret, type ReceivedServerFrame, type RoutingTable } from '@belay/contract';
import { chainEntry, providerEntry, routingTable, targetEntry } from '../../../test/support/made-up-table.ts';
import type { ControlEffect, ControlEvent, ControlState, ControlTools } from './control-protocol.ts';
import { initialControlState, stepControl } from './step.ts';

const tools: ControlTools = { random: () => 0.5, sha256Hex: (text) => `hash-of-${text.length}` };
const table: RoutingTable = routingTable([chainEntry('support', [targetEntry('a')]), chainEntry('other', [targetEntry('b')])], [providerEntry('a'), providerEntry('b')]);
const keys = [{ provider: 'a', origin: 'https://a.example', secret: new Secret('k'), version: '1' }];
const started: ControlEvent = { type: 'started' };
const connected = (connection = 1): ControlEvent => ({ type: 'connected', connection });
const frame = (value: ReceivedServerFrame, connection = 1): ControlEvent => ({ type: 'frame-received', connection, frame: { ok: true, value } });
const keysFrame = (nonce: string) => frame({ frame: 'snapshot', type: 'keys', version: 'keys-1', nonce, data: { ok: true, value: keys } });
const tableFrame = (nonce: string, connection = 1) => frame({ frame: 'snapshot', type: 'table', version: 'v2', nonce, data: { any: 'thing' } }, connection);
const settled = (refusal: string | null, connection = 1): ControlEvent => ({ type: 'table-settled', source: { connection, nonce: '1' }, version: 'v2', refusal });
const lost = (cause: 'Unauthorized' | 'UnknownAuthority' | 'Other', connection = 1): ControlEvent => ({ type: 'connection-lost', connection, cause, detail: 'it was reset' });
const goaway = (connection = 1) => frame({ frame: 'goaway', reconnectWithinMs: 10_000 }, connection);
const fired = (timer: 'silence' | 'reconnect'): ControlEvent => ({ type: 'timer-fired', timer });
const bootstrap: ControlEvent = { type: 'bootstrap-read', bootstrap: { ok: true, value: { table, endpoints: [], certificates: '' } } };

function play(events: readonly ControlEvent[], chains: readonly string[] = ['support']): { readonly state: ControlState; readonly last: readonly ControlEffect[]; readonly all: readonly ControlEffect[] } {
  let state = initialControlState({ podName: 'shop-1', podUid: 'u-1', namespace: 'support', chains });
  let last: readonly ControlEffect[] = [];
  const all: ControlEffect[] = [];
  for (const event of events) {
    const step = stepControl(state, event, tools);
    state = step.state;
    last = step.effects;
    all.push(...last);
  }
  return { state, last, all };
}

const withoutLogs = (effects: readonly ControlEffect[]) => effects.filter(({ type }) => type !== 'log');
const alive = { type: 'arm-timer', timer: 'silence', delayMs: 60_000 };
const quiet = { type: 'disarm-timer', timer: 'silence' };
const connecting = (connection: number) => [{ type: 'disarm-timer', timer: 'reconnect' }, { type: 'arm-timer', timer: 'silence', delayMs: 10_000 }, { type: 'connect', connection }];
const pause = (delayMs: number) => ({ type: 'arm-timer', timer: 'reconnect', delayMs });
const none = { endpoints: null, keys: null, hints: null, table: null };
const hello = (have: object, connection = 1) => ({ type: 'send', connection, frame: { frame: 'hello', pod: 'shop-1', uid: 'u-1', chains: ['support'], have, protocol: 1, schemaVersions: [1] } });
const send = (said: object) => ({ type: 'send', connection: 1, frame: said });
const lostFor = (times: number) => Array.from({ length: times }, (_, nth) => [...(nth === 0 ? [] : [fired('reconnect')]), lost('Other', nth + 1)]).flat();
const endpointsFrame = frame({ frame: 'snapshot', type: 'endpoints', version: 'e', nonce: '1', data: { ok: true, value: [] } });
const badFrame: ControlEvent = { type: 'frame-received', connection: 1, frame: { ok: false, problems: [{ path: 'frame', message: 'must be known' }] } };

describe('the last of these events has these effects', () => {
  test.each<[string, readonly ControlEvent[], readonly object[]]>([
    ['start: connect', [started], connecting(1)],
    ['a second start: nothing', [started, started], []],
    ['connected: say hello', [started, connected()], [alive, hello(none)]],
    ['keys: apply and ack', [started, connected(), keysFrame('1')], [alive, { type: 'apply-keys', keys }, send({ frame: 'ack', nonce: '1' })]],
    ['bad endpoints: refuse by nonce, apply nothing', [started, connected(), frame({ frame: 'snapshot', type: 'endpoints', version: 'e', nonce: '7', data: { ok: false, problems: [{ path: 'data', message: 'must be a list' }] } })],
      [alive, send({ frame: 'nack', nonce: '7', error: 'data: must be a list' })]],
    ['a table: try it, answer nothing yet', [started, connected(), tableFrame('1')], [alive, { type: 'apply-table', source: { connection: 1, nonce: '1' }, version: 'v2', table: { any: 'thing' } }]],
    ['a table of another namespace: refuse by nonce, try nothing', [started, connected(), frame({ frame: 'snapshot', type: 'table', version: 'v2', nonce: '1', data: { ...table, namespace: 'bank' } })],
      [alive, send({ frame: 'nack', nonce: '1', error: 'the table is of namespace bank, and this pod is in support' })]],
    ['a bootstrap copy of another namespace: apply nothing of it', [started, { type: 'bootstrap-read', bootstrap: { ok: true, value: { table: { ...table, namespace: 'bank' }, endpoints: [], certificates: '' } } }], []],
    ['a table that compiled: ack', [started, connected(), tableFrame('1'), settled(null)], [send({ frame: 'ack', nonce: '1' })]],
    ['a table that did not: nack with its words', [started, connected(), tableFrame('1'), settled('chains[0]: bad')], [send({ frame: 'nack', nonce: '1', error: 'chains[0]: bad' })]],
    ['a table settled after its connection: tell nobody', [started, connected(), tableFrame('1'), lost('Other'), fired('reconnect'), connected(2), settled(null)], []],
    ['a ping: it lives', [started, connected(), frame({ frame: 'ping' })], [alive]],
    ['a bad frame: ignored, but it lives', [started, connected(), badFrame], [alive]],
    ['a frame of an earlier connection: nothing', [started, connected(), lost('Other'), fired('reconnect'), connected(2), keysFrame('1')], []],
    ['lost: pause half of at most 0.5 s', [started, connected(), lost('Other')], [quiet, pause(250)]],
    ['lost three times: at most 2 s', [started, lost('Other'), fired('reconnect'), lost('Other', 2), fired('reconnect'), lost('Other', 3)], [quiet, pause(1_000)]],
    ['lost after a frame was heard: at most 0.5 s again', [started, lost('Other'), fired('reconnect'), connected(2), frame({ frame: 'ping' }, 2), lost('Other', 2)], [quiet, pause(250)]],
    ['lost twice: the second is of an earlier connection', [started, lost('Other'), lost('Other')], []],
    ['401: read the token again, at once', [started, lost('Unauthorized')], connecting(2)],
    ['401 again: back off', [started, lost('Unauthorized'), lost('Unauthorized', 2)], [quiet, pause(250)]],
    ['an unknown CA: read it again, at once', [started, lost('UnknownAuthority')], connecting(2)],
    ['an unknown CA after 401: back off', [started, lost('Unauthorized'), lost('UnknownAuthority', 2)], [quiet, pause(250)]],
    ['silence: close and back off', [started, connected(), fired('silence')], [{ type: 'close-connection', connection: 1 }, quiet, pause(250)]],
    ['no answer to a connect: the same', [started, fired('silence')], [{ type: 'close-connection', connection: 1 }, quiet, pause(250)]],
    ['goaway: draw a moment', [started, connected(), goaway()], [alive, pause(5_000)]],
    ['goaway within no time: no spinning', [started, connected(), frame({ frame: 'goaway', reconnectWithinMs: 0 })], [alive, pause(250)]],
    ['the moment comes: close, connect', [started, connected(), goaway(), fired('reconnect')], [{ type: 'close-connection', connection: 1 }, ...connecting(2)]],
    ['gone before that moment: wait for it', [started, connected(), goaway(), lost('Other')], [quiet]],
    ['and then connect', [started, connected(), goaway(), lost('Other'), fired('reconnect')], connecting(2)],
    ['a report while open: send it', [started, connected(), { type: 'report-made', chains: [] }], [send({ frame: 'report', chains: [] })]],
    ['a report while away: drop it', [started, { type: 'report-made', chains: [] }], []],
    ['goaway within an hour: half a minute at most', [started, connected(), frame({ frame: 'goaway', reconnectWithinMs: 3_600_000 })], [alive, pause(15_000)]],
    ['lost after it moved away: a pause as ever', [started, connected(), goaway(), fired('reconnect'), connected(2), lost('Other', 2)], [quiet, pause(250)]],
    ['lost again and again: at most 30 s', [started, ...lostFor(9)], [quiet, pause(15_000)]],
    ['lost for a week: the same', [started, ...lostFor(2_000)], [quiet, pause(15_000)]],
    ['401 after a frame was heard: read the token again, at once', [started, lost('Unauthorized'), connected(2), frame({ frame: 'ping' }, 2), lost('Unauthorized', 2)], connecting(3)],
    ['a frame before the answer: nothing', [started, keysFrame('1')], []],
    ['a frame after the silence: nothing', [started, connected(), fired('silence'), keysFrame('1')], []],
    ['connected twice: one hello', [started, connected(), connected()], []],
    ['a silence that is over: nothing', [started, lost('Other'), fired('silence')], []],
    ['a pause that is over: nothing', [started, connected(), fired('reconnect')], []],
    ['a table settled while away: tell nobody', [started, connected(), tableFrame('1'), lost('Other'), settled(null)], []],
    ['closed while it connects: the same', [started, { type: 'closed' }], [quiet, { type: 'disarm-timer', timer: 'reconnect' }, { type: 'close-connection', connection: 1 }]],
    ['closed while it waits: nothing to close', [started, lost('Other'), { type: 'closed' }], [quiet, { type: 'disarm-timer', timer: 'reconnect' }]],
    ['the bootstrap copy after endpoints were delivered: the table alone', [started, connected(), endpointsFrame, bootstrap], [expect.objectContaining({ type: 'apply-table', source: null })]],
    ['closed: disarm and close', [started, connected(), { type: 'closed' }], [quiet, { type: 'disarm-timer', timer: 'reconnect' }, { type: 'close-connection', connection: 1 }]],
    ['anything after that: nothing', [started, connected(), { type: 'closed' }, keysFrame('1')], []],
    ['the bootstrap copy after a table was delivered: endpoints alone', [started, connected(), tableFrame('1'), bootstrap], [{ type: 'apply-endpoints', endpoints: [] }]],
  ])('%s', (_, events, effects) => {
    expect(withoutLogs(play(events).last)).toEqual(effects);
  });
});

test('a hello after a loss says what runs, and not what was refused', () => {
  const { last } = play([started, connected(), keysFrame('1'), tableFrame('2'), { type: 'table-settled', source: { connection: 1, nonce: '2' }, version: 'v2', refusal: 'bad' }, lost('Other'), fired('reconnect'), connected(2)]);
  expect(last).toEqual([alive, hello({ ...none, keys: 'keys-1' }, 2)]);
});

test('a bootstrap copy that settles after a table was delivered is not what runs', () => {
  const late: ControlEvent = { type: 'table-settled', source: null, version: 'of-the-copy', refusal: null };
  const { last } = play([started, connected(), tableFrame('1'), late, lost('Other'), fired('reconnect'), connected(2)]);
  expect(last).toEqual([alive, hello(none, 2)]);
  expect(play([started, late, connected()]).last).toEqual([alive, hello({ ...none, table: 'of-the-copy' })]);
});

test('a pause is drawn: a thousand sidecars that were lost together come back apart', () => {
  const paused = [0, 0.25, 0.999].map((chance) => stepControl(play([started, connected()]).state, lost('Other'), { ...tools, random: () => chance }).effects.at(-1));
  expect(paused).toEqual([pause(0), pause(125), pause(500)]);
});

test.each([['no answer', [started], '10 s'], ['no word', [started, connected()], '60 s']])('%s is told with how long it was waited for', (_, events, time) => {
  expect(play([...events, fired('silence')]).last).toContainEqual({ type: 'log', level: 'warn', event: 'distributor-lost', message: `The connection to the distributor ended: nothing was heard for ${time}. What was delivered is served on.` });
});

test('the bootstrap copy is cut to the chains of this pod, and its own version is not believed', () => {
  const { last } = play([bootstrap]);
  expect(last[1]).toMatchObject({ type: 'apply-table', source: null, version: expect.stringMatching(/^sha256:hash-of-/), table: { chains: [{ name: 'support' }], providers: [{ name: 'a' }] } });
});

test('a bootstrap copy that cannot be read is said, and changes nothing', () => {
  expect(play([{ type: 'bootstrap-read', bootstrap: { ok: false, problems: [{ path: 'table.json', message: 'must be JSON' }] } }]).all)
    .toEqual([{ type: 'log', level: 'warn', event: 'bootstrap-refused', message: 'The bootstrap copy is not used: table.json: must be JSON.' }]);
});

test('no key stands in what is logged or sent', () => {
  const line = JSON.stringify({ frame: 'snapshot', type: 'keys', version: 'v', nonce: '1', data: [{ provider: 'a', origin: 'no origin', secret: 'sk-very-private', version: '1' }] });
  const read = parseServerFrame(line);
  const { all } = play([started, connected(), { type: 'frame-received', connection: 1, frame: read as never }]);
  expect(JSON.stringify(all)).toContain('"nack"');
  expect(JSON.stringify(all)).not.toContain('sk-very-private');
});

describe('whatever happens in whatever order', () => {
  const connection = fc.integer({ min: 1, max: 6 });
  const event: fc.Arbitrary<ControlEvent> = fc.oneof(
    fc.constantFrom(started, bootstrap, fired('silence'), fired('reconnect'), { type: 'report-made', chains: [] } as const),
    connection.map(connected),
    fc.tuple(fc.constantFrom('Unauthorized', 'UnknownAuthority', 'Other'), connection).map(([cause, of]) => lost(cause, of)),
    connection.map((of) => tableFrame('1', of)),
    connection.map(goaway),
    fc.tuple(fc.constantFrom(null, 'bad'), connection).map(([refusal, of]) => settled(refusal, of)),
    fc.tuple(fc.boolean(), connection).map(([ok, of]) => frame({ frame: 'snapshot', type: 'keys', version: 'k', nonce: '2', data: ok ? { ok, value: keys } : { ok, problems: [{ path: 'data', message: 'bad' }] } }, of)),
  );

  test('a sidecar that started always waits for something, speaks on the current connection alone, and never for long', () => {
    fc.assert(fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      const armed = new Set<string>();
      let state = initialControlState({ podName: 'p', podUid: 'u', namespace: 'support', chains: ['*'] });
      for (const next of [started, ...events]) {
        if (next.type === 'timer-fired' && !armed.delete(next.timer)) continue;
        const step = stepControl(state, next, tools);
        state = step.state;
        for (const effect of step.effects) {
          if (effect.type === 'arm-timer') armed.add(effect.timer);
          if (effect.type === 'disarm-timer') armed.delete(effect.timer);
          if (effect.type === 'arm-timer') expect(effect.delayMs).toBeLessThanOrEqual(60_000);
          if (effect.type === 'send') expect(effect.connection).toBe(state.connection);
        }
        expect([...armed]).toContain(state.phase === 'waiting' ? 'reconnect' : 'silence');
      }
    }), { numRuns: 500 });
  });

  test('what is refused never counts as held', () => {
    fc.assert(fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      const refusing = events.filter((next) => !(next.type === 'table-settled' && next.refusal === null));
      expect(play([started, ...refusing]).state.have.table).toBeNull();
    }));
  });
});
