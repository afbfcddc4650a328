import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { encodeFrame, encodeSnapshot, frameReader, maxClientFrameLength, maxServerFrameLength, parseClientFrame, parseServerFrame, Secret, type KeyEntry, type Parsed } from '@belay/contract';
import { createDistribution, type DistributionEffect, type DistributionEvent } from '@belay/operator/core/distribute/create-distribution.ts';
import type { NamespaceContent } from '@belay/operator/core/distribute/select-resources.ts';
import type { ControlEffect, ControlEvent } from '@belay/sidecar/core/control/control-protocol.ts';
import { initialControlState, stepControl } from '@belay/sidecar/core/control/step.ts';
import { createActiveTable } from '@belay/sidecar/shell/active-table.ts';
import { chainEntry, providerEntry, routingTable, targetEntry } from '../support/made-up-table.ts';
import { seededRandom } from '../support/seeded-random.ts';

const sha256Hex = (text: string) => createHash('sha256').update(text).digest('hex');

/** What the cluster says at one moment; each number another content. */
interface Moment {
  readonly deadlineMs: number;
  /** Where provider a lives. */
  readonly host: 'a' | 'moved';
  readonly keys: readonly ('a' | 'moved' | 'b')[];
  readonly ready: boolean;
  /** A table that no sidecar can compile: two chains claim one name. */
  readonly bad: boolean;
}

type Move =
  | { readonly move: 'change'; readonly moment: Moment }
  | { readonly move: 'up' | 'down'; readonly lines: number }
  /** Everything that is on its way arrives, and what answers it. */
  | { readonly move: 'exchange' }
  | { readonly move: 'cut' | 'restart-operator' | 'drain' }
  | { readonly move: 'wait'; readonly ms: number };

const moments: fc.Arbitrary<Moment> = fc.record({
  deadlineMs: fc.integer({ min: 1, max: 9 }), host: fc.constantFrom('a', 'moved'), keys: fc.subarray(['a', 'b']).map((keys) => keys as Moment['keys']), ready: fc.boolean(), bad: fc.boolean(),
}).map((moment) => ({ ...moment, keys: moment.keys.map((key) => (key === 'a' ? moment.host : key)) }));
const moves: fc.Arbitrary<Move> = fc.oneof(
  { weight: 4, arbitrary: moments.map((moment) => ({ move: 'change', moment }) as const) },
  { weight: 6, arbitrary: fc.record({ move: fc.constantFrom('up', 'down'), lines: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 6, arbitrary: fc.constant({ move: 'exchange' } as const) },
  { weight: 2, arbitrary: fc.record({ move: fc.constantFrom('cut', 'restart-operator', 'drain') }) },
  { weight: 5, arbitrary: fc.record({ move: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 70_000 }) }) },
);

test('whatever is changed, lost and restarted in between, a sidecar ends with what the operator has, keeps its last good table meanwhile, and offers no key to another origin', () => {
  fc.assert(fc.property(fc.array(moves, { maxLength: 40, size: 'max' }), moments, fc.integer(), (plan, last, seed) => {
    const world = createWorld(seed);
    for (const move of plan) {
      world.play(move);
      world.check();
    }
    const good = { ...last, bad: false };
    world.play({ move: 'change', moment: good });
    for (let round = 0; round < 100; round += 1) {
      world.play({ move: 'wait', ms: 1_000 });
      world.play({ move: 'exchange' });
      world.check();
    }
    world.converged(good);
  }), { numRuns: 60 });
});

function contentOf({ deadlineMs, host, keys, ready, bad }: Moment): NamespaceContent {
  const providers = [providerEntry('a', { needsKey: true, address: `https://${host}.example/v1` }), providerEntry('b', { needsKey: true }), providerEntry('box', { address: 'local:box' })];
  const chains = [
    chainEntry('chat', [targetEntry('a'), targetEntry('b'), targetEntry('box')], { deadlineMs }),
    chainEntry('twin', [targetEntry('b')], { modelNames: [bad ? 'chat' : 'twin'] }),
  ];
  const keyOf = (which: 'a' | 'moved' | 'b'): KeyEntry => ({ provider: which === 'b' ? 'b' : 'a', origin: `https://${which}.example`, secret: new Secret(`key-of-${which}`), version: '1' });
  return {
    tables: [{ ...routingTable(chains, providers), namespace: 'shop-ns' }],
    keys: keys.map(keyOf),
    endpoints: [{ name: 'box', state: ready ? 'Ready' : 'Loading', url: ready ? 'http://box.shop-ns.svc:8080/v1' : null }],
    hints: [],
  };
}

