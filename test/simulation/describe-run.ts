import type { AttemptEffect, AttemptPlan, Ending } from '@belay/sidecar/core/attempt/protocol.ts';
import { runVirtual, type VirtualRun, type World } from './run-virtual.ts';

/** A run as a person would tell it, one line an effect with its time: `1000 start b Hedge`, `1300 commit b`. Timers are left out. */
export function describeRun(plan: AttemptPlan, run: VirtualRun): string[] {
  const names: string[] = [];
  return run.moments.flatMap(({ atMs, effects }) => effects.flatMap((effect) => {
    const line = describeEffect(plan, names, effect);
    return line === null ? [] : [`${Math.round(atMs)} ${line}`];
  }));
}

function describeEffect(plan: AttemptPlan, names: string[], effect: AttemptEffect): string | null {
  switch (effect.type) {
    case 'start-attempt':
      names[effect.attempt] = plan.targets[effect.target]?.name ?? '?';
      return `start ${names[effect.attempt]} ${effect.role}`;
    case 'cancel-attempt': return `cancel ${names[effect.attempt]}`;
    case 'commit': return `commit ${names[effect.attempt]}`;
    case 'ask-hedge': return `ask ${plan.targets[effect.target]?.name}`;
    case 'poll-ready': return `poll ${plan.targets[effect.target]?.name}`;
    case 'settle-attempt': {
      const { outcome, failure, health } = effect.settlement;
      return `settle ${names[effect.attempt]} ${outcome}${failure === null ? '' : ` ${failure.class}`} ${health}`;
    }
    case 'finish': return `finish ${describeEnding(effect.ending, names)}`;
    case 'arm-timer': case 'disarm-timer': return null;
  }
}

function describeEnding(ending: Ending, names: readonly string[]): string {
  switch (ending.type) {
    case 'answered': return `answered ${names[ending.attempt]}`;
    case 'broken': return `broken ${names[ending.attempt]}`;
    case 'failed': return `failed ${ending.status}${ending.retryAfterMs === null ? '' : ` retry-after ${Math.round(ending.retryAfterMs)}`}`;
    case 'client-gone': return 'client-gone';
  }
}

/** Plays a request and tells it. Throws where it never ended, or left a timer or a socket behind. */
export function tellRun(plan: AttemptPlan, world: World): string[] {
  const run = runVirtual(plan, world);
  const left = [...run.leakedTimers, ...run.leakedAttempts.map((number) => `attempt ${number}`)];
  const told = describeRun(plan, run);
  if (run.ending === null) throw new Error(`never ended:\n${told.join('\n')}`);
  if (left.length > 0) throw new Error(`left behind: ${left.join(', ')}\n${told.join('\n')}`);
  return told;
}
