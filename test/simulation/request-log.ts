import type { AttemptEffect, AttemptPlan, Ending, PlannedTarget, Settlement } from '@belay/sidecar/core/attempt/protocol.ts';
import type { Moment } from './run-virtual.ts';

/** One attempt as its effects and events show it, without a look into the core's state. */
export interface LoggedAttempt {
  readonly number: number;
  readonly index: number;
  readonly target: PlannedTarget;
  readonly role: string;
  readonly startedMs: number;
  /** Others that ran at that moment. */
  readonly beside: readonly number[];
  /** When it said something that is no silence; null: never. */
  spokeMs: number | null;
  endedMs: number | null;
  settlement: Settlement | null;
}

export interface RequestLog {
  readonly attempts: readonly LoggedAttempt[];
  readonly commits: readonly { readonly attempt: number; readonly atMs: number; readonly order: number }[];
  readonly ends: readonly { readonly ending: Ending; readonly atMs: number; readonly order: number }[];
  readonly asked: readonly number[];
  readonly granted: number;
  /** What no order of events may bring about, found while reading. */
  readonly broken: readonly string[];
  readonly lastOrder: number;
  readonly mostAtOnce: number;
}

/** Reads what a request did from its effects alone. */
export function readLog(plan: AttemptPlan, moments: readonly Moment[]): RequestLog {
  const attempts: LoggedAttempt[] = [];
  const commits: { attempt: number; atMs: number; order: number }[] = [];
  const ends: { ending: Ending; atMs: number; order: number }[] = [];
  const asked: number[] = [];
  const broken: string[] = [];
  let [order, mostAtOnce, granted] = [0, 0, 0];
  const running = (): LoggedAttempt[] => attempts.filter(({ endedMs }) => endedMs === null);

  const start = (effect: Extract<AttemptEffect, { type: 'start-attempt' }>, atMs: number): void => {
    const target = plan.targets[effect.target];
    if (target === undefined || effect.attempt !== attempts.length) {
      broken.push(`attempt ${effect.attempt} starts at target ${effect.target} out of order`);
      return;
    }
    attempts.push({
      number: effect.attempt, index: effect.target, target, role: effect.role, startedMs: atMs, beside: running().map(({ number }) => number),
      spokeMs: null, endedMs: null, settlement: null,
    });
    mostAtOnce = Math.max(mostAtOnce, running().length);
  };
  const settle = (effect: Extract<AttemptEffect, { type: 'settle-attempt' }>, atMs: number): void => {
    const attempt = attempts[effect.attempt];
    if (attempt === undefined || attempt.settlement !== null) broken.push(`attempt ${effect.attempt} is settled twice or never started`);
    else Object.assign(attempt, { settlement: effect.settlement, endedMs: atMs });
  };
  for (const { atMs, event, effects } of moments) {
    if (event.type === 'hedge-granted') granted++;
    const spoken = event.type === 'attempt-reasoned' || event.type === 'attempt-answered' || event.type === 'attempt-completed' ? attempts[event.attempt] : undefined;
    if (spoken !== undefined && spoken.endedMs === null) spoken.spokeMs ??= atMs;
    for (const effect of effects) {
      order++;
      if (effect.type === 'start-attempt') start(effect, atMs);
      if (effect.type === 'settle-attempt') settle(effect, atMs);
      if (effect.type === 'ask-hedge') asked.push(effect.target);
      if (effect.type === 'finish') ends.push({ ending: effect.ending, atMs, order });
      if (effect.type === 'cancel-attempt' && attempts[effect.attempt]?.endedMs !== null) broken.push(`attempt ${effect.attempt} is cancelled when it does not run`);
      if (effect.type === 'commit') {
        if (attempts[effect.attempt]?.endedMs !== null) broken.push(`attempt ${effect.attempt} commits when it does not run`);
        commits.push({ attempt: effect.attempt, atMs, order });
      }
    }
  }
  return { attempts, commits, ends, asked, granted, broken, lastOrder: order, mostAtOnce };
}
