import { describeFailure, type AttemptRecord, type AttemptRole, type Decision, type ExcludedTarget, type FailureRecord } from '@belay/contract';
import type { Ending, PlannedTarget, Settlement } from '../core/attempt/protocol.ts';
import type { Failure } from '../core/failure/failure.ts';

/** One attempt as it goes on; times in milliseconds after the request's arrival. */
export interface AttemptLog {
  readonly planned: PlannedTarget;
  readonly role: AttemptRole;
  readonly startedMs: number;
  firstContentMs: number | null;
  endedMs: number | null;
  settlement: Settlement | null;
}

/** An attempt's record. One that is not settled yet is seen from a commit: `winner` went well so far, others lost. */
export function attemptRecord(log: AttemptLog, winner: boolean, nowMs: number): AttemptRecord {
  const { planned, role, startedMs, firstContentMs, settlement } = log;
  return {
    target: planned.name,
    tier: planned.tier,
    model: planned.model,
    role,
    startedMs: round(startedMs),
    firstContentMs: firstContentMs === null ? null : round(firstContentMs),
    endedMs: round(log.endedMs ?? nowMs),
    outcome: settlement?.outcome ?? (winner ? 'Ok' : 'Cancelled'),
    failure: settlement === null || settlement.failure === null ? null : failureRecord(settlement.failure),
  };
}

function failureRecord({ class: name, status, detail, retryAfterMs }: Failure): FailureRecord {
  return { class: name, status, detail, retryAfterMs };
}

/** What the last effect means for the record. */
export function outcomeOf(ending: Ending): Decision['outcome'] {
  switch (ending.type) {
    case 'answered': return 'Answered';
    case 'broken': return 'Broken';
    case 'failed': return 'Failed';
    case 'client-gone': return 'ClientGone';
  }
}

/** One clause: why this target answered, or why none did. `note`: what admission has to say about the order. */
export function reasonOf(attempts: readonly AttemptRecord[], excluded: readonly ExcludedTarget[], winner: AttemptRecord | null, note: string | null): string {
  const failed = attempts.find((attempt) => attempt.failure !== null && attempt.outcome !== 'Broken');
  if (failed?.failure != null) return `${failed.target}: ${failed.failure.class} ${describeFailure(failed.failure)}`;
  if (note !== null) return note;
  if (winner?.role === 'Hedge') return 'hedge answered first';
  const left = excluded.find(({ reason }) => reason !== 'NotRequested');
  if (left !== undefined) return `${left.target} left out: ${left.reason}`;
  if (winner !== null) return winner === attempts[0] && excluded.length === 0 ? 'primary answered' : 'first of the requested targets answered';
  return 'no target answered';
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
