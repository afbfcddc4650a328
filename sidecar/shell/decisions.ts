import { decisionRingSize, describeDecision, type Decision } from '@belay/contract';
import type { LogLine } from './sidecar-options.ts';

/** The last decisions, newest first, and apart from them the last that fell back or failed (api.md, Sidecar endpoints). */
export interface Decisions {
  /** Keeps the record, and logs one line where the request fell back or failed. */
  record(decision: Decision): void;
  all(): readonly Decision[];
  troubled(): readonly Decision[];
  find(id: string): Decision | null;
}

/** Two rings of `decisionRingSize`: a busy hour of good answers hides no failure. */
export function createDecisions(log: (line: LogLine) => void): Decisions {
  const all = createRing();
  const troubled = createRing();
  return {
    record(decision) {
      all.add(decision);
      if (!isTroubled(decision)) return;
      troubled.add(decision);
      log(logLine(decision));
    },
    all: all.newestFirst,
    troubled: troubled.newestFirst,
    find(id) {
      const same = (decision: Decision): boolean => decision.id === id;
      return all.newestFirst().find(same) ?? troubled.newestFirst().find(same) ?? null;
    },
  };
}

/** Fell back, failed or broke: what an on-call asks about. A client that left is neither. */
function isTroubled({ outcome, attempts }: Decision): boolean {
  if (outcome === 'Failed' || outcome === 'Broken') return true;
  return attempts.some((attempt) => attempt.outcome === 'Failed' || attempt.outcome === 'Broken');
}

function logLine(decision: Decision): LogLine {
  const { id, chain, model, outcome, status, target, totalMs, attempts } = decision;
  const ended = outcome === 'Answered' ? 'request-fell-back' : outcome === 'Broken' ? 'request-broke' : 'request-failed';
  return {
    level: outcome === 'Answered' || outcome === 'ClientGone' ? 'warn' : 'error',
    event: outcome === 'ClientGone' ? 'request-left' : ended,
    message: describeDecision(decision), id, chain, model, outcome, status, target, totalMs: Math.round(totalMs),
    reasons: attempts.filter(({ failure }) => failure !== null).map((attempt) => `${attempt.target}: ${attempt.failure?.class ?? ''}`),
  };
}

interface Ring {
  add(decision: Decision): void;
  newestFirst(): readonly Decision[];
}

function createRing(): Ring {
  const slots: Decision[] = [];
  let next = 0;
  return {
    add(decision) {
      slots[next] = decision;
      next = (next + 1) % decisionRingSize;
    },
    newestFirst: () => [...slots.slice(0, next).reverse(), ...slots.slice(next).reverse()],
  };
}
