import type { FailureClass } from '@belay/contract';
import { failure, type Failure } from '@belay/sidecar/core/failure/failure.ts';
import type { Settlement } from '@belay/sidecar/core/attempt/protocol.ts';
import { createTargetHealth } from '@belay/sidecar/core/health/create-target-health.ts';
import type { HealthView, SettledAttempt, TargetHealth } from '@belay/sidecar/core/health/target-health.ts';

const middle = (): number => 0.5;
const healthOf: { readonly [name in FailureClass]?: Settlement['health'] } = { Rate: 'Out', Auth: 'Out', Missing: 'Out', Quota: 'Out', Content: 'Soft', Client: 'None', Context: 'None', Loading: 'None' };

/** A target and a clock: each step takes the time it says. */
export function target(chance: () => number = middle): {
  readonly health: TargetHealth;
  readonly now: () => number;
  readonly wait: (ms: number) => void;
  readonly view: () => HealthView;
  readonly ok: (ms?: number, probe?: boolean) => void;
  readonly fail: (name: FailureClass, more?: Partial<Failure> & Partial<SettledAttempt> & { ms?: number; outcome?: Settlement['outcome']; health?: Settlement['health'] }) => void;
} {
  const health = createTargetHealth(chance);
  let nowMs = 1_000_000;
  const settle = (settlement: Settlement, more: Partial<SettledAttempt>, elapsedMs: number): void => {
    health.settled(nowMs, settlement, { probe: false, keyVersion: 'k1', elapsedMs, ...more });
  };
  return {
    health,
    now: () => nowMs,
    wait: (ms) => { nowMs += ms; },
    view: () => health.view(nowMs),
    ok: (ms = 10, probe = false) => {
      health.sent(nowMs, probe);
      nowMs += ms;
      health.answered(nowMs, ms);
      settle({ outcome: 'Ok', failure: null, health: 'Ok' }, { probe }, ms);
    },
    fail: (name, { ms = 10, outcome = 'Failed', health: word, probe = false, keyVersion = 'k1', streamed = true, ...more } = {}) => {
      health.sent(nowMs, probe);
      nowMs += ms;
      if (outcome === 'Broken') health.answered(nowMs, ms);
      settle({ outcome, failure: failure(name, name, more), health: word ?? healthOf[name] ?? 'Failed' }, { probe, keyVersion, streamed }, ms);
    },
  };
}

export const times = (count: number, act: () => void): void => { for (let turn = 0; turn < count; turn++) act(); };

