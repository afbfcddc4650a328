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
  const log: Log = { plan, attempts: [], commits: [], ends: [], asked: [], broken: [], granted: 0, lastOrder: 0, mostAtOnce: 0 };
  for (const { atMs, event, effects } of moments) {
    if (event.type === 'hedge-granted') log.granted++;
    if (speaks.has(event.type) && 'attempt' in event) hear(log.attempts[event.attempt], atMs);
    for (const effect of effects) {
      log.lastOrder++;
      readEffect(log, effect, atMs);
    }
  }
  return log;
}

type Log = { -readonly [Field in keyof RequestLog]: RequestLog[Field] extends readonly (infer T)[] ? T[] : RequestLog[Field] } & { readonly plan: AttemptPlan };

const speaks = new Set(['attempt-reasoned', 'attempt-answered', 'attempt-completed']);

function hear(attempt: LoggedAttempt | undefined, atMs: number): void {
  if (attempt !== undefined && attempt.endedMs === null) attempt.spokeMs ??= atMs;
}

function readEffect(log: Log, effect: AttemptEffect, atMs: number): void {
  switch (effect.type) {
    case 'start-attempt': return readStart(log, effect, atMs);
    case 'settle-attempt': return readSettlement(log, effect, atMs);
    case 'cancel-attempt': return mustRun(log, effect.attempt, 'is cancelled');
    case 'ask-hedge': return void log.asked.push(effect.target);
    case 'finish': return void log.ends.push({ ending: effect.ending, atMs, order: log.lastOrder });
    case 'commit':
      mustRun(log, effect.attempt, 'commits');
      return void log.commits.push({ attempt: effect.attempt, atMs, order: log.lastOrder });
    case 'arm-timer': case 'disarm-timer': case 'poll-ready': return;
  }
}

function mustRun(log: Log, attempt: number, does: string): void {
  if (log.attempts[attempt]?.endedMs !== null) log.broken.push(`attempt ${attempt} ${does} when it does not run`);
}

function readStart(log: Log, { attempt, target: index, role }: Extract<AttemptEffect, { type: 'start-attempt' }>, atMs: number): void {
  const target = log.plan.targets[index];
  if (target === undefined || attempt !== log.attempts.length) {
    log.broken.push(`attempt ${attempt} starts at target ${index} out of order`);
    return;
  }
  const beside = log.attempts.filter(({ endedMs }) => endedMs === null).map(({ number }) => number);
  log.attempts.push({ number: attempt, index, target, role, startedMs: atMs, beside, spokeMs: null, endedMs: null, settlement: null });
  log.mostAtOnce = Math.max(log.mostAtOnce, beside.length + 1);
}

function readSettlement(log: Log, { attempt, settlement }: Extract<AttemptEffect, { type: 'settle-attempt' }>, atMs: number): void {
  const settled = log.attempts[attempt];
  if (settled === undefined || settled.settlement !== null) log.broken.push(`attempt ${attempt} is settled twice or never started`);
  else Object.assign(settled, { settlement, endedMs: atMs });
}
