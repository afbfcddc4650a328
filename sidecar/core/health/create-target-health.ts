import type { Random } from '@belay/contract';
import type { Settlement } from '../attempt/protocol.ts';
import { createBreaker, type Breaker, type HardFailure } from './breaker.ts';
import { createOutStates, type OutStates } from './out-states.ts';
import type { HealthView, SettledAttempt, TargetHealth } from './target-health.ts';

/** Give-ups too short to blame the target for: so many in a row count as one Timeout. */
const maxShortGiveUps = 3;

/** Health of one target (routing rule 7). Quantiles are unknown until they are built: the cold values of rule 2 hold. */
export function createTargetHealth(random: Random): TargetHealth {
  const breaker = createBreaker(random);
  const outs = createOutStates();
  let probing = false;
  let shortGiveUps = 0;

  function settled(atMs: number, settlement: Settlement, more: SettledAttempt): void {
    if (more.probe) probing = false;
    switch (settlement.health) {
      case 'Ok': breaker.completed(); return;
      case 'Out': outs.refused(atMs, atMs - more.elapsedMs, settlement.failure, more.keyVersion); return;
      case 'Failed': breaker.failed(hardFailure(atMs, settlement, more)); return;
      case 'LowerBound': if (settlement.failure !== null) gaveUpEarly(atMs, settlement, more); return;
      case 'Soft': case 'None':
    }
  }

  function gaveUpEarly(atMs: number, settlement: Settlement, more: SettledAttempt): void {
    shortGiveUps += 1;
    if (shortGiveUps < maxShortGiveUps) return;
    shortGiveUps = 0;
    breaker.failed(hardFailure(atMs, settlement, more));
  }

  return {
    sent: (atMs, probe) => {
      breaker.sent(atMs);
      outs.sent(atMs);
      probing ||= probe;
    },
    answered: (atMs, firstContentMs) => {
      shortGiveUps = 0;
      breaker.answered(atMs, atMs - firstContentMs);
      outs.answered(atMs - firstContentMs);
    },
    settled,
    view: (atMs) => viewOf(breaker, outs, probing, atMs),
    keyChanged: (version) => { outs.keyChanged(version); },
    specChanged: () => { outs.specChanged(); },
  };
}

function viewOf(breaker: Breaker, outs: OutStates, probing: boolean, atMs: number): HealthView {
  const out = outs.current(atMs);
  const state = breaker.state(atMs);
  return {
    breaker: state === 'closed' && out === null && outs.needsProbe(atMs) ? 'half-open' : state,
    probing,
    returnsInMs: Math.max(breaker.opensForMs(atMs), out?.returnsInMs ?? 0),
    out,
    quantiles: null,
  };
}

function hardFailure(atMs: number, { outcome, failure }: Settlement, { probe, elapsedMs, streamed, answered }: SettledAttempt): HardFailure {
  const timedOut = failure?.class === 'Timeout';
  return {
    atMs, probe, timedOut,
    startedMs: atMs - elapsedMs,
    answered: answered ?? outcome === 'Broken',
    timeout: !timedOut || streamed === false ? null : failure.silent ? 'Silent' : 'Stirred',
    retryAfterMs: failure?.retryAfterMs ?? null,
  };
}