/** One sidecar, one distributor, and two queues of lines between them, in virtual time. */
function createWorld(seed: number) {
  const random = seededRandom(seed);
  const active = createActiveTable(random);
  let nowMs = 0;
  let moment: Moment = { deadlineMs: 1, host: 'a', keys: ['a'], ready: false, bad: false };
  let distribution = createDistribution(random, sha256Hex);
  let state = initialControlState({ podName: 'shop', podUid: 'u', namespace: 'shop-ns', chains: ['*'] });
  const timers = new Map<string, number>();
  /** The connection that is up. */
  let link: { readonly connection: number; readonly up: string[]; readonly down: string[]; readonly hear: (line: string) => readonly Parsed<never>[]; readonly listen: (line: string) => readonly Parsed<never>[] } | null = null;
  let asked: number | null = null;
  let served: unknown = null;

  function sidecar(event: ControlEvent): void {
    const step = stepControl(state, event, { random, sha256Hex });
    state = step.state;
    step.effects.forEach(carryOut);
  }

  function carryOut(effect: ControlEffect): void {
    switch (effect.type) {
      case 'connect': asked = effect.connection; return;
      case 'close-connection': return hangUp(effect.connection);
      case 'send': if (link?.connection === effect.connection) link.up.push(encodeFrame(effect.frame)); return;
      case 'arm-timer': timers.set(effect.timer, nowMs + effect.delayMs); return;
      case 'disarm-timer': timers.delete(effect.timer); return;
      case 'apply-table': {
        const applied = active.apply(effect.table);
        if (applied.ok) served = active.current();
        expect(active.current()).toBe(served);
        return sidecar({ type: 'table-settled', source: effect.source, version: effect.version, refusal: applied.ok ? null : applied.problems.map(({ message }) => message).join('; ') });
      }
      case 'apply-keys': return active.applyKeys(effect.keys);
      case 'apply-endpoints': return active.applyEndpoints(effect.endpoints);
      case 'apply-hints':
      case 'log': return;
    }
  }

  function operator(event: DistributionEvent): void {
    for (const effect of distribution.handle(event, nowMs)) carryOutThere(effect);
  }

  function carryOutThere(effect: DistributionEffect): void {
    switch (effect.type) {
      case 'compile-namespace': if (effect.namespace === 'shop-ns') compile(); return;
      case 'send-snapshot': if (link?.connection === effect.connection) link.down.push(encodeSnapshot(effect.resource, effect.nonce)); return;
      case 'send': if (link?.connection === effect.connection) link.down.push(encodeFrame(effect.frame)); return;
      case 'close': if (link?.connection === effect.connection) cut(); return;
      case 'wake':
      case 'note-report': return;
    }
  }

  function compile(): void {
    operator({ type: 'namespace-compiled', namespace: 'shop-ns', content: contentOf(moment) });
  }

  function hangUp(connection: number): void {
    if (link?.connection !== connection) return;
    link = null;
    operator({ type: 'connection-closed', connection });
  }

  /** What was on its way is lost. */
  function cut(): void {
    const gone = link?.connection ?? asked;
    asked = null;
    if (link !== null) hangUp(link.connection);
    if (gone !== null) sidecar({ type: 'connection-lost', connection: gone, cause: random() < 0.3 ? 'Unauthorized' : 'Other', detail: 'it was cut' });
  }

  function dial(): void {
    if (asked === null) return;
    const connection = asked;
    asked = null;
    link = {
      connection, up: [], down: [],
      hear: frameReader(parseClientFrame, maxClientFrameLength) as never,
      listen: frameReader(parseServerFrame, maxServerFrameLength) as never,
    };
    operator({ type: 'connection-opened', connection, identity: { namespace: 'shop-ns', pod: 'shop', uid: 'u' } });
    sidecar({ type: 'connected', connection });
  }

  function deliver(way: 'up' | 'down', lines: number): void {
    dial();
    const current = link;
    for (const line of current?.[way].splice(0, lines) ?? []) {
      if (current === null || link !== current) return;
      for (const frame of way === 'up' ? current.hear(line) : current.listen(line)) {
        if (way === 'up') operator({ type: 'connection-said', connection: current.connection, said: { type: 'frame-received', frame } });
        else sidecar({ type: 'frame-received', connection: current.connection, frame });
      }
    }
  }

  function wait(ms: number): void {
    const untilMs = nowMs + ms;
    while (nowMs < untilMs) {
      nowMs = Math.min(untilMs, nowMs + 500);
      operator({ type: 'ticked' });
      for (const [timer, dueMs] of timers) {
        if (dueMs > nowMs) continue;
        timers.delete(timer);
        sidecar({ type: 'timer-fired', timer: timer as 'silence' | 'reconnect' });
      }
      if (nowMs % 5_000 === 0) sidecar({ type: 'report-made', chains: [] });
    }
  }

  function play(move: Move): void {
    switch (move.move) {
      case 'change':
        moment = move.moment;
        return compile();
      case 'up':
      case 'down': return deliver(move.move, move.lines);
      case 'exchange': {
        for (let round = 0; round < 4; round += 1) {
          deliver('up', 100);
          deliver('down', 100);
        }
        return;
      }
      case 'cut': return cut();
      case 'drain': return operator({ type: 'draining' });
      case 'wait': return wait(move.ms);
      case 'restart-operator':
        cut();
        distribution = createDistribution(random, sha256Hex);
        return operator({ type: 'synced' });
    }
  }

  operator({ type: 'synced' });
  sidecar({ type: 'started' });
  return {
    play,
    check() {
      expect(state.have.table).toBe(active.current()?.version ?? null);
      for (const target of [...(active.current()?.chains.values() ?? [])].flatMap(({ targets }) => targets)) {
        const key = active.keyFor(target);
        if (key !== null) expect(target.provider.address.startsWith(`${key.origin}/`)).toBe(true);
      }
    },
    converged(now: Moment) {
      const chat = active.current()?.chains.get('chat');
      expect(chat?.entry.deadlineMs).toBe(now.deadlineMs);
      expect(chat?.targets.map((target) => active.keyFor(target)?.secret.reveal() ?? null)).toEqual([now.host, 'b'].map((which) => (now.keys.some((key) => key === which) ? `key-of-${which}` : null)).concat([null]));
      expect(active.endpointFor(chat!.targets[2]!)?.state).toBe(now.ready ? 'Ready' : 'Loading');
      expect(distribution.countSidecars('shop-ns', 'chat')).toEqual({ connected: 1, current: 1, rejected: 0, lastError: '' });
    },
  };
}
