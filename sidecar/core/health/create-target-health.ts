import type { Random } from '@belay/contract';
import type { Settlement } from '../attempt/protocol.ts';
import type { Failure } from '../failure/failure.ts';
import { createBreaker, type HardFailure } from './breaker.ts';
import { createOutStates } from './out-states.ts';
import type { HealthView, SettledAttempt, TargetHealth } from './target-health.ts';

/** Give-ups too short to blame the target for: so many in a row count as one Timeout. */
const maxShortGiveUps = 3;

/** Health of one target (routing rule 7). Quantiles are unknown until they are built: the cold values of rule 2 hold. */
export function createTargetHealth(random: Random): TargetHealth {
  const breaker = createBreaker(random);
  const outs = createOutStates();
  let probing = false;
  let shortGiveUps = 0;
  let lastSentMs = -Infinity;
  /** Attempts sent until then were told of an old spec: that its model is missing says nothing any more. */
  let specChangedMs = -Infinity;

  function answered(atMs: number, firstContentMs: number): void {
    shortGiveUps = 0;
    breaker.answered(atMs, atMs - firstContentMs);
    outs.answered(atMs - firstContentMs);
  }

  function settled(atMs: number, settlement: Settlement, more: SettledAttempt): void {
    if (more.probe) probing = false;
    const startedMs = atMs - more.elapsedMs;
    switch (settlement.health) {
      case 'Ok':
        breaker.completed();
        return;
      case 'Out':
        refused(atMs, startedMs, settlement.failure, more.keyVersion);
        return;
      case 'Failed':
        breaker.failed(hardFailure(atMs, settlement, more));
        return;
      case 'LowerBound':
        if (settlement.failure !== null) gaveUpEarly(atMs, settlement, more);
        return;
      case 'Soft': case 'None':
    }
  }

  function refused(atMs: number, startedMs: number, failure: Failure | null, keyVersion: string | null): void {
    if (failure === null || (failure.class === 'Missing' && startedMs <= specChangedMs)) return;
    outs.refused(atMs, startedMs, failure, keyVersion);
  }

  function gaveUpEarly(atMs: number, settlement: Settlement, more: SettledAttempt): void {
    shortGiveUps += 1;
    if (shortGiveUps < maxShortGiveUps) return;
    shortGiveUps = 0;
    breaker.failed(hardFailure(atMs, settlement, more));
  }

  function view(atMs: number): HealthView {
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

  return {
    sent: (atMs, probe) => {
      breaker.sent(atMs);
      lastSentMs = atMs;
      if (probe) probing = true;
    },
    answered, settled, view,
    keyChanged: (version) => { outs.keyChanged(version); },
    specChanged: () => {
      specChangedMs = lastSentMs;
      outs.specChanged();
    },
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
